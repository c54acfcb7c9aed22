// Whether Python's numbers and those that this page computes agree, and where not to the bit.

import { el } from "./dom.js";
import { writeExactly } from "./numbers.js";
import { labelOf } from "./tensors.js";
import { verify } from "./verify.js";

const MOST = 8; // entries that are named where they do not
const count = (many) => many.toLocaleString("en");
const little = (value) => writeExactly(Number(value.toPrecision(2)));

/** The sentence, and what stands behind it. */
export function tellVerdict(chain, python) {
  if (chain.unknown.length) {
    return el("p", { class: "verdict wrong", role: "status" }, `This page shows Python’s numbers, but cannot compute ${chain.unknown.join(", ")}: nothing can be changed here.`);
  }
  const { numbers, same, wrong, apart } = verify(chain, python);
  const agree = wrong.length === 0;
  const head = agree
    ? `✓ ${count(numbers)} numbers computed again here: Python and this page agree, ${same === numbers ? "all" : count(same)} to the bit`
    : `✗ ${count(wrong.length)} of ${count(numbers)} numbers differ between Python and this page`;
  return el("details", { class: `verdict ${agree ? "right" : "wrong"}` }, el("summary", {}, head), ...explain(apart), ...wrong.slice(0, MOST).map(nameWrong));
}

function* explain(apart) {
  yield el("p", {}, "Each number was worked out from Python’s numbers before it. +, −, × and ÷ are the same everywhere, so what moves, chooses or multiplies is the same to the bit.");
  if (!apart.length) return;
  yield el("p", {}, "NumPy adds long sums in an order of its own: n terms may round by up to 2·n·2⁻⁵³·Σ|term|. exp and log may differ in the last place. These are not all the same:");
  const rows = apart.map(({ tensor, numbers, most, bound }) =>
    el("tr", {}, el("th", { scope: "row" }, tensor.name), el("td", {}, `${count(numbers)} of ${count(tensor.size)}`), el("td", {}, little(most)), el("td", {}, little(bound))),
  );
  const heads = ["value", "differ", "by at most", "may differ there by"].map((text) => el("th", { scope: "col" }, text));
  yield el("table", { class: "apart" }, el("tr", {}, ...heads), ...rows);
}

const nameWrong = ({ tensor, i, python, here }) => el("p", {}, `${labelOf(tensor, i)}: Python ${writeExactly(python)}, here ${writeExactly(here)}`);
