// Z[n,i,j] = Σ_c Σ_u Σ_v X[c,i+u−p,j+v−p]·w[n,c,u,v] + b[n]; what lies outside X is 0 and no term.

import { factorOf, madeOf, placeOf, productOf, shifted } from "../tensors.js";

function sizesOf(step) {
  const [C, H, W] = step.source.shape;
  const [N, h, width] = step.output.shape;
  return { C, H, W, N, h, width, k: step.parameters[0].shape[3], p: step.options.p };
}

/** Every product X·w that Z is made of, as flat indices; each of the three arrays meets its terms in order. */
function visitProducts(step, visit) {
  const { C, H, W, N, h, width, k, p } = sizesOf(step);
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      for (let u = 0; u < k; u++) {
        for (let t = 0; t < k; t++) {
          const at = ((n * C + c) * k + u) * k + t;
          for (let i = Math.max(0, p - u); i < Math.min(h, H + p - u); i++) {
            for (let j = Math.max(0, p - t); j < Math.min(width, W + p - t); j++) {
              visit((n * h + i) * width + j, (c * H + i + u - p) * W + j + t - p, at);
            }
          }
        }
      }
    }
  }
}

function* positionsOf(step, n) {
  const { h, width } = sizesOf(step);
  for (let z = n * h * width; z < (n + 1) * h * width; z++) yield z;
}

export const convolution = {
  options: ["p"],
  adds: true,

  forward(step, v) {
    const X = v[step.source.name];
    const [w, b] = step.parameters.map((tensor) => v[tensor.name]);
    const Z = new Float64Array(v[step.output.name].length);
    visitProducts(step, (z, x, at) => {
      Z[z] += X[x] * w[at];
    });
    const area = Z.length / b.length;
    return Z.map((sum, z) => sum + b[Math.floor(z / area)]);
  },

  backward(step, v, dZ) {
    const X = v[step.source.name];
    const w = v[step.parameters[0].name];
    const dX = new Float64Array(X.length);
    const dw = new Float64Array(w.length);
    const db = new Float64Array(step.parameters[1].shape[0]);
    visitProducts(step, (z, x, at) => {
      dX[x] += dZ[z] * w[at];
      dw[at] += dZ[z] * X[x];
    });
    for (let n = 0; n < db.length; n++) for (const z of positionsOf(step, n)) db[n] += dZ[z];
    return [dX, dw, db];
  },

  explain(step, v, z) {
    const { C, H, W, k, p } = sizesOf(step);
    const [n, i, j] = placeOf(step.output.shape, z);
    const [w, b] = step.parameters;
    const terms = [];
    for (let c = 0; c < C; c++) {
      for (let u = 0; u < k; u++) {
        for (let t = 0; t < k; t++) {
          const [r, s] = [i + u - p, j + t - p];
          if (r < 0 || r >= H || s < 0 || s >= W) continue;
          terms.push(productOf(v, factorOf(step.source, (c * H + r) * W + s), factorOf(w, ((n * C + c) * k + u) * k + t)));
        }
      }
    }
    const bias = factorOf(b, n);
    const [sums, c] = C > 1 ? ["Σ_c Σ_u Σ_v", "c"] : ["Σ_u Σ_v", "0"];
    const patch = `${step.source.name}[${c},${shifted("u", i - p)},${shifted("v", j - p)}]`;
    return madeOf(`${sums} ${patch}·${w.name}[${n},${c},u,v] + ${bias.label}`, [...terms, productOf(v, bias)]);
  },

  *readers(step, v, tensor, at) {
    const { C, H, W, N, h, width, k, p } = sizesOf(step);
    const [w, b] = step.parameters;
    const reader = (z, factor) => ({ i: z, derivative: v[factor.tensor.name][factor.i], reason: factor.label, factor });
    if (tensor === step.source) {
      const [c, r, s] = placeOf(tensor.shape, at);
      for (let n = 0; n < N; n++) {
        for (let u = 0; u < k; u++) {
          for (let t = 0; t < k; t++) {
            const [i, j] = [r + p - u, s + p - t];
            if (i < 0 || i >= h || j < 0 || j >= width) continue;
            yield reader((n * h + i) * width + j, factorOf(w, ((n * C + c) * k + u) * k + t));
          }
        }
      }
    } else if (tensor === w) {
      const [n, c, u, t] = placeOf(tensor.shape, at);
      for (let i = Math.max(0, p - u); i < Math.min(h, H + p - u); i++) {
        for (let j = Math.max(0, p - t); j < Math.min(width, W + p - t); j++) {
          yield reader((n * h + i) * width + j, factorOf(step.source, (c * H + i + u - p) * W + j + t - p));
        }
      }
    } else if (tensor === b) {
      for (const z of positionsOf(step, at)) yield { i: z, derivative: 1, reason: "a bias is added" };
    }
  },

  explainGradient(step, v, tensor, at, terms) {
    const dZ = step.output.gradient.name;
    const [w, b] = step.parameters;
    const { p } = sizesOf(step);
    if (tensor === w) {
      const [n, c, u, t] = placeOf(w.shape, at);
      const patch = `${step.source.name}[${c},${shifted("i", u - p)},${shifted("j", t - p)}]`;
      return madeOf(`Σ_i Σ_j ${dZ}[${n},i,j]·${patch}`, terms);
    }
    if (tensor === b) return madeOf(`Σ_i Σ_j ${dZ}[${at},i,j]`, terms, "every position added the bias once");
    const [c, r, s] = placeOf(tensor.shape, at);
    const [sums, n] = w.shape[0] > 1 ? ["Σ_n Σ_u Σ_v", "n"] : ["Σ_u Σ_v", "0"];
    const formula = `${sums} ${dZ}[${n},${r + p}−u,${s + p}−v]·${w.name}[${n},${c},u,v]`;
    return madeOf(formula, terms, `over the ${terms.length} product${terms.length === 1 ? "" : "s"} in which it was read`);
  },

  say(step) {
    const { C, k } = sizesOf(step);
    const [w, b] = step.parameters.map((tensor) => tensor.name);
    const [X, Z, dZ] = [step.source.name, step.output.name, step.output.gradient.name];
    const patch = C > 1 ? `${k}×${k} patch of all ${C} channels` : `${k}×${k} patch`;
    return {
      output: `${w} is laid on ${X} at every position: each number of ${Z} is the sum of a ${patch} times ${w}, plus ${b}.`,
      source: `Each number of ${X} gathers ${dZ} from every position that read it, each times the weight that it was read with.`,
      parameters: [
        `Each weight met one number of ${X} at every position: its derivative is the sum of those numbers times ${dZ}.`,
        `The bias was added at every position, so its derivative is the sum of ${dZ} over them.`,
      ],
    };
  },
};
