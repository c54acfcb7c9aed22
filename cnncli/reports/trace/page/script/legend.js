// What the marks mean, and the keys.

import { el } from "./dom.js";

const MARKS = [
  ["positive", "2.5", "positive; the larger, the stronger"],
  ["negative", "−2.5", "negative"],
  ["winner", "5.5", "the winner of its window"],
  ["shut", "0", "a shut gate: nothing passes, neither forwards nor back"],
  ["changed", "9", "changed: Δ stands at its side"],
];
const LIGHTS = [
  ["here", "what is looked at"],
  ["term", "a term of it"],
  ["nothing", "a term that is 0, or one of many small ones"],
];
const KEYS = [
  ["Tab", "from panel to panel"],
  ["← ↑ ↓ →", "inside a panel; Home, End and Ctrl go far"],
  ["Enter", "stay with a number"],
  ["Backspace", "back to the one before"],
  ["d", "from a value to its derivative, and back"],
  ["0 … 9, −", "change a pixel, weight or bias; Escape leaves it"],
  [". ,", "one step on, one step back"],
  ["u r", "undo, redo"],
];

export function legend() {
  const line = (sample, words) => el("tr", {}, sample, el("td", {}, words));
  const cell = (marks, text, lit = null) => el("td", { class: `cell ${marks}`, style: "--strength:0.8", "data-lit": lit, "aria-hidden": "true" }, text);
  const marks = [...MARKS.map(([kind, text, words]) => line(cell(kind, text), words)), ...LIGHTS.map(([lit, words]) => line(cell("", "1", lit), words))];
  const keys = KEYS.map(([key, words]) => line(el("th", { scope: "row" }, el("kbd", {}, key)), words));
  return el("details", { class: "legend" }, el("summary", {}, "marks and keys"), el("div", {}, el("table", {}, ...marks), el("table", {}, ...keys)));
}
