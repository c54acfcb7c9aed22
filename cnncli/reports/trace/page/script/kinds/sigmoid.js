// Two classes: A = σ(z), the binary cross-entropy, and back; all from the logit, so that nothing is lost when σ saturates.

import { factorOf, madeOf, termOf } from "../tensors.js";

/** σ(t) = 1/(1 + e^(−t)), written so that e never overflows. */
function sigma(t) {
  const e = Math.exp(-Math.abs(t));
  return (t >= 0 ? 1 : e) / (1 + e);
}

/** log(1 + e^t). */
const softplus = (t) => Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t)));

const signOf = (v) => (v.y[0] === 1 ? -1 : 1);
const zOf = (output, v) => v[output.source.name][0];

export const sigmoid = {
  forward: (output, v) => Float64Array.of(sigma(zOf(output, v))),

  loss(output, v) {
    return Float64Array.of(softplus(signOf(v) * zOf(output, v)));
  },

  dL_dA: (output, v) => Float64Array.of(signOf(v) / sigma(-signOf(v) * zOf(output, v))),
  dA_dz: (output, v) => Float64Array.of(sigma(zOf(output, v)) * sigma(-zOf(output, v))),
  dL_dz: (output, v) => Float64Array.of(signOf(v) * sigma(signOf(v) * zOf(output, v))),

  explain(output, v, tensor) {
    const [z, A, y] = [output.source, output.output, output.label].map((each) => factorOf(each, 0));
    const value = v[tensor.name][0];
    const one = v.y[0] === 1;
    if (tensor === output.output) {
      return madeOf("", [termOf("σ({})", [z], value, sigma)], `σ(${z.label}) = 1/(1 + e^(−${z.label}))`);
    }
    if (tensor === output.loss) {
      const template = one ? "log(1 + e^(−{}))" : "log(1 + e^{})";
      const closed = `for y = ${v.y[0]}, from the logit, so that nothing is lost when σ saturates`;
      return madeOf(`−y·log ${A.label} − (1−y)·log(1−${A.label})`, [termOf(template, [z], value, (t) => softplus(one ? -t : t))], closed);
    }
    if (tensor === output.output.gradient) {
      const formula = `(${A.label} − y) / (${A.label}·(1 − ${A.label}))`;
      return madeOf(formula, [one ? termOf("−1/{}", [A], value, (share) => -1 / share) : termOf("1/(1 − {})", [A], value, (share) => 1 / (1 - share))], `for y = ${v.y[0]}`);
    }
    if (tensor === output.local) return madeOf("", [termOf("{}·(1 − {})", [A, A], value, (share) => share * (1 - share))]);
    return madeOf("", [termOf("{} − {}", [A, y], value, (share, one) => share - one)], `dL/d${A.label} · d${A.label}/d${z.label}, shortened`);
  },

  linkReason: (output) => `${output.output.name}·(1 − ${output.output.name})`,

  say(output, classes) {
    const [z, A] = [output.source.name, output.output.name];
    return {
      output: `σ squeezes ${z} into a probability between 0 and 1: that of the class “${classes[1]}”.`,
      loss: `The cross-entropy says how bad ${A} is for the true class: 0 would be certain and right.`,
      dL_dA: `How fast L changes with ${A}.`,
      dA_dz: `The slope of σ at ${z}.`,
      dL_dz: `Both together, in closed form: the answer minus the truth.`,
    };
  },
};
