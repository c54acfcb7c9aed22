// Which matrix of a tensor is seen: its filter and channel, and how its rows and columns lie on the screen.

import { placeOf, sizeOf } from "./tensors.js";

const MOST_COLUMNS = 12; // of numbers in cells; more become a heat map
const MOST_ROWS = 16;
const LEADING = "NC"; // axes of which one index is seen at a time

/** The chosen filter of each block, 0 for the channels of the image; w2's inputs are block 1's filters. */
export class Choice {
  constructor() {
    this.chosen = new Map();
    this.listeners = [];
  }

  at(group) {
    return this.chosen.get(group) ?? 0;
  }

  choose(group, index) {
    if (this.at(group) === index) return;
    this.chosen.set(group, index);
    for (const listener of this.listeners) listener();
  }

  /** Turn to the matrix in which an entry stands. */
  show(tensor, i) {
    const place = placeOf(tensor.shape, i);
    for (const [axis, group] of leadingGroups(tensor).entries()) this.choose(group, place[axis]);
  }
}

/** The group of each leading axis: a filter's is its block, a channel's the block before. */
export function leadingGroups(tensor) {
  const groups = [];
  for (const letter of tensor.axes) {
    if (LEADING.includes(letter)) groups.push(letter === "C" ? Math.max(tensor.block - 1, 0) : tensor.block);
    else if (letter === "K" && isWide(tensor)) groups.push("outputs");
    else break;
  }
  return groups;
}

const isWide = (tensor) => tensor.axes === "KD" && (tensor.shape[1] > MOST_ROWS || tensor.shape[0] > MOST_COLUMNS);

/** How the rest of a tensor lies: {rows, columns, indexAt(row, column), rowColumn(i), visit(each), isLarge, offset}. */
export function matrixOf(tensor, choice) {
  const groups = leadingGroups(tensor);
  const rest = tensor.shape.slice(groups.length);
  const area = sizeOf(rest);
  const offset = groups.reduce((at, group, axis) => at * tensor.shape[axis] + Math.min(choice.at(group), tensor.shape[axis] - 1), 0) * area;
  const matrix = { ...layOut(tensor, rest, area), offset, area, leading: placeOf(tensor.shape, offset).slice(0, groups.length) };
  matrix.isLarge = matrix.columns > MOST_COLUMNS || matrix.rows > MOST_ROWS;
  matrix.indexAt = (row, column) => (row * matrix.columns + column < area ? offset + matrix.flat(row, column) : null);
  matrix.visit = (each) => visit(matrix, each);
  matrix.holds = (i) => i >= offset && i < offset + area;
  matrix.rowColumn = (i) => matrix.back(i - offset);
  return matrix;
}

/** Call a function with every entry, its row and its column. */
function visit(matrix, each) {
  for (let row = 0; row < matrix.rows; row++) {
    for (let column = 0; column < matrix.columns; column++) {
      const i = matrix.indexAt(row, column);
      if (i !== null) each(i, row, column);
    }
  }
}

function layOut(tensor, rest, area) {
  if (rest.length === 2 && tensor.axes === "KD") {
    const [K, D] = rest; // one column for each output, beside F
    return { rows: D, columns: K, flat: (row, column) => column * D + row, back: (i) => [i % D, Math.floor(i / D)] };
  }
  const columns = rest.length === 2 ? rest[1] : area > MOST_ROWS ? Math.ceil(Math.sqrt(area)) : 1;
  const back = (i) => [Math.floor(i / columns), i % columns];
  return { rows: Math.ceil(area / columns), columns, flat: (row, column) => row * columns + column, back };
}

const AXES = { N: "filter", C: "channel", k: "row", h: "row", p: "row", H: "row", D: "place", K: "output" };
const SECOND = { k: "column", w: "column", q: "column", W: "column", K: "logit" };

/** An entry in words, for a screen reader: "dL/dw1, row 1, column 2". */
export function sayEntry(tensor, i) {
  const place = placeOf(tensor.shape, i);
  const words = [];
  for (const [axis, letter] of [...tensor.axes].entries()) {
    if (tensor.shape[axis] === 1 && (LEADING.includes(letter) || tensor.size === 1)) continue;
    const again = tensor.axes.indexOf(letter) < axis || "wqW".includes(letter);
    words.push(`${again ? SECOND[letter] : AXES[letter]} ${place[axis]}`);
  }
  return [tensor.name, ...words].join(", ");
}
