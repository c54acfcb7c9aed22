// The page of a trace: every value and derivative of one image, shown, explained and alive.

import { buildChain, readValues } from "./chain.js";
import { History } from "./change_box.js";
import { Descent } from "./descent.js";
import { el } from "./dom.js";
import { explain } from "./explain.js";
import { Inspector } from "./inspector.js";
import { listenToKeys } from "./keys.js";
import { legend } from "./legend.js";
import { Look } from "./look.js";
import { writeNumber } from "./numbers.js";
import { Sheets } from "./sheets.js";
import { Stage } from "./stage.js";
import { readDeeds, readEntry, State, writeDeeds } from "./state.js";
import { Stepper } from "./stepper.js";
import { Tabs } from "./tabs.js";
import { labelOf, placeOf } from "./tensors.js";
import { tellVerdict } from "./verdict.js";
import { Choice, leadingGroups } from "./views.js";

const CALM = 100; // ms between two changes of the address
const MOST_LIT = 40; // terms of a sum that are lit up as strongly as that
const strongestFirst = (terms) => [...terms].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));

class Page {
  constructor(data, root) {
    Object.assign(this, { data, root });
    this.precision = data.precision;
    this.decimals = Math.max(data.precision - 1, 0); // of the cells, which have less room
    this.chain = buildChain(data);
    this.state = new State(this.chain, readValues(data));
    this.choice = new Choice();
    this.look = new Look(this.choice);
    this.photo = data.normalisation !== null && data.normalisation.mean.length > 1;
    this.findMarks();
    this.build();
    this.readFragment();
    this.state.listeners.push(() => this.update());
    this.choice.listeners.push(() => this.turn());
    this.look.listeners.push(() => this.attend());
    this.update();
    if (location.hash) this.reveal(this.stepper.tensor ? this.stepper : this.look.at);
  }

  build() {
    this.stage = new Stage(this);
    this.inspector = new Inspector(this);
    this.stepper = new Stepper(this);
    this.tabs = new Tabs(this);
    this.history = new History(this);
    this.descent = new Descent(this);
    this.sheets = new Sheets(this);
    const computes = !this.chain.unknown.length;
    const learning = el("section", { class: "learning", "aria-label": "the loss" }, this.history.element, this.descent.element);
    this.root.append(
      el("header", { class: "top" }, this.title(), tellVerdict(this.chain, this.state.python), legend()),
      el("div", { class: "tools", role: "region", "aria-label": "tools" }, this.stepper.element, this.tabs.element),
      el("div", { class: "desk" }, el("main", {}, this.stage.element), el("div", { class: "side" }, computes ? learning : null, this.inspector.element)),
      this.sheets.element,
    );
    listenToKeys(this);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.turn());
  }

  title() {
    const { data } = this;
    this.answer = el("p", { class: "answer", "aria-live": "polite" });
    const options = data.classes.map((name, at) => el("option", { value: at }, name));
    this.label = el("select", { onchange: () => this.state.do({ label: Number(this.label.value) }) }, ...options);
    this.label.disabled = this.chain.unknown.length > 0;
    const subject = el("p", { class: "subject" }, `${data.image} · weights: ${data.origin}`);
    this.labelled = el("span", {});
    return el("div", { class: "title" }, el("h1", {}, "One image, forwards and backwards"), subject, this.answer, el("label", { class: "label" }, this.labelled, this.label));
  }

  /** The words before the class of y, which is only assumed as long as nobody chose it. */
  get trueClass() {
    return `true class ${this.state.deeds.some(({ label }) => label !== undefined) ? "" : this.data.assumed}`;
  }

  /** Winners and shut gates, of the numbers as they are. */
  findMarks() {
    this.marks = new Map([...this.chain.tensors.values()].map((tensor) => [tensor, new Map()]));
    for (const step of this.chain.steps) {
      for (const { tensor, mark, at } of step.does?.marks?.(step, this.state.shown) ?? []) this.marks.get(tensor).set(mark, at);
    }
  }

  /** Everything after a change. */
  update() {
    const { data, state, chain } = this;
    this.findMarks();
    this.stage.update();
    this.history.update();
    if (!chain.unknown.length) this.descent.update();
    this.labelled.textContent = this.trueClass;
    this.label.value = state.v.y[0];
    const A = state.shown[chain.output.output.name];
    const probabilities = A.length === 1 ? [1 - A[0], A[0]] : Array.from(A);
    const best = probabilities.indexOf(Math.max(...probabilities));
    this.answer.replaceChildren("the network says ", el("strong", {}, data.classes[best]), ` with probability ${writeNumber(probabilities[best], this.precision)}`);
    this.tabs.update();
    this.attend();
    this.writeFragment();
  }

  /** After another filter or channel was chosen. */
  turn() {
    this.stage.update();
    this.tabs.update();
    this.light();
  }

  /** After something else is looked at. */
  attend() {
    this.inspector.update();
    this.light();
    this.writeFragment();
  }

  light() {
    const lit = new Map();
    const put = (tensor, i, how) => {
      if (!lit.has(tensor)) lit.set(tensor, new Map());
      lit.get(tensor).set(i, how);
    };
    const { entry, path } = this.look;
    if (path) for (const { tensor, i } of path) put(tensor, i, "term");
    else if (entry && !this.chain.unknown.length) {
      for (const [at, term] of strongestFirst(explain(this.chain, this.state.shown, entry.tensor, entry.i).terms).entries()) {
        for (const { tensor, i } of term.factors) put(tensor, i, term.value === 0 || at >= MOST_LIT ? "nothing" : "term");
      }
    }
    if (entry) put(entry.tensor, entry.i, "here");
    if (this.flashed) put(this.flashed.tensor, this.flashed.i, "flash");
    this.stage.light(lit);
  }

  /** Light an entry up for as long as its name is pointed at. */
  flash(entry) {
    this.flashed = entry;
    this.light();
  }

  /** Bring an entry's panel into sight. */
  reveal({ tensor }) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.stage.panels.get(tensor)?.element.scrollIntoView({ block: "nearest", inline: "nearest", behavior: calm ? "auto" : "smooth" });
  }

  /** From an entry to its derivative, and back. */
  turnOver() {
    const { entry } = this.look;
    const tensor = entry?.tensor.gradient ?? entry?.tensor.value;
    if (!tensor || this.stepper.veils(tensor)) return;
    this.look.go({ tensor, i: entry.i });
    this.stage.focus({ tensor, i: entry.i });
  }

  /** X as the photo: the colour of a pixel, or null for numbers. */
  photoOf(tensor) {
    if (tensor.role !== "image" || !this.photo) return null;
    this.paint ??= (i) => {
      const { mean, std } = this.data.normalisation;
      const [C, H, W] = tensor.shape;
      const [, row, column] = placeOf(tensor.shape, i);
      const X = this.state.shown[tensor.name];
      const level = (c) => Math.round(255 * (X[(c * H + row) * W + column] * std[c] + mean[c]));
      return C === 3 ? [level(0), level(1), level(2)] : [level(0), level(0), level(0)];
    };
    return this.paint;
  }

  showPhoto(photo) {
    this.photo = photo;
    this.turn();
  }

  writeFragment() {
    const { deeds } = this.state;
    const { at } = this.look;
    const parts = [deeds.length ? `do=${writeDeeds(deeds)}` : "", at ? `at=${labelOf(at.tensor, at.i)}` : ""];
    if (this.stepper.tensor) parts.push(`step=${this.stepper.tensor.name}`);
    const turned = [...this.choice.chosen].filter(([, index]) => index).map(([group, index]) => `${group}.${index}`);
    if (turned.length) parts.push(`see=${turned.join(";")}`);
    this.fragment = parts.filter(Boolean).join("&");
    this.sent ??= setTimeout(() => this.sendFragment(), CALM);
  }

  /** Browsers refuse an address that changes too often, as under a slider. */
  sendFragment() {
    this.sent = null;
    if (location.hash === `#${this.fragment}`) return;
    try {
      history.replaceState(null, "", `#${this.fragment}`);
    } catch {
      // A page without an address of its own, as in a notebook's frame, has no fragment to keep.
    }
  }

  readFragment() {
    const parts = Object.fromEntries(decodeURI(location.hash.slice(1)).split("&").map((part) => part.split(/=(.*)/s)));
    if (!this.chain.unknown.length) {
      this.state.restore(readDeeds(this.chain, parts.do ?? ""));
      this.findMarks();
    }
    const groups = new Map([...this.chain.tensors.values()].flatMap((tensor) => leadingGroups(tensor).map((group, axis) => [String(group), [group, tensor.shape[axis]]])));
    for (const part of (parts.see ?? "").split(";")) {
      const [group, index] = part.split(".");
      const [known, count] = groups.get(group) ?? [];
      if (Number(index) > 0 && Number(index) < count) this.choice.choose(known, Number(index));
    }
    const at = readEntry(this.chain, parts.at ?? "");
    this.stepper.go(parts.step);
    this.look.go(at && this.stage.panels.has(at.tensor) ? at : (this.look.at ?? this.strongest()));
  }

  /** What is looked at first: the first layer's weight whose derivative is largest. */
  strongest() {
    const tensor = this.chain.steps.find((step) => step.parameters.length).parameters[0].gradient;
    const values = this.state.shown[tensor.name];
    return { tensor, i: values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best]) ? i : best), 0) };
  }
}

const data = JSON.parse(document.getElementById("data").textContent);
const page = new Page(data, document.getElementById("page"));
document.documentElement.classList.add("alive");
addEventListener("hashchange", () => location.reload()); // another state of the same page
window.cnncli = { page, values: (name) => Array.from(page.state.shown[name]) };
