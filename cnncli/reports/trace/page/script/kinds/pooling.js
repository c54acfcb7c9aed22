// What all pooling has in common: windows of s×s with stride s, and a rest that fills none of them.

import { indexOf, placeOf } from "../tensors.js";

/** The entries of A in a window of P, row by row, as flat indices. */
export function windowOf(step, window) {
  const [n, i, j] = placeOf(step.output.shape, window);
  const { s } = step.options;
  return Array.from({ length: s * s }, (_, at) =>
    indexOf(step.source.shape, [n, s * i + Math.floor(at / s), s * j + (at % s)]),
  );
}

/** The window that holds an entry of A; null in the rest that fills none. */
export function windowAround(step, at) {
  const [n, r, c] = placeOf(step.source.shape, at);
  const [, p, q] = step.output.shape;
  const { s } = step.options;
  return r < p * s && c < q * s ? indexOf(step.output.shape, [n, Math.floor(r / s), Math.floor(c / s)]) : null;
}
