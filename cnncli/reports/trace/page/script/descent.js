// One step of w ← w − η·dL/dw for all parameters at once, and what becomes of L.

import { el, svg } from "./dom.js";
import { writeChange, writeNumber } from "./numbers.js";

const [WIDTH, HEIGHT] = [150, 34]; // of the curve
const [LEAST, MOST] = [-4, 1]; // powers of ten that η reaches

export class Descent {
  constructor(page) {
    this.page = page;
    this.slider = el("input", { type: "range", min: LEAST, max: MOST, step: 0.05, value: -1, oninput: () => this.update() });
    this.eta = el("output", {});
    this.promise = el("span", { class: "promise" });
    this.button = el("button", { type: "button", onclick: () => this.step() }, "descend");
    this.curve = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "curve", role: "img" });
    this.element = el(
      "div",
      { class: "descent", role: "group", "aria-label": "gradient descent" },
      el("label", {}, "w ← w − η·dL/dw, η ", this.slider, this.eta),
      this.button,
      this.curve,
      this.promise,
    );
  }

  get rate() {
    return Number((10 ** this.slider.valueAsNumber).toPrecision(2));
  }

  /** What the slope promises: −η·Σ (dL/dw)². */
  expected() {
    const { chain, state } = this.page;
    const parameters = [...chain.tensors.values()].filter((tensor) => tensor.kind === "parameter");
    const squares = parameters.flatMap((tensor) => Array.from(state.v[tensor.gradient.name], (slope) => slope * slope));
    return -this.rate * squares.reduce((sum, square) => sum + square, 0);
  }

  step() {
    const { chain, state, precision } = this.page;
    const loss = () => state.v[chain.output.loss.name][0];
    const [before, expected] = [loss(), this.expected()];
    state.do({ descend: this.rate });
    const change = loss() - before;
    const verdict = change < 0 ? "L fell" : change > 0 ? "L rose: η is too large" : "L stayed";
    this.told = `${verdict} by ${writeNumber(Math.abs(change), precision)}; the slope promised ${writeChange(expected, precision)}`;
    this.update();
  }

  update() {
    const { state, precision } = this.page;
    this.eta.textContent = String(this.rate);
    const promised = `the slope promises Δ ${writeChange(this.expected(), precision)}`;
    this.promise.textContent = state.deeds.at(-1)?.descend && this.told ? this.told : promised;
    this.draw(state.losses);
  }

  draw(losses) {
    const finite = losses.filter(Number.isFinite);
    const most = Math.max(...finite, 1e-9);
    const x = (at) => 4 + (at / Math.max(losses.length - 1, 1)) * (WIDTH - 8);
    const y = (loss) => HEIGHT - 4 - (Number.isFinite(loss) ? loss / most : 1) * (HEIGHT - 8);
    const points = losses.map((loss, at) => `${x(at).toFixed(1)},${y(loss).toFixed(1)}`);
    this.curve.setAttribute("aria-label", `L after each change: ${losses.map((loss) => writeNumber(loss, this.page.precision)).join(", ")}`);
    this.curve.replaceChildren(
      svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT - 4, y2: HEIGHT - 4 }),
      svg("polyline", { points: points.join(" ") }),
      ...points.slice(-1).map((point) => svg("circle", { cx: point.split(",")[0], cy: point.split(",")[1], r: 3 })),
    );
  }
}
