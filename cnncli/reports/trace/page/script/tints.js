// Numbers as colours: blue for positive, orange for negative, the paper itself for zero.

const FAINTEST = 0.14; // the smallest number that is not zero, so that it is not taken for one

/** The largest finite |value|, which gets the full colour. */
export function largestOf(values) {
  return values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0) || 1;
}

/** How strong a number's colour is, 0 … 1. */
export function strengthOf(value, largest) {
  if (value === 0 || !Number.isFinite(value)) return 0;
  return FAINTEST + (1 - FAINTEST) * Math.min(Math.abs(value) / largest, 1);
}

export const signOf = (value) => (value > 0 ? "positive" : value < 0 ? "negative" : "zero");

/** The colours of the style sheet: [r, g, b] of the tints, CSS of the accent. */
export function palette(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim().split(/\s+/).map(Number);
  return { positive: read("--positive"), negative: read("--negative"), zero: read("--cell"), accent: style.getPropertyValue("--accent") };
}

/** A matrix as a picture, a pixel for each entry: in the colours of a photo, or in those of the numbers. */
export function paintMatrix(canvas, matrix, { values, largest, colours, photo }) {
  const image = new ImageData(matrix.columns, matrix.rows);
  matrix.visit((i, row, column) => {
    const at = 4 * (row * matrix.columns + column);
    if (photo) image.data.set(photo(i), at);
    else tint(image.data, at, values[i], largest, colours);
    image.data[at + 3] = 255;
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** The colour of a number, laid over the paper. */
function tint(data, at, value, largest, colours) {
  const strength = strengthOf(value, largest);
  const ink = colours[signOf(value)];
  for (let c = 0; c < 3; c++) data[at + c] = Math.round(colours.zero[c] + (ink[c] - colours.zero[c]) * strength);
}
