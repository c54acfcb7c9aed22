// P = the mean of each window; on the way back every place gets an equal share.

import { factorOf, madeOf, placeOf, termOf, ZERO } from "../tensors.js";
import { mostAround, outside, windowsAround, windowSizes, windowsOf } from "./pooling.js";

const fromFirst = (first, letter) => (first ? `${first}+${letter}` : letter);
const shareOf = (step) => (step.options.divisor > 1 ? `{}/${step.options.divisor}` : "{}");

export const averagePooling = {
  options: ["s", "t", "divisor"],

  adds: (step) => [windowSizes(step).s ** 2 + 1, mostAround(step)], // a mean divides as well

  forward(step, v) {
    const A = v[step.source.name];
    return Float64Array.from(windowsOf(step), (members) => members.reduce((sum, at) => sum + A[at], 0) / step.options.divisor);
  },

  backward(step, v, dP) {
    const dA = new Float64Array(step.source.size);
    for (const [window, members] of windowsOf(step).entries()) for (const at of members) dA[at] += dP[window] / step.options.divisor;
    return [dA];
  },

  explain(step, v, window) {
    const { divisor } = step.options;
    const { t } = windowSizes(step);
    const [n, i, j] = placeOf(step.output.shape, window);
    const A = step.source;
    const terms = windowsOf(step)[window].map((at) => termOf(shareOf(step), [factorOf(A, at)], v[A.name][at] / divisor, (number) => number / divisor));
    const formula = `(1/${divisor}) Σ_a Σ_b ${A.name}[${n},${fromFirst(t * i, "a")},${fromFirst(t * j, "b")}]`;
    return madeOf(formula, terms, "the window's mean");
  },

  *readers(step, v, tensor, at) {
    const { divisor } = step.options;
    for (const window of windowsAround(step, at)) {
      yield { i: window, derivative: 1 / divisor, reason: `1/${divisor}: the window's mean`, template: shareOf(step) };
    }
  },

  explainGradient(step, v, tensor, at, terms) {
    const { label } = factorOf(tensor, at);
    if (!terms.length) return madeOf("", [ZERO], averagePooling.blocked(step, v, tensor, at));
    const windows = terms.length === 1 ? "its window" : `each of ${terms.length} windows`;
    return madeOf("", terms, `${label} is one of the ${step.options.divisor} of ${windows}`);
  },

  blocked: (step, v, tensor, at) => `${factorOf(tensor, at).label} lies in ${outside(step)}: nobody read it`,

  say(step) {
    const { s, divisor } = step.options;
    const [A, P, dP] = [step.source.name, step.output.name, step.output.gradient.name];
    return {
      output: `Every ${s}×${s} window of ${A} becomes its mean in ${P}.`,
      source: `Every place of a window had a share of 1/${divisor} in its mean, and gets that share of ${dP}.`,
    };
  },
};
