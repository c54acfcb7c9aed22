// P = the largest of each window; of equal ones the first wins, and takes all of the gradient.

import { factorOf, madeOf, termOf, ZERO } from "../tensors.js";
import { windowAround, windowOf } from "./pooling.js";

/** The entry of A that a window chooses. */
function winnerOf(step, v, window) {
  const A = v[step.source.name];
  return windowOf(step, window).reduce((best, at) => (A[at] > A[best] ? at : best));
}

const windowsOf = (step) => Array.from({ length: step.output.shape.reduce((a, b) => a * b) }, (_, window) => window);

export const maxPooling = {
  options: ["s"],

  forward: (step, v) => Float64Array.from(windowsOf(step), (window) => v[step.source.name][winnerOf(step, v, window)]),

  backward(step, v, dP) {
    const dA = new Float64Array(v[step.source.name].length);
    for (const window of windowsOf(step)) dA[winnerOf(step, v, window)] = dP[window];
    return [dA];
  },

  explain(step, v, window) {
    const A = v[step.source.name];
    const members = windowOf(step, window);
    const winner = winnerOf(step, v, window);
    const equals = members.filter((at) => A[at] === A[winner]).length;
    const first = equals > 1 ? `, the first of ${equals} equal ones` : "";
    const factors = members.map((at) => factorOf(step.source, at));
    const term = termOf(`max(${factors.map(() => "{}").join(", ")})`, factors, A[winner]);
    return madeOf("", [term], `the winner is ${factorOf(step.source, winner).label}${first}`);
  },

  *readers(step, v, tensor, at) {
    const window = windowAround(step, at);
    if (window !== null && winnerOf(step, v, window) === at) {
      yield { i: window, derivative: 1, reason: "the window's maximum" };
    }
  },

  explainGradient(step, v, tensor, at, terms) {
    return madeOf("", terms.length ? terms : [ZERO], whyItWon(step, v, at));
  },

  marks(step, v) {
    const at = new Uint8Array(v[step.source.name].length);
    for (const window of windowsOf(step)) at[winnerOf(step, v, window)] = 1;
    return [step.source, step.source.gradient].map((tensor) => ({ tensor, mark: "winner", at }));
  },

  *choices(step, before, v) {
    for (const window of windowsOf(step)) {
      const [was, is] = [winnerOf(step, before, window), winnerOf(step, v, window)];
      const ties = (values) => windowOf(step, window).filter((at) => values[step.source.name][at] === values[step.source.name][is]);
      const entry = factorOf(step.output, window);
      const [old, now] = [was, is].map((at) => factorOf(step.source, at).label);
      const tied = ties(v).length;
      if (was !== is) yield { entry, text: `has another winner: ${now} instead of ${old}` };
      if (tied > 1 && v[step.source.name][is] !== 0 && ties(before).length < tied) {
        yield { entry, text: `is a tie of ${tied} equal maxima: ${now} comes first and takes the gradient` };
      }
    }
  },

  blocked: (step, v, tensor, at) => whyItWon(step, v, at),

  windowOf: (step, v, tensor, i) => {
    const window = tensor === step.output ? i : windowAround(step, i);
    return window === null ? null : { entries: windowOf(step, window), winner: winnerOf(step, v, window) };
  },

  say(step) {
    const { s } = step.options;
    const [A, P, dP] = [step.source.name, step.output.name, step.output.gradient.name];
    return {
      output: `Of every ${s}×${s} window of ${A} the largest number goes on to ${P}: the winners are framed.`,
      source: `The winner of each window takes all of its ${dP}; the others had no say in ${P} and get 0.`,
    };
  },
};

/** Why an entry of A takes the gradient of its window, or why not. */
function whyItWon(step, v, at) {
  const window = windowAround(step, at);
  const { label } = factorOf(step.source, at);
  if (window === null) return `${label} lies in the rest that fills no window: nobody read it`;
  const winner = winnerOf(step, v, window);
  if (winner === at) return `${label} is the maximum of its window`;
  const other = factorOf(step.source, winner).label;
  return v[step.source.name][winner] === v[step.source.name][at]
    ? `${label} equals the maximum of its window, but ${other} comes first and takes all`
    : `${label} is not the maximum of its window, ${other} is`;
}
