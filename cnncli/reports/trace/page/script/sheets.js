// What is printed: a worksheet, with boxes to fill in where numbers are computed, and its answer sheet.

import { equation, el } from "./dom.js";
import { writerOf } from "./numbers.js";
import { largestOf, paintMatrix } from "./tints.js";
import { matrixOf } from "./views.js";

const PAPER = [255, 255, 255]; // however dark the screen is

export class Sheets {
  constructor(page) {
    this.page = page;
    this.element = el("div", { class: "sheets", "aria-hidden": "true" });
    addEventListener("beforeprint", () => this.build());
    addEventListener("afterprint", () => this.element.replaceChildren());
  }

  build() {
    this.element.replaceChildren(this.sheet("Worksheet", false), this.sheet("Answers", true));
  }

  sheet(title, answers) {
    const { data, chain, state } = this.page;
    const heading = el("h1", {}, title);
    const subject = el("p", {}, `${data.image}; ${this.page.trueClass}${data.classes[state.v.y[0]]} (y = ${state.v.y[0]})`);
    const tensors = [...chain.tensors.values()].filter((tensor) => tensor.role !== "label");
    return el("article", {}, heading, subject, el("div", { class: "flow" }, ...tensors.map((tensor) => this.tensor(tensor, answers))));
  }

  tensor(tensor, answers) {
    const matrix = matrixOf(tensor, this.page.choice);
    const given = tensor.kind === "input" || tensor.kind === "parameter";
    const leading = matrix.leading.some((_, axis) => tensor.shape[axis] > 1) ? el("span", {}, ` [${matrix.leading.join(",")}]`) : "";
    const content = matrix.isLarge ? this.picture(tensor, matrix, given || answers) : this.table(tensor, matrix, given || answers);
    return el("figure", {}, el("figcaption", {}, equation(tensor), leading), content);
  }

  table(tensor, matrix, filled) {
    const values = this.page.state.shown[tensor.name];
    const write = writerOf(values, this.page.precision);
    const line = (row) =>
      Array.from({ length: matrix.columns }, (_, column) => {
        const i = matrix.indexAt(row, column);
        return el("td", {}, filled && i !== null ? write(values[i]) : "");
      });
    return el("table", {}, ...Array.from({ length: matrix.rows }, (_, row) => el("tr", {}, ...line(row))));
  }

  picture(tensor, matrix, filled) {
    const values = this.page.state.shown[tensor.name];
    const canvas = el("canvas", { width: matrix.columns, height: matrix.rows });
    const colours = { ...this.page.stage.colours, zero: PAPER };
    if (filled) paintMatrix(canvas, matrix, { values, largest: largestOf(values), colours, photo: this.page.photoOf(tensor) });
    return canvas;
  }
}
