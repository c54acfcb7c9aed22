// A matrix as cells with numbers: a table that is walked with the arrow keys.

import { el } from "./dom.js";
import { signOf, strengthOf } from "./tints.js";
import { sayEntry } from "./views.js";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Where a key leads from an entry of a matrix: to another one, or null. */
export function walk(event, matrix, from) {
  const to = moveBy(event, ...matrix.rowColumn(from), matrix);
  const i = to && matrix.indexAt(...to);
  if (i !== null) event.preventDefault();
  return i;
}

function moveBy(event, row, column, { rows, columns }) {
  const within = (at, length) => Math.min(Math.max(at, 0), length - 1);
  if (event.altKey || event.metaKey) return null;
  if (event.key === "Home") return [event.ctrlKey ? 0 : row, 0];
  if (event.key === "End") return [event.ctrlKey ? rows - 1 : row, columns - 1];
  const move = MOVES[event.key];
  if (!move) return null;
  const far = event.ctrlKey ? Math.max(rows, columns) : 1;
  return [within(row + far * move[0], rows), within(column + far * move[1], columns)];
}

/** A cell of the matrix; `dress` keeps its number, colour and marks up to date. */
export function makeCell(tensor, i, row, column, look) {
  const cell = el("td", {
    role: "gridcell",
    tabindex: "-1",
    "aria-rowindex": row + 1,
    "aria-colindex": column + 1,
    onpointerenter: () => look.point({ tensor, i }),
    onclick: () => look.go({ tensor, i }),
    onfocus: () => look.focus({ tensor, i }),
  });
  cell.entry = { tensor, i };
  return cell;
}

/** Number, tint and label of a cell. `seen` brings {value, text, largest, change, marks}. */
export function dress(cell, seen) {
  const { tensor, i } = cell.entry;
  const strength = strengthOf(seen.value, seen.largest).toFixed(3);
  const dressed = [seen.text, strength, seen.marks, Boolean(seen.change)].join();
  if (cell.dressed === dressed) return;
  cell.dressed = dressed;
  if (cell.textContent !== seen.text) cell.textContent = seen.text;
  cell.className = ["cell", signOf(seen.value), ...seen.marks, seen.change ? "changed" : ""].join(" ").trim();
  cell.style.setProperty("--strength", strength);
  const said = seen.marks.map((mark) => `, ${{ winner: "winner", shut: "gate shut" }[mark]}`).join("");
  cell.setAttribute("aria-label", `${sayEntry(tensor, i)}: ${seen.text}${said}${seen.change ? ", changed" : ""}`);
}

export class NumberGrid {
  constructor(tensor, matrix, look, { see }) {
    Object.assign(this, { tensor, matrix, look, see, cells: new Map(), active: null });
    this.element = el("table", {
      role: "grid",
      class: "numbers",
      "aria-label": tensor.name,
      onkeydown: (event) => this.press(event),
    });
    for (let row = 0; row < matrix.rows; row++) {
      const line = el("tr", { role: "row" });
      for (let column = 0; column < matrix.columns; column++) {
        const i = matrix.indexAt(row, column);
        if (i === null) continue;
        const cell = makeCell(tensor, i, row, column, look);
        this.cells.set(i, cell);
        line.append(cell);
      }
      this.element.append(line);
    }
    this.activate(matrix.offset);
  }

  /** The one cell that Tab reaches. */
  activate(i) {
    this.cells.get(this.active)?.setAttribute("tabindex", "-1");
    this.active = i;
    this.cells.get(i).setAttribute("tabindex", "0");
  }

  focus(i) {
    this.activate(i);
    this.cells.get(i).focus();
  }

  press(event) {
    const i = walk(event, this.matrix, this.active);
    if (i !== null) this.focus(i);
  }

  update() {
    for (const [i, cell] of this.cells) dress(cell, this.see(i));
  }

  /** Mark the entries that are looked at: a map from index to "here", "term" or "nothing". */
  light(lit) {
    for (const [i, cell] of this.cells) {
      const how = lit?.get(i);
      if (how) cell.dataset.lit = how;
      else delete cell.dataset.lit;
    }
    const here = lit && [...lit].find(([i, how]) => how === "here" && this.cells.has(i));
    if (here) this.activate(here[0]);
  }
}
