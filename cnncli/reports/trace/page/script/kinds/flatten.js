// F = P in one row: filter, row, column. No number changes.

import { factorOf, madeOf, productOf } from "../tensors.js";

export const flatten = {
  options: [],
  forward: (step, v) => v[step.source.name].slice(),
  backward: (step, v, dF) => [dF.slice()],
  explain: (step, v, i) => madeOf("", [productOf(v, factorOf(step.source, i))], "flatten only moves it"),
  *readers(step, v, tensor, i) {
    yield { i, derivative: 1, reason: "flatten only moves it" };
  },
  explainGradient: (step, v, tensor, i, terms) => madeOf("", terms, "flatten only moved it"),
  say: (step) => ({
    output: `${step.source.name} is laid out in one row: filter, row, column. No number changes.`,
    source: `The derivatives go back to the places from which the numbers came.`,
  }),
};
