// A large matrix as a heat map; under it the cell that is pointed at and its neighbours, opened into numbers.

import { el, svg } from "./dom.js";
import { dress, makeCell, walk } from "./grid.js";
import { paintMatrix } from "./tints.js";

const SIDE = 196; // of the picture, in CSS pixels
const CORNER = 3; // a changed cell has a corner of one third of its side
const REACH = 1; // neighbours on each side of the open cell

export class HeatMap {
  constructor(tensor, matrix, look, { see, all, photo }) {
    Object.assign(this, { tensor, matrix, look, see, all, photo, centre: matrix.offset, lit: null });
    const { rows, columns } = matrix;
    const scale = Math.max(1, Math.floor(SIDE / Math.max(rows, columns)));
    this.canvas = el("canvas", { width: columns, height: rows, "aria-hidden": "true" });
    this.corners = el("canvas", { width: CORNER * columns, height: CORNER * rows, "aria-hidden": "true" });
    this.winners = svg("path", { class: "winners" });
    this.frame = svg("rect", { width: Math.min(2 * REACH + 1, columns), height: Math.min(2 * REACH + 1, rows), class: "frame" });
    this.spots = svg("g");
    const marks = svg("svg", { viewBox: `0 0 ${columns} ${rows}`, "aria-hidden": "true", class: "marks" }, this.winners, this.frame, this.spots);
    const picture = el("div", { class: "picture", style: `width:${columns * scale}px;height:${rows * scale}px` }, this.canvas, this.corners, marks);
    picture.onpointermove = (event) => this.withEntry(event, (i) => this.open(i) && look.point({ tensor, i }));
    picture.onclick = (event) => this.withEntry(event, (i) => look.go({ tensor, i }));
    this.loupe = el("table", {
      role: "grid",
      class: "numbers loupe",
      "aria-label": tensor.name,
      "aria-rowcount": rows,
      "aria-colcount": columns,
      onkeydown: (event) => this.press(event),
    });
    this.element = el("div", { class: "heat" }, picture, this.loupe);
  }

  withEntry(event, then) {
    const box = this.canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.matrix.rows);
    const column = Math.floor(((event.clientX - box.left) / box.width) * this.matrix.columns);
    if (row < 0 || column < 0 || row >= this.matrix.rows || column >= this.matrix.columns) return;
    const i = this.matrix.indexAt(row, column);
    if (i !== null) then(i);
  }

  /** Open a cell and its neighbours into numbers. */
  open(i) {
    this.centre = i;
    const { rows, columns } = this.matrix;
    const start = (at, length) => Math.max(0, Math.min(at - REACH, length - 2 * REACH - 1));
    const [row, column] = this.matrix.rowColumn(i);
    const [top, left] = [start(row, rows), start(column, columns)];
    if (this.corner !== `${top} ${left}`) this.lay(top, left);
    for (const cell of this.cells) {
      dress(cell, this.see(cell.entry.i));
      cell.dataset.lit = this.lit?.get(cell.entry.i) ?? "";
      cell.setAttribute("tabindex", cell.entry.i === i ? "0" : "-1");
    }
    return true;
  }

  /** Other cells: those of the square that begins at a row and a column. */
  lay(top, left) {
    const side = 2 * REACH + 1;
    const lines = Array.from({ length: Math.min(side, this.matrix.rows) }, (_, r) => {
      const line = el("tr", { role: "row" });
      for (let c = left; c < Math.min(left + side, this.matrix.columns); c++) {
        const i = this.matrix.indexAt(top + r, c);
        if (i !== null) line.append(makeCell(this.tensor, i, top + r, c, this.look));
      }
      return line;
    });
    this.corner = `${top} ${left}`;
    this.loupe.replaceChildren(...lines);
    this.cells = [...this.loupe.querySelectorAll("td")];
    this.frame.setAttribute("transform", `translate(${left} ${top})`);
  }

  focus(i) {
    this.open(i);
    this.loupe.querySelector("[tabindex='0']").focus();
  }

  press(event) {
    const i = walk(event, this.matrix, event.target.entry?.i ?? this.centre);
    if (i !== null) this.focus(i);
  }

  update() {
    const all = this.all();
    paintMatrix(this.canvas, this.matrix, { ...all, photo: this.photo });
    this.mark(all);
  }

  /** Winners, and corners of what changed. */
  mark({ won, changed, colours }) {
    const winners = [];
    const corners = this.corners.getContext("2d");
    corners.clearRect(0, 0, this.corners.width, this.corners.height);
    corners.fillStyle = colours.accent;
    this.matrix.visit((i, row, column) => {
      if (changed(i)) corners.fillRect(CORNER * (column + 1) - 1, CORNER * row, 1, 1);
      if (won?.[i] && this.tensor.kind === "forward") winners.push(`M${column + 0.35} ${row + 0.35}h.3v.3h-.3z`);
    });
    this.winners.setAttribute("d", winners.join(""));
  }

  light(lit) {
    this.lit = lit;
    const shown = lit ? [...lit].filter(([i]) => this.matrix.holds(i)) : [];
    this.spots.replaceChildren(
      ...shown.filter(([, how]) => how !== "nothing").map(([i, how]) => {
        const [y, x] = this.matrix.rowColumn(i);
        return svg("rect", { x, y, width: 1, height: 1, class: `spot ${how}` });
      }),
    );
    const focused = this.loupe.contains(document.activeElement);
    const here = shown.find(([, how]) => how === "here") ?? shown.find(([, how]) => how === "term");
    this.open(here && !focused ? here[0] : this.centre);
  }
}
