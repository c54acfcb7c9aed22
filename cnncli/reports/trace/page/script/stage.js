// The chain as a row of stations: a value above, its derivative below; between two values the step with its parameters.

import { el, svg } from "./dom.js";
import { Panel } from "./panel.js";
import { palette } from "./tints.js";

const arrow = (direction) => {
  const forward = direction === "forward";
  const path = forward ? "M1 6H25M19 1L25 6L19 11" : "M27 6H3M9 1L3 6L9 11";
  return svg("svg", { viewBox: "0 0 28 12", class: `arrow ${direction}`, "aria-hidden": "true" }, svg("path", { d: path }));
};

export class Stage {
  constructor(page) {
    this.page = page;
    this.panels = new Map();
    this.element = el("div", { class: "stage", onpointerleave: () => page.look.rest() }, ...this.stations(), el("div", { class: "station filler" }, el("div", { class: "above" }), el("div", { class: "below" })));
  }

  *stations() {
    const { chain } = this.page;
    const first = this.value(chain.steps[0].source);
    for (const [at, half] of [...first.children].entries()) half.prepend(el("p", { class: "pass" }, ["forwards", "backwards"][at]));
    yield first;
    for (const step of chain.steps) {
      yield this.step(step.description, step.parameters, [...step.parameters.map((tensor) => tensor.gradient), step.local]);
      yield this.value(step.output);
    }
    const { output } = chain;
    yield this.step(output.description, [], [output.local]);
    yield this.value(output.output);
    yield this.step("cross-entropy", [output.label], []);
    yield this.value(output.loss);
  }

  value(tensor) {
    const below = tensor.gradient ? this.panel(tensor.gradient) : el("p", { class: "start" }, "the way back starts here");
    return el("div", { class: "station value" }, el("div", { class: "above" }, this.panel(tensor)), el("div", { class: "below" }, below));
  }

  step(description, above, below) {
    return el(
      "div",
      { class: "station step" },
      el("div", { class: "above" }, el("p", { class: "kind" }, description, arrow("forward")), this.group(above)),
      el("div", { class: "below" }, el("p", { class: "kind" }, arrow("backward")), this.group(below.filter(Boolean))),
    );
  }

  /** Those of the parameters one below the other, the local derivative beside them. */
  group(tensors) {
    const beside = tensors.length > 2 ? tensors.slice(2) : [];
    const below = tensors.slice(0, tensors.length - beside.length);
    const column = el("div", { class: "column" }, ...below.map((tensor) => this.panel(tensor)));
    return el("div", { class: "group" }, column, ...beside.map((tensor) => this.panel(tensor)));
  }

  panel(tensor) {
    const panel = new Panel(tensor, this.page);
    this.panels.set(tensor, panel);
    return panel.element;
  }

  update() {
    this.colours = palette(this.page.root);
    for (const panel of this.panels.values()) panel.update();
  }

  /** Light up entries: a map from tensor to a map from index to how. */
  light(lit) {
    for (const [tensor, panel] of this.panels) panel.light(lit.get(tensor) ?? null);
  }

  /** The order of the tour: what comes later is veiled, `now` stands out; null shows all. */
  veil(order, now) {
    for (const [tensor, panel] of this.panels) {
      const at = order.indexOf(tensor);
      panel.element.classList.toggle("veiled", now !== null && at > now);
      panel.element.classList.toggle("now", now !== null && at === now);
    }
  }

  focus({ tensor, i }) {
    this.panels.get(tensor).focus(i);
  }
}
