// A = max(Z, 0), entry by entry; relu′(0) = 0.

import { factorOf, madeOf, termOf } from "../tensors.js";

export const relu = {
  options: [],

  forward: (step, v) => v[step.source.name].map((z) => (z <= 0 ? 0 : z)),

  backward(step, v, dA) {
    const Z = v[step.source.name];
    return [dA.map((gradient, i) => gradient * (Z[i] > 0 ? 1 : 0))];
  },

  local: (step, v) => v[step.source.name].map((z) => (z > 0 ? 1 : 0)),

  explain(step, v, i) {
    const Z = factorOf(step.source, i);
    const z = v[Z.tensor.name][i];
    const reason = z > 0 ? "it is positive: relu lets it through" : "it is not positive: relu makes it 0";
    return madeOf("", [termOf("max({}, 0)", [Z], Math.max(z, 0), (number) => Math.max(number, 0))], reason);
  },

  explainLocal(step, v, i) {
    const open = v[step.source.name][i] > 0;
    return madeOf("", [termOf(open ? "1, because {} > 0" : "0, because {} ≤ 0", [factorOf(step.source, i)], open ? 1 : 0)]);
  },

  *readers(step, v, tensor, i) {
    const factor = factorOf(step.local, i);
    yield { i, derivative: v[step.local.name][i], reason: `1 where ${tensor.name} > 0`, factor };
  },

  explainGradient(step, v, tensor, i, terms) {
    const state = v[tensor.name][i] > 0 ? "open: it is positive" : "shut: it is not positive";
    return madeOf("", terms, `the gate of ${factorOf(tensor, i).label} is ${state}`);
  },

  /** Shut gates, on every array of this shape that passes one. */
  marks(step, v) {
    const shut = { mark: "shut", at: v[step.source.name].map((z) => (z > 0 ? 0 : 1)) };
    return [step.source, step.output, step.local, step.source.gradient].map((tensor) => ({ tensor, ...shut }));
  },

  /** What changed of its choices between two passes, and where it stands on its kink. */
  *choices(step, before, v) {
    const [was, is] = [before[step.source.name], v[step.source.name]];
    for (let i = 0; i < is.length; i++) {
      if (is[i] === was[i]) continue;
      const entry = factorOf(step.source, i);
      if (is[i] === 0) yield { entry, text: "is exactly 0, on relu’s kink: its gate counts as shut" };
      else if (is[i] > 0 !== was[i] > 0) yield { entry, text: is[i] > 0 ? "became positive: its gate opened" : "became negative: its gate shut" };
    }
  },

  blocked: (step, v, tensor, i) => `${factorOf(tensor, i).label} ≤ 0: relu shut its gate`,

  say(step) {
    const Z = step.source.name;
    return {
      output: `relu lets the positive numbers of ${Z} through and makes the others 0.`,
      local: `The gates: 1 where ${Z} is positive, 0 where relu shut.`,
      source: `${step.output.gradient.name} passes through the open gates; behind a shut one it is 0.`,
    };
  },
};
