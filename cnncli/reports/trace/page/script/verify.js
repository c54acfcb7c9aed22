// Python's numbers, each worked out again from the ones before it, and how far the two agree.
//
// What only moves, chooses or multiplies must agree to the bit. Python (NumPy) adds long sums in an order of its own, so
// a sum of n terms may differ by rounding: by no more than 2·n·u·Σ|term| (Higham 2002, §4.2). exp and log are right to
// within one unit in the last place in either language, and what is made of them to within a few.

import { runForward, walkBack } from "./chain.js";

const U = 2 ** -53;
const EXACT = () => 0;

/** {numbers, same, rounded, wrong: [{tensor, i, python, here}], apart: [{tensor, numbers, most, bound}]} */
export function verify(chain, python) {
  const outcome = { numbers: 0, same: 0, rounded: 0, wrong: [], apart: [] };
  for (const [tensor, here, bound] of recomputed(chain, python)) {
    const there = python[tensor.name];
    const apart = { tensor, numbers: 0, most: 0, bound: 0 }; // the furthest entry, and how far it may be
    for (let i = 0; i < there.length; i++) {
      if (here[i] === there[i] || (Number.isNaN(here[i]) && Number.isNaN(there[i]))) continue;
      const distance = Math.abs(here[i] - there[i]);
      apart.numbers += 1;
      if (distance > apart.most) Object.assign(apart, { most: distance, bound: bound(i) });
      if (!(distance <= bound(i))) outcome.wrong.push({ tensor, i, python: there[i], here: here[i] });
    }
    outcome.numbers += there.length;
    if (apart.numbers) outcome.apart.push(apart);
  }
  const differ = outcome.apart.reduce((sum, { numbers }) => sum + numbers, 0);
  return Object.assign(outcome, { same: outcome.numbers - differ, rounded: differ - outcome.wrong.length });
}

/** Every computed tensor with its values anew and the bound of each entry's rounding. */
function* recomputed(chain, python) {
  const ofOutput = new Set([chain.output.output, chain.output.loss, chain.output.local]);
  ofOutput.add(chain.output.output.gradient).add(chain.output.source.gradient);
  const bounds = boundsOfSums(chain, python);
  const ulps = 2 * (2 * chain.output.source.size + 6) * U;
  for (const [tensor, here] of [...runForward(chain, python), ...walkBack(chain, python)]) {
    const there = python[tensor.name];
    const scale = tensor === chain.output.local ? 1 : 0; // 1 − A loses what A rounds
    const few = (i) => ulps * Math.max(scale, Math.abs(there[i]));
    yield [tensor, here, ofOutput.has(tensor) ? few : (bounds.get(tensor) ?? EXACT)];
  }
}

/** For the tensors that are sums of n > 1 terms: the bound of each entry, from the same sum over the terms' sizes. */
function boundsOfSums(chain, python) {
  const sizes = Object.fromEntries(Object.entries(python).map(([name, values]) => [name, values.map(Math.abs)]));
  const bounds = new Map();
  for (const step of chain.steps) {
    if (!step.does.adds) continue;
    const sums = [step.does.forward(step, sizes), ...step.does.backward(step, sizes, sizes[step.output.gradient.name])];
    const tensors = [step.output, step.source.gradient, ...step.parameters.map(({ gradient }) => gradient)];
    for (const [at, n] of step.does.adds(step).entries()) {
      if (n > 1) bounds.set(tensors[at], (i) => 2 * n * U * sums[at][i]);
    }
  }
  return bounds;
}
