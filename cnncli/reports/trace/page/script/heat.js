// A large matrix as a heat map; under it the cell that is pointed at and its neighbours, opened into numbers.

import { el, svg } from "./dom.js";
import { dress, makeCell, moveBy } from "./grid.js";
import { palette, pixelOf } from "./tints.js";

const SIDE = 196; // of the picture, in CSS pixels
const REACH = 1; // neighbours on each side of the open cell

export class HeatMap {
  constructor(tensor, matrix, look, see, photo = null) {
    Object.assign(this, { tensor, matrix, look, see, photo, centre: matrix.offset, lit: null });
    const { rows, columns } = matrix;
    const scale = Math.max(1, Math.floor(SIDE / Math.max(rows, columns)));
    this.canvas = el("canvas", { width: columns, height: rows, "aria-hidden": "true" });
    this.marks = svg("svg", { viewBox: `0 0 ${columns} ${rows}`, "aria-hidden": "true", class: "marks" });
    const picture = el("div", { class: "picture", style: `width:${columns * scale}px;height:${rows * scale}px` }, this.canvas, this.marks);
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
    const lines = [];
    for (let r = top; r < Math.min(top + 2 * REACH + 1, rows); r++) {
      const line = el("tr", { role: "row" });
      for (let c = left; c < Math.min(left + 2 * REACH + 1, columns); c++) {
        const at = this.matrix.indexAt(r, c);
        if (at === null) continue;
        const cell = makeCell(this.tensor, at, r, c, this.look);
        dress(cell, this.see(at));
        if (this.lit?.get(at)) cell.dataset.lit = this.lit.get(at);
        cell.setAttribute("tabindex", at === i ? "0" : "-1");
        line.append(cell);
      }
      lines.push(line);
    }
    this.loupe.replaceChildren(...lines);
    this.frame.setAttribute("transform", `translate(${left} ${top})`);
    return true;
  }

  focus(i) {
    this.open(i);
    this.loupe.querySelector("[tabindex='0']").focus();
  }

  press(event) {
    const at = event.target.entry?.i ?? this.centre;
    const [row, column] = this.matrix.rowColumn(at);
    const to = moveBy(event, row, column, this.matrix.rows, this.matrix.columns);
    const i = to && this.matrix.indexAt(...to);
    if (i === null || i === undefined) return;
    event.preventDefault();
    this.focus(i);
  }

  update() {
    const { rows, columns } = this.matrix;
    const colours = palette(this.canvas);
    const image = new ImageData(columns, rows);
    const winners = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const i = this.matrix.indexAt(row, column);
        const at = 4 * (row * columns + column);
        if (i === null) continue;
        const { value, largest, marks } = this.see(i, false);
        const pixel = this.photo ? this.photo(i) : pixelOf(value, largest, colours);
        image.data.set([...pixel, 255], at);
        if (marks.includes("winner") && !this.photo) winners.push(`M${column + 0.35} ${row + 0.35}h.3v.3h-.3z`);
      }
    }
    this.canvas.getContext("2d").putImageData(image, 0, 0);
    const side = 2 * REACH + 1;
    this.frame = svg("rect", { width: Math.min(side, columns), height: Math.min(side, rows), class: "frame" });
    this.spots = svg("g");
    this.marks.replaceChildren(svg("path", { d: winners.join(""), class: "winners" }), this.frame, this.spots);
    this.open(this.matrix.holds(this.centre) ? this.centre : this.matrix.offset);
    this.light(this.lit);
  }

  light(lit) {
    this.lit = lit;
    const shown = lit ? [...lit].filter(([i]) => this.matrix.holds(i)) : [];
    this.spots.replaceChildren(
      ...shown.map(([i, how]) => {
        const [y, x] = this.matrix.rowColumn(i);
        return svg("rect", { x, y, width: 1, height: 1, class: `spot ${how}` });
      }),
    );
    const focused = this.loupe.contains(document.activeElement);
    const here = shown.find(([, how]) => how === "here") ?? shown.find(([, how]) => how === "term");
    if (here && !focused) this.open(here[0]);
    else for (const cell of this.loupe.querySelectorAll("td")) cell.dataset.lit = lit?.get(cell.entry.i) ?? "";
  }
}
