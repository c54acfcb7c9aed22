// The arrays of the chain. The values of all of them are `v`: flat Float64Arrays, row by row, by the tensor's name.

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

/** A recorded entry in a formula. */
export const factorOf = (tensor, i) => ({ tensor, i, label: labelOf(tensor, i) });

/** A formula with one {} for each factor, and its value. */
export const termOf = (template, factors, value) => ({ template, factors, value });

/** The product of some entries, or a single one. */
export function productOf(v, ...factors) {
  const value = factors.reduce((product, { tensor, i }) => product * v[tensor.name][i], 1);
  return termOf(factors.map(() => "{}").join("·"), factors, value);
}

export const ZERO = termOf("0", [], 0);

/** How an entry was made: a formula in symbols where the terms alone do not tell it, the terms, and a reason. */
export const madeOf = (formula, terms, reason = "") => ({ formula, terms, reason });

/** The letter of an index, moved: "u", "u+1", "u−1". */
export const shifted = (letter, by) => (by ? `${letter}${by > 0 ? "+" : "−"}${Math.abs(by)}` : letter);
