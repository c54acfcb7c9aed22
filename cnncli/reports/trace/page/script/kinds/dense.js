// z[k] = Σ_d w[k,d]·F[d] + b[k].

import { factorOf, madeOf, placeOf, productOf } from "../tensors.js";

export const dense = {
  options: [],
  adds: (step) => [step.source.size + 1, step.output.size, 1, 1],

  forward(step, v) {
    const F = v[step.source.name];
    const [w, b] = step.parameters.map((tensor) => v[tensor.name]);
    return b.map((bias, k) => F.reduce((sum, f, d) => sum + w[k * F.length + d] * f, 0) + bias);
  },

  backward(step, v, dz) {
    const F = v[step.source.name];
    const w = v[step.parameters[0].name];
    const D = F.length;
    return [
      F.map((_, d) => dz.reduce((sum, gradient, k) => sum + w[k * D + d] * gradient, 0)),
      w.map((_, at) => dz[Math.floor(at / D)] * F[at % D]),
      dz.slice(),
    ];
  },

  local: (step, v) => v[step.parameters[0].name].slice(),

  explain(step, v, k) {
    const [w, b] = step.parameters;
    const F = step.source;
    const D = F.shape[0];
    const terms = Array.from({ length: D }, (_, d) => productOf(v, factorOf(w, k * D + d), factorOf(F, d)));
    const bias = factorOf(b, k);
    return madeOf(`Σ_d ${w.name}[${k},d]·${F.name}[d] + ${bias.label}`, [...terms, productOf(v, bias)]);
  },

  explainLocal(step, v, at) {
    const [w] = step.parameters;
    return madeOf("", [productOf(v, factorOf(w, at))], `${step.source.name} is multiplied by ${w.name}`);
  },

  *readers(step, v, tensor, at) {
    const [w, b] = step.parameters;
    const D = step.source.shape[0];
    if (tensor === step.source) {
      for (let k = 0; k < w.shape[0]; k++) {
        const factor = factorOf(w, k * D + at);
        yield { i: k, derivative: v[w.name][factor.i], factor, factorFirst: true };
      }
    } else if (tensor === w) {
      const factor = factorOf(step.source, at % D);
      yield { i: Math.floor(at / D), derivative: v[step.source.name][factor.i], factor };
    } else if (tensor === b) {
      yield { i: at, derivative: 1, reason: "a bias is added" };
    }
  },

  explainGradient(step, v, tensor, at, terms) {
    const [w, b] = step.parameters;
    if (tensor === step.source && terms.length > 1) {
      return madeOf(`Σ_k ${w.name}[k,${placeOf(tensor.shape, at)[0]}]·${step.output.gradient.name}[k]`, terms);
    }
    return madeOf("", terms, tensor === b ? `d${step.output.name}/d${b.name} = 1` : "");
  },

  say(step) {
    const [w, b] = step.parameters.map((tensor) => tensor.name);
    const [F, z, dz] = [step.source.name, step.output.name, step.output.gradient.name];
    return {
      output: `${z} weighs every number of ${F} with ${w}, adds them up, and adds ${b}.`,
      local: `How strongly ${z} reads each number of ${F}: the weights themselves.`,
      source: `Each number of ${F} gets ${dz} times the weight that it was read with.`,
      parameters: [
        `Each weight of ${w} read one number of ${F}: its derivative is ${dz} times that number.`,
        `${b} was added to ${z}: its derivative is ${dz}.`,
      ],
    };
  },
};
