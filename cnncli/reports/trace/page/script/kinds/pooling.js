// What all pooling has in common: windows of s×s, t apart, and a rest that fills none of them.

import { indexOf, placeOf } from "../tensors.js";

/** Side and distance of the windows; they overlap where t < s. */
export function windowSizes(step) {
  const { s, t = s } = step.options;
  return { s, t };
}

const known = new WeakMap(); // the windows of each step, which never change

/** The entries of A in every window of P, row by row: s² flat indices for each. */
export function windowsOf(step) {
  if (!known.has(step)) {
    const { s, t } = windowSizes(step);
    const windows = Array.from({ length: step.output.size }, (_, window) => {
      const [n, i, j] = placeOf(step.output.shape, window);
      return Array.from({ length: s * s }, (_, at) => indexOf(step.source.shape, [n, t * i + Math.floor(at / s), t * j + (at % s)]));
    });
    known.set(step, windows);
  }
  return known.get(step);
}

/** The windows that hold an entry of A; none in the rest that fills none. */
export function* windowsAround(step, at) {
  const [n, row, column] = placeOf(step.source.shape, at);
  const [, p, q] = step.output.shape;
  const { s, t } = windowSizes(step);
  const along = (place, windows) => [Math.max(Math.ceil((place - s + 1) / t), 0), Math.min(Math.floor(place / t) + 1, windows)];
  const [top, bottom] = along(row, p);
  const [left, right] = along(column, q);
  for (let i = top; i < bottom; i++) for (let j = left; j < right; j++) yield indexOf(step.output.shape, [n, i, j]);
}

/** How many windows may hold one entry. */
export function mostAround(step) {
  const { s, t } = windowSizes(step);
  return Math.ceil(s / t) ** 2;
}

/** Where an entry of A is that no window holds. */
export function outside(step) {
  const { s, t } = windowSizes(step);
  return t > s ? "none of the windows" : "the rest that fills no window";
}
