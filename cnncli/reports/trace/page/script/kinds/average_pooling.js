// P = the mean of each window; on the way back every place gets an equal share.

import { factorOf, madeOf, placeOf, termOf, ZERO } from "../tensors.js";
import { windowAround, windowOf } from "./pooling.js";

const fromFirst = (first, letter) => (first ? `${first}+${letter}` : letter);
const shareOf = (step) => (step.options.divisor > 1 ? `{}/${step.options.divisor}` : "{}");

export const averagePooling = {
  options: ["s", "divisor"],
  adds: true,

  forward(step, v) {
    const A = v[step.source.name];
    const { divisor } = step.options;
    return v[step.output.name].map((_, window) => windowOf(step, window).reduce((sum, at) => sum + A[at], 0) / divisor);
  },

  backward(step, v, dP) {
    return [
      v[step.source.name].map((_, at) => {
        const window = windowAround(step, at);
        return window === null ? 0 : dP[window] / step.options.divisor;
      }),
    ];
  },

  explain(step, v, window) {
    const { s, divisor } = step.options;
    const [n, i, j] = placeOf(step.output.shape, window);
    const A = step.source;
    const terms = windowOf(step, window).map((at) => termOf(shareOf(step), [factorOf(A, at)], v[A.name][at] / divisor));
    const formula = `(1/${divisor}) Σ_a Σ_b ${A.name}[${n},${fromFirst(s * i, "a")},${fromFirst(s * j, "b")}]`;
    return madeOf(formula, terms, "the window's mean");
  },

  *readers(step, v, tensor, at) {
    const window = windowAround(step, at);
    const { divisor } = step.options;
    if (window !== null) {
      yield { i: window, derivative: 1 / divisor, reason: `1/${divisor}: the window's mean`, template: shareOf(step) };
    }
  },

  explainGradient(step, v, tensor, at, terms) {
    const { label } = factorOf(tensor, at);
    if (!terms.length) return madeOf("", [ZERO], `${label} lies in the rest that fills no window: nobody read it`);
    return madeOf("", terms, `${label} is one of the ${step.options.divisor} of its window`);
  },

  blocked: (step, v, tensor, at) => `${factorOf(tensor, at).label} lies in the rest that fills no window: nobody read it`,

  say(step) {
    const { s, divisor } = step.options;
    const [A, P, dP] = [step.source.name, step.output.name, step.output.gradient.name];
    return {
      output: `Every ${s}×${s} window of ${A} becomes its mean in ${P}.`,
      source: `Every place of a window had a share of 1/${divisor} in its mean, and gets that share of ${dP}.`,
    };
  },
};
