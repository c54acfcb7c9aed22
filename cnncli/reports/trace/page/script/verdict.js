// Whether Python's numbers and those that this page computes agree.

import { el } from "./dom.js";
import { writeExactly } from "./numbers.js";
import { labelOf } from "./tensors.js";
import { verify } from "./verify.js";

const MOST = 8; // entries that are named where they do not

/** The sentence, and what stands behind it. */
export function tellVerdict(chain, python) {
  if (chain.unknown.length) {
    return el("p", { class: "verdict wrong", role: "status" }, `This page shows Python’s numbers, but cannot compute ${chain.unknown.join(", ")}: nothing can be changed here.`);
  }
  const { numbers, same, rounded, wrong } = verify(chain, python);
  const agree = wrong.length === 0;
  const count = (many) => many.toLocaleString("en");
  const head = agree
    ? `✓ ${count(numbers)} numbers computed again here: Python and this page agree`
    : `✗ ${count(wrong.length)} of ${count(numbers)} numbers differ between Python and this page`;
  const how = [
    el("p", {}, `${count(same)} to the bit, ${count(rounded)} within the rounding of their sums: +, −, × and ÷ are the same everywhere, but NumPy adds long sums in an order of its own, and exp and log may differ in the last bit. Each number was worked out from Python’s numbers before it.`),
    ...wrong.slice(0, MOST).map((each) => el("p", {}, `${labelOf(each.tensor, each.i)}: Python ${writeExactly(each.python)}, here ${writeExactly(each.here)}`)),
  ];
  return el("details", { class: `verdict ${agree ? "right" : "wrong"}` }, el("summary", {}, head), ...how);
}
