// Three classes or more: A = softmax(z), the cross-entropy, and back; loss and dL/dz from the logits.

import { factorOf, madeOf, placeOf, termOf, ZERO } from "../tensors.js";

const largestOf = (z) => z.reduce((best, each, k) => (each > z[best] ? k : best), 0);

/** A[k] = e^z[k] / Σ_j e^z[j], shifted by the largest z so that e never overflows. */
function sharesOf(z) {
  const e = z.map((each) => Math.exp(each - z[largestOf(z)]));
  const total = e.reduce((sum, each) => sum + each, 0);
  return e.map((each) => each / total);
}

/** The formula at its word, for numbers that are small enough. */
const shareOf = (own, ...all) => Math.exp(own) / all.reduce((sum, each) => sum + Math.exp(each), 0);

const zOf = (output, v) => v[output.source.name];

export const softmax = {
  forward: (output, v) => sharesOf(zOf(output, v)),

  loss(output, v) {
    const z = zOf(output, v);
    const d = z.map((each) => each - z[v.y[0]]);
    const largest = largestOf(z);
    const others = d.reduce((sum, each, k) => (k === largest ? sum : sum + Math.exp(each - d[largest])), 0);
    return Float64Array.of(d[largest] + Math.log1p(others));
  },

  dL_dA: (output, v) => sharesOf(zOf(output, v)).map((A, k) => (k === v.y[0] ? -1 / A : 0)),

  dA_dz(output, v) {
    const A = sharesOf(zOf(output, v));
    const K = A.length;
    return Float64Array.from({ length: K * K }, (_, at) => {
      const [i, j] = [Math.floor(at / K), at % K];
      return A[i] * ((i === j ? 1 : 0) - A[j]);
    });
  },

  dL_dz(output, v) {
    const A = sharesOf(zOf(output, v));
    const others = A.reduce((sum, each, k) => (k === v.y[0] ? sum : sum + each), 0);
    return A.map((each, k) => (k === v.y[0] ? -others : each));
  },

  explain(output, v, tensor, at) {
    const all = (each) => Array.from({ length: each.shape[0] }, (_, k) => factorOf(each, k));
    const [z, A] = [all(output.source), all(output.output)];
    const y = v.y[0];
    const value = v[tensor.name][at];
    if (tensor === output.output) {
      const template = `e^{} / (${z.map(() => "e^{}").join(" + ")})`;
      return madeOf("", [termOf(template, [z[at], ...z], value, shareOf)], `softmax(${output.source.name})`);
    }
    if (tensor === output.loss) {
      return madeOf(`−log ${output.output.name}[y]`, [termOf("−log {}", [A[y]], value, (share) => -Math.log(share))], `for y = ${y}`);
    }
    if (tensor === output.output.gradient) {
      if (at !== y) return madeOf("", [ZERO], `L reads ${A[y].label} alone: y = ${y}`);
      return madeOf("", [termOf("−1/{}", [A[at]], value, (share) => -1 / share)], `for y = ${y}`);
    }
    if (tensor === output.local) {
      const [j, k] = placeOf(tensor.shape, at);
      if (j === k) return madeOf("", [termOf("{}·(1 − {})", [A[k], A[k]], value, (share) => share * (1 - share))]);
      return madeOf("", [termOf("−{}·{}", [A[j], A[k]], value, (one, other) => -one * other)]);
    }
    if (at !== y) return madeOf("", [termOf("{}", [A[at]], value)], `${A[at].label} − 0, as y = ${y}`);
    return madeOf("", [termOf("{} − 1", [A[at]], value, (share) => share - 1)], `as y = ${y}`);
  },

  linkReason: () => "from the softmax",

  say(output) {
    const [z, A] = [output.source.name, output.output.name];
    return {
      output: `The softmax turns ${z} into one probability for each class; together they are 1.`,
      loss: `The cross-entropy says how bad ${A} is: minus the logarithm of the true class’s probability.`,
      dL_dA: `L reads the probability of the true class alone.`,
      dA_dz: `Every probability depends on every logit: what one gains the others lose.`,
      dL_dz: `Both together, in closed form: the answer minus the truth.`,
    };
  },
};
