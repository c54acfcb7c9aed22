// Changing a number, and what the changes so far have done.

import { el } from "./dom.js";
import { writeChange, writeNumber } from "./numbers.js";
import { canChange } from "./state.js";
import { factorOf, labelOf } from "./tensors.js";

const MOST_NOTES = 6;

export class ChangeBox {
  constructor(page) {
    this.page = page;
    this.input = el("input", { type: "number", step: "any", onchange: () => this.set(this.input.valueAsNumber) });
    this.slider = el("input", { type: "range", oninput: () => this.set(this.slider.valueAsNumber), "aria-label": "slide the number" });
    this.title = el("label", {});
    this.title.append(this.input);
    this.editor = el("form", { class: "editor", onsubmit: (event) => this.enter(event), onkeydown: (event) => this.leave(event) }, this.title, this.slider);
    this.notes = el("ul", { class: "notes", "aria-label": "what changed its mind" });
    this.element = el("div", { class: "changes" }, this.editor, this.notes);
  }

  set(value) {
    if (!Number.isFinite(value) || !this.entry) return;
    const { tensor, i } = this.entry;
    if (value !== this.page.state.shown[tensor.name][i]) this.page.state.do({ set: tensor, i, to: value });
  }

  /** Enter: the number holds, and the keyboard is in its cell again. */
  enter(event) {
    event.preventDefault();
    this.set(this.input.valueAsNumber);
    this.page.stage.focus(this.entry);
  }

  /** Escape: the number stays what it was. */
  leave(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    const { tensor, i } = this.entry;
    this.input.value = this.page.state.shown[tensor.name][i];
    this.page.stage.focus(this.entry);
  }

  /** An empty box, for another number. */
  clear() {
    this.input.value = "";
    this.input.focus();
  }

  update(entry) {
    const { state, chain } = this.page;
    const can = entry && canChange(entry.tensor) && !chain.unknown.length;
    this.editor.hidden = !can;
    if (can) {
      const value = state.shown[entry.tensor.name][entry.i];
      if (this.title.firstChild === this.input) this.title.prepend("");
      this.title.firstChild.textContent = `Change ${labelOf(entry.tensor, entry.i)} `;
      if (this.entry?.tensor !== entry.tensor || this.entry.i !== entry.i) this.range(entry);
      if (document.activeElement !== this.input || this.entry !== entry) this.input.value = value;
      this.slider.value = value;
      this.entry = entry;
    }
    this.notes.replaceChildren(...this.findNotes());
  }

  /** The slider reaches as far as the tensor's own numbers do, and twice as far as this one. */
  range({ tensor, i }) {
    const base = this.page.state.base[tensor.name];
    const most = base.reduce((largest, value) => Math.max(largest, Math.abs(value)), 2 * Math.abs(base[i])) || 1;
    Object.assign(this.slider, { min: -most, max: most, step: most / 100 });
  }

  /** Ties and kinks that appeared. */
  findNotes() {
    const { state, chain } = this.page;
    if (!state.deeds.length) return [];
    const found = chain.steps.flatMap((step) => [...(step.does.choices?.(step, state.base, state.v) ?? [])]);
    const notes = found.slice(0, MOST_NOTES).map(({ entry, text }) => {
      const go = () => this.page.look.go({ tensor: entry.tensor, i: entry.i });
      return el("li", {}, el("button", { type: "button", class: "entry", onclick: go }, factorOf(entry.tensor, entry.i).label), ` ${text}`);
    });
    if (found.length > MOST_NOTES) notes.push(el("li", {}, `and ${found.length - MOST_NOTES} more gates and winners changed`));
    return notes;
  }
}

/** L before and after, with undo, redo and reset. */
export class History {
  constructor(page) {
    this.page = page;
    this.loss = el("output", { class: "loss", "aria-live": "polite" });
    const button = (text, keys, does) => el("button", { type: "button", title: keys, onclick: does }, text);
    this.undo = button("undo", "u", () => page.state.undo());
    this.redo = button("redo", "r", () => page.state.redo());
    this.reset = button("reset", "everything as it was", () => page.state.reset());
    this.element = el("div", { class: "history", role: "group", "aria-label": "changes" }, this.loss, this.undo, this.redo, this.reset);
  }

  update() {
    const { state, chain, precision } = this.page;
    const [before, now] = [state.base, state.v].map((values) => values[chain.output.loss.name][0]);
    const write = (value) => writeNumber(value, precision);
    this.loss.textContent = state.deeds.length && now !== before ? `L ${write(before)} → ${write(now)} (Δ ${writeChange(now - before, precision)})` : `L ${write(state.shown[chain.output.loss.name][0])}`;
    this.undo.disabled = !state.deeds.length;
    this.redo.disabled = !state.undone.length;
    this.reset.disabled = !state.deeds.length;
  }
}
