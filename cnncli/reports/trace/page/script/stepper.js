// The tour: one value or derivative at a time, in the order in which they are computed, each said in a sentence.

import { equation, el } from "./dom.js";
import { sayHow } from "./explain.js";

export class Stepper {
  constructor(page) {
    this.page = page;
    this.order = [...page.chain.tensors.values()].filter((tensor) => page.stage.panels.has(tensor));
    this.first = this.order.findIndex((tensor) => tensor.kind === "forward");
    this.now = null;
    const button = (text, label, does) => el("button", { type: "button", "aria-label": label, title: label, onclick: does }, text);
    this.back = button("◀", "one step back (key ,)", () => this.move(-1));
    this.next = button("▶", "one step on (key .)", () => this.move(1));
    this.leave = button("show all", "show all", () => this.show(null));
    this.sentence = el("p", { class: "sentence", "aria-live": "polite" });
    this.element = el("div", { class: "stepper", role: "group", "aria-label": "step through the chain" }, this.back, this.next, this.leave, this.sentence);
    this.leave.hidden = true;
    this.invite();
  }

  /** The tensor of this step. */
  get tensor() {
    return this.order[this.now];
  }

  /** Whether a tensor is still to come. */
  veils(tensor) {
    return this.now !== null && this.order.indexOf(tensor) > this.now;
  }

  /** To the step of a name, if there is one. */
  go(name) {
    const at = this.order.findIndex((tensor) => tensor.name === name);
    if (at >= this.first) this.show(at);
  }

  move(by) {
    if (this.now === null) this.show(by > 0 ? this.first : this.order.length - 1);
    else if (this.now + by >= this.order.length) this.show(null);
    else this.show(Math.max(this.now + by, this.first));
  }

  show(now) {
    this.now = now;
    this.page.stage.veil(this.order, now);
    this.back.disabled = now !== null && now <= this.first;
    this.leave.hidden = now === null;
    if (now === null) this.invite();
    else this.tell(now);
    this.page.inspector.update();
    this.page.writeFragment();
  }

  invite() {
    this.sentence.replaceChildren("Point at a number to see where it comes from; click to go there. Step through the chain with ▶.");
  }

  /** The sentence of a step, and the largest of its numbers in sight. */
  tell(now) {
    const { tensor } = this;
    const place = `${now - this.first + 1} of ${this.order.length - this.first}`;
    this.sentence.replaceChildren(el("span", { class: "place" }, place), equation(tensor), " ", sayHow(this.page.chain, tensor, this.page.data.classes));
    const values = this.page.state.shown[tensor.name];
    const strongest = values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best]) ? i : best), 0);
    this.page.choice.show(tensor, strongest);
    this.page.look.focus({ tensor, i: strongest });
    this.page.reveal({ tensor });
  }
}
