// The paths from L to the entry that is looked at, link by link; and where the others end.

import { findDecimals, multiply } from "./arithmetic.js";
import { el } from "./dom.js";
import { writeNumber } from "./numbers.js";
import { followerOf } from "./paths.js";
import { factorOf, labelOf } from "./tensors.js";

const MOST_PATHS = 4;
const MOST_BLOCKS = 5;
const PATIENCE = 150; // ms after a change until its paths are followed: a slider does not wait for them
const MOST_READ = 3000; // entries of a tensor beyond which nothing is followed unasked

export class PathList {
  constructor(page) {
    this.page = page;
    this.element = el("div", { class: "paths" });
  }

  update(entry) {
    const { state, stepper } = this.page;
    const { now } = stepper;
    if (entry === this.entry && state.v === this.v && now === this.now) return;
    const slides = entry === this.entry && now === this.now;
    Object.assign(this, { entry, v: state.v, now });
    clearTimeout(this.timer);
    if (slides) this.timer = setTimeout(() => this.list(entry), PATIENCE);
    else this.list(entry);
  }

  list(entry) {
    const { chain, stepper } = this.page;
    const canFollow = entry?.tensor.gradient && !chain.unknown.length && !stepper.veils(entry.tensor.gradient);
    this.element.replaceChildren(...(canFollow ? this.describe(entry) : []));
  }

  *describe({ tensor, i }) {
    const { chain, state } = this.page;
    if (this.followed !== state.v) [this.followed, this.follower] = [state.v, followerOf(chain, state.shown)];
    const number = this.follower.number(tensor, i);
    const label = labelOf(tensor, i);
    yield el("h3", {}, number === 1 ? `One path leads from L to ${label}` : `${number.toLocaleString("en")} paths lead from L to ${label}`);
    const paths = this.follower.strongest(tensor, i, MOST_PATHS);
    yield el("ol", { class: "path-list" }, ...paths.map((path) => this.path(path)));
    if (number > paths.length) yield el("p", { class: "hint" }, `and ${(number - paths.length).toLocaleString("en")} weaker ones`);
    if (tensor.size < MOST_READ || number === 0) yield* this.blocks(tensor, i, number);
  }

  path({ links, product }) {
    const { precision } = this.page;
    const decimals = findDecimals(links.map((link) => link.derivative), multiply, product, precision) ?? precision;
    const write = (value) => writeNumber(value, decimals);
    const entries = [links[0], ...links.map((link) => link.read)];
    const on = () => this.page.look.follow(entries);
    const off = () => this.page.look.follow(null);
    const rows = links.map((link) => {
      const name = `d${labelOf(link.tensor, link.i)}/d${labelOf(link.read.tensor, link.read.i)}`;
      return el("li", {}, `${name} `, el("span", {}, write(link.derivative)), el("span", { class: "why" }, ` ${link.reason ?? link.factor.label}`));
    });
    const head = el("summary", { onfocus: on, onblur: off }, el("span", { class: "carried" }, writeNumber(product, precision)), ` through ${labelOf(links.at(-1).tensor, links.at(-1).i)}`);
    return el("li", { onpointerenter: on, onpointerleave: off }, el("details", {}, head, el("ol", { class: "links" }, ...rows)));
  }

  /** Why the other ways carry nothing. */
  *blocks(tensor, i, number) {
    const blocks = this.follower.blocks(tensor, i);
    if (!blocks.length) return;
    yield el("h3", {}, number ? "Where the other ways end" : "Why it is 0: every way ends");
    const rows = blocks.slice(0, MOST_BLOCKS).map((block) => {
      const factor = factorOf(block.tensor, block.i);
      const go = () => this.page.look.go({ tensor: block.tensor, i: block.i });
      return el("li", {}, el("button", { type: "button", class: "entry", onclick: go }, factor.label), ` ${block.reason.replace(factor.label, "").trim()}`);
    });
    if (blocks.length > MOST_BLOCKS) rows.push(el("li", {}, `and at ${blocks.length - MOST_BLOCKS} more`));
    yield el("ul", { class: "blocks" }, ...rows);
  }
}
