// One tensor on the stage: its name, and the matrix of it that is chosen.

import { el } from "./dom.js";
import { NumberGrid } from "./grid.js";
import { HeatMap } from "./heat.js";
import { writerOf } from "./numbers.js";
import { largestOf } from "./tints.js";
import { matrixOf } from "./views.js";

export class Panel {
  constructor(tensor, page) {
    Object.assign(this, { tensor, page });
    this.name = el("span", { class: "name" });
    this.shape = tensor.size > 1 ? el("span", { class: "shape" }, tensor.shape.join("×")) : "";
    this.holder = el("div", { class: "holder" });
    this.element = el(
      "section",
      { class: `panel ${tensor.kind}`, "aria-label": tensor.name, "data-tensor": tensor.name },
      el("header", {}, this.name, " ", this.shape),
      this.holder,
    );
    this.see = this.see.bind(this);
    this.all = this.all.bind(this);
  }

  /** What is seen of an entry: {value, text, largest, change, marks}. */
  see(i) {
    const { state } = this.page;
    const value = state.shown[this.tensor.name][i];
    const marks = [...this.page.marks.get(this.tensor).entries()].filter(([, at]) => at[i]).map(([mark]) => mark);
    return { value, text: this.write(value), largest: this.largest, change: state.change(this.tensor, i), marks };
  }

  /** What a picture of the tensor is painted from. */
  all() {
    const { state, marks, stage } = this.page;
    const changed = (i) => state.change(this.tensor, i) !== 0;
    return { values: state.shown[this.tensor.name], largest: this.largest, won: marks.get(this.tensor).get("winner"), changed, colours: stage.colours };
  }

  update() {
    const values = this.page.state.shown[this.tensor.name];
    this.largest = largestOf(values);
    this.write = writerOf(values, this.page.decimals);
    const matrix = matrixOf(this.tensor, this.page.choice);
    const photo = this.page.photoOf(this.tensor);
    if (!this.grid || this.grid.matrix.offset !== matrix.offset || this.photo !== photo) {
      this.photo = photo;
      this.grid = new (matrix.isLarge || photo ? HeatMap : NumberGrid)(this.tensor, matrix, this.page.look, { see: this.see, all: this.all, photo });
      this.holder.replaceChildren(this.grid.element);
    }
    const index = matrix.leading.some((at, axis) => at || this.tensor.shape[axis] > 1) ? `[${matrix.leading.join(",")}]` : "";
    this.name.textContent = this.tensor.name + index;
    this.grid.update();
    const widest = this.grid.matrix.isLarge ? 0 : Math.max(...Array.from(values, (value) => this.write(value).length));
    this.holder.style.setProperty("--digits", widest);
  }

  light(lit) {
    this.grid.light(lit);
  }

  focus(i) {
    this.grid.focus(i);
  }
}
