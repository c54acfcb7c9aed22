// The arrays of the chain. The values of all of them are `v`: flat Float64Arrays, row by row, by the tensor's name.

import { multiply } from "./arithmetic.js";

export const sizeOf = (shape) => shape.reduce((product, length) => product * length, 1);

/** The place of a flat index: 5 in (2, 3) → [1, 2]. */
export function placeOf(shape, i) {
  const place = new Array(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    place[axis] = i % shape[axis];
    i = Math.floor(i / shape[axis]);
  }
  return place;
}

/** The opposite: [1, 2] in (2, 3) → 5. */
export const indexOf = (shape, place) => place.reduce((i, each, axis) => i * shape[axis] + each, 0);

/** An entry as the note writes it: dL/dw1[0,0,1,2], and z2 alone where the tensor has one number. */
export function labelOf(tensor, i) {
  return sizeOf(tensor.shape) === 1 ? tensor.name : `${tensor.name}[${placeOf(tensor.shape, i).join(",")}]`;
}

/** A recorded entry in a formula. There are thousands in a sum; few are written. */
class Factor {
  constructor(tensor, i) {
    this.tensor = tensor;
    this.i = i;
  }

  get label() {
    return labelOf(this.tensor, this.i);
  }
}

export const factorOf = (tensor, i) => new Factor(tensor, i);

/** A formula with one {} for each factor, its value, and what takes the formula at its word, if it is arithmetic. */
export const termOf = (template, factors, value, compute) => ({ template, factors, value, compute });

/** The product of some entries, or a single one. */
export function productOf(v, ...factors) {
  const value = multiply(...factors.map(({ tensor, i }) => v[tensor.name][i]));
  return termOf(factors.map(() => "{}").join("·"), factors, value, multiply);
}

export const ZERO = termOf("0", [], 0);

/** How an entry was made: a formula in symbols where the terms alone do not tell it, the terms, and a reason. */
export const madeOf = (formula, terms, reason = "") => ({ formula, terms, reason });

/** An index that runs with a letter: "u", "u+1", "2·u−1". */
export function running(times, letter, plus) {
  const product = times > 1 ? `${times}·${letter}` : letter;
  return plus ? `${product}${plus > 0 ? "+" : "−"}${Math.abs(plus)}` : product;
}
