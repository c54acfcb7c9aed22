// The entry that is looked at: its formula in symbols and with numbers, its terms, and what can be done with it.

import { add, decimalsOf, findDecimals } from "./arithmetic.js";
import { ChangeBox } from "./change_box.js";
import { equation, el } from "./dom.js";
import { explain, windowAt } from "./explain.js";
import { isExact, writeChange, writeExactly, writeNumber } from "./numbers.js";
import { PathList } from "./path_list.js";
import { factorOf, labelOf, placeOf } from "./tensors.js";

const MOST_TERMS = 12; // of a sum: the largest

export class Inspector {
  constructor(page) {
    this.page = page;
    this.body = el("div", { class: "body" });
    this.back = el("button", { type: "button", class: "back", onclick: () => page.look.back() }, "← back");
    this.changes = new ChangeBox(page);
    this.paths = new PathList(page);
    this.element = el(
      "aside",
      { class: "inspector", "aria-label": "The number that is looked at", tabindex: "0" },
      this.back,
      this.body,
      this.changes.element,
      this.paths.element,
    );
  }

  update() {
    const { look } = this.page;
    this.back.hidden = !look.trail.length;
    const { entry } = look;
    this.body.replaceChildren(...(entry ? this.describe(entry) : [this.invite()]));
    this.changes.update(entry);
    this.paths.update(look.over ? null : look.at);
  }

  invite() {
    return el("p", { class: "invite" }, "Point at a number, or walk to it with Tab and the arrow keys: here stands where it comes from.");
  }

  *describe({ tensor, i }) {
    const { state, chain, data } = this.page;
    const value = state.shown[tensor.name][i];
    const text = this.write(value);
    yield el("h2", {}, labelOf(tensor, i), el("span", { class: "value" }, `${isExact(value, text) ? "=" : "≈"} ${text}`));
    if (!isExact(value, text)) yield el("p", { class: "exactly" }, `in double precision ${writeExactly(value)}`);
    if (this.isOfClass(tensor)) yield el("p", { class: "hint" }, `class “${data.classes[placeOf(tensor.shape, i)[0]]}”`);
    const change = state.change(tensor, i);
    if (change) {
      yield el("p", { class: "delta" }, `Δ ${writeChange(change, this.page.precision)}, it was ${this.write(state.base[tensor.name][i])}`);
    }
    if (tensor.kind === "forward" || tensor.kind === "gradient") yield el("p", { class: "whole" }, equation(tensor));
    if (!chain.unknown.length) yield* this.terms(tensor, i, value);
    yield* this.counterpart(tensor, i);
  }

  /** Whether the first index of a tensor is a class. */
  isOfClass(tensor) {
    return tensor.axes[0] === "K" && tensor.shape[0] === this.page.data.classes.length;
  }

  *terms(tensor, i, value) {
    const { chain, state } = this.page;
    const { formula, terms, reason } = explain(chain, state.shown, tensor, i);
    const label = labelOf(tensor, i);
    if (formula) yield el("p", { class: "formula" }, `${label} = `, ...withIndices(formula));
    if (terms.length) yield this.sum(label, terms, value);
    if (reason) yield el("p", { class: "reason" }, reason);
    const window = windowAt(chain, state.shown, tensor, i);
    if (window?.entries) yield this.window(window);
  }

  /** The terms that are not zero, in their order; of too many the largest, and what the others add up to. */
  sum(label, terms, value) {
    let shown = terms.length > 1 ? terms.filter((term) => term.value !== 0) : terms;
    const zeros = terms.length - shown.length;
    let rest = [];
    if (shown.length > MOST_TERMS) {
      const ranked = [...shown].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
      [shown, rest] = [ranked.slice(0, MOST_TERMS), ranked.slice(MOST_TERMS)];
    }
    const others = rest.length ? [add(...rest.map((term) => term.value))] : [];
    const { precision } = this.page;
    const sum = [...shown.map((term) => term.value), ...others];
    const found = terms.length > 1 ? findDecimals(sum, add, value, precision) : precision;
    const decimals = found ?? precision;
    const rows = shown.map((term) => this.term(term, decimals, terms.length === 1 ? `${label} = ` : ""));
    for (const total of others) {
      rows.push(el("li", { class: "rest" }, `and ${rest.length} smaller terms, together ${writeNumber(total, decimals)}`));
    }
    if (zeros) rows.push(this.zeros(terms.filter((term) => term.value === 0), shown.length === 0));
    if (terms.length > 1) rows.push(el("li", { class: "total" }, `${label} ${found === null ? "≈" : this.relation([value])} ${this.write(value)}`));
    return el("ul", { class: "terms" }, ...rows);
  }

  /** A term in symbols, and with numbers of which the line is true as it is written. */
  term(term, decimals = this.page.precision, lead = "") {
    const numbers = term.factors.map(({ tensor, i }) => this.page.state.shown[tensor.name][i]);
    const digits = decimalsOf(term, numbers, decimals);
    const written = digits === null ? null : fillTemplate(term.template, numbers.map((number) => writeNumber(number, digits)));
    const result = writeNumber(term.value, decimals);
    const parts = fillParts(term.template, term.factors.map((factor) => this.link(factor)));
    const line = el("li", {}, el("span", { class: "lead" }, lead), el("span", { class: "symbols" }, ...parts));
    if (written !== null && written !== result && term.factors.length) {
      line.append(el("span", { class: "with-numbers" }, `${this.relation(numbers, digits)} ${written}`));
    }
    if (term.factors.length || !parts.length) line.append(el("span", { class: "result" }, `${this.relation([...numbers, term.value], digits ?? decimals)} ${result}`));
    return line;
  }

  zeros(terms, all) {
    const words = all ? `all ${terms.length} terms are 0` : `${terms.length} more ${terms.length > 1 ? "terms are" : "term is"} 0`;
    const list = el("ul", {});
    const details = el("details", { class: "zeros" }, el("summary", {}, words), list);
    details.ontoggle = () => list.childElementCount || list.append(...terms.slice(0, 200).map((term) => this.term(term)));
    return el("li", {}, details);
  }

  /** A pooling window as it lies, its winner framed. */
  window({ step, entries, winner }) {
    const side = Math.round(Math.sqrt(entries.length));
    const cells = entries.map((at) => {
      const button = this.link(factorOf(step.source, at), this.write(this.page.state.shown[step.source.name][at]));
      button.classList.toggle("winner", at === winner);
      return button;
    });
    return el("div", { class: "window", style: `grid-template-columns:repeat(${side},auto)` }, ...cells);
  }

  *counterpart(tensor, i) {
    const { state } = this.page;
    if (tensor.gradient && this.page.stepper.veils(tensor.gradient)) return;
    if (tensor.gradient) {
      const derivative = state.shown[tensor.gradient.name][i];
      yield el("p", { class: "counterpart" }, "its derivative: ", this.link(factorOf(tensor.gradient, i)), ` ${this.relation([derivative])} ${this.write(derivative)}`);
      if (derivative !== 0 && Number.isFinite(derivative)) {
        yield el("p", { class: "hint" }, `Raised by 0.01, it would change L by about ${writeChange(0.01 * derivative, this.page.precision + 2)}.`);
      }
    } else if (tensor.value) {
      yield el("p", { class: "counterpart" }, "the derivative of L for ", this.link(factorOf(tensor.value, i)));
    }
  }

  /** A button that leads to an entry, and lights it up. */
  link(factor, text = factor.label) {
    const entry = { tensor: factor.tensor, i: factor.i };
    const go = () => {
      this.page.look.go(entry);
      this.page.reveal(entry);
    };
    const off = () => this.page.flash(null);
    const on = () => this.page.flash(entry);
    return el("button", { type: "button", class: "entry", onclick: go, onpointerenter: on, onpointerleave: off, onfocus: on, onblur: off }, text);
  }

  write(value) {
    return writeNumber(value, this.page.precision);
  }

  relation(values, decimals = this.page.precision) {
    return values.every((value) => isExact(value, writeNumber(value, decimals))) ? "=" : "≈";
  }
}

/** Σ_i with a lowered i. */
const withIndices = (formula) => formula.split(/_([a-z])/).map((part, at) => (at % 2 ? el("sub", {}, part) : part));

const BEFORE_A_BRACKET = /(·|− ?|\/|\^)$/; // what a negative number may not follow bare

function fillTemplate(template, texts) {
  const [first, ...rest] = template.split("{}");
  return rest.reduce((text, after, at) => {
    const bare = texts[at];
    return text + (bare.startsWith("−") && BEFORE_A_BRACKET.test(text) ? `(${bare})` : bare) + after;
  }, first);
}

function fillParts(template, elements) {
  return template.split("{}").flatMap((text, at) => (at < elements.length ? [text, elements[at]] : [text]));
}
