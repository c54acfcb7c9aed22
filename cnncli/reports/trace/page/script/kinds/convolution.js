// Z[n,i,j] = Σ_c Σ_u Σ_v X[c,t·i+d·u−p,t·j+d·v−p]·w[n,c,u,v] + b[n]; what lies outside X is 0 and no term.

import { factorOf, madeOf, placeOf, productOf, running } from "../tensors.js";

/** Padding p, stride t, dilation d, and the lengths of all axes. */
function sizesOf(step) {
  const [C, H, W] = step.source.shape;
  const [N, h, width] = step.output.shape;
  const { p, t = 1, d = 1 } = step.options;
  return { C, H, W, N, h, width, k: step.parameters[0].shape[3], p, t, d };
}

/** The positions from `first` to below `end` that read a row of X, of `length`, with row u of the kernel. */
function positionsInside(u, positions, length, { p, t, d }) {
  const first = Math.max(0, Math.ceil((p - d * u) / t));
  return [first, Math.max(first, Math.min(positions, Math.floor((length - 1 + p - d * u) / t) + 1))];
}

/** Every row of products X·w, from z and x on `count` of them: each array meets its terms in the order of the sums. */
function visitRows(step, visit) {
  const sizes = sizesOf(step);
  const { C, H, W, N, h, width, k, p, t, d } = sizes;
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      for (let u = 0; u < k; u++) {
        const [top, bottom] = positionsInside(u, h, H, sizes);
        for (let s = 0; s < k; s++) {
          const [left, right] = positionsInside(s, width, W, sizes);
          const at = ((n * C + c) * k + u) * k + s;
          for (let i = top; i < bottom; i++) {
            const x = (c * H + t * i + d * u - p) * W + t * left + d * s - p;
            visit((n * h + i) * width + left, x, at, right - left);
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
  options: ["p", "t", "d"],

  adds(step) {
    const { C, N, h, width, k } = sizesOf(step);
    return [C * k * k + 1, N * k * k, h * width, h * width];
  },

  forward(step, v) {
    const X = v[step.source.name];
    const [w, b] = step.parameters.map((tensor) => v[tensor.name]);
    const Z = new Float64Array(v[step.output.name].length);
    const { t } = sizesOf(step);
    visitRows(step, (z, x, at, count) => {
      for (let j = 0; j < count; j++) Z[z + j] += X[x + t * j] * w[at];
    });
    const area = Z.length / b.length;
    for (let z = 0; z < Z.length; z++) Z[z] += b[Math.floor(z / area)];
    return Z;
  },

  backward(step, v, dZ) {
    const X = v[step.source.name];
    const w = v[step.parameters[0].name];
    const dX = new Float64Array(X.length);
    const dw = new Float64Array(w.length);
    const db = new Float64Array(step.parameters[1].shape[0]);
    const { t } = sizesOf(step);
    visitRows(step, (z, x, at, count) => {
      let sum = dw[at];
      for (let j = 0; j < count; j++) {
        dX[x + t * j] += dZ[z + j] * w[at];
        sum += dZ[z + j] * X[x + t * j];
      }
      dw[at] = sum;
    });
    for (let n = 0; n < db.length; n++) for (const z of positionsOf(step, n)) db[n] += dZ[z];
    return [dX, dw, db];
  },

  explain(step, v, z) {
    const { C, H, W, k, p, t, d } = sizesOf(step);
    const [n, i, j] = placeOf(step.output.shape, z);
    const [w, b] = step.parameters;
    const terms = [];
    for (let c = 0; c < C; c++) {
      for (let u = 0; u < k; u++) {
        for (let s = 0; s < k; s++) {
          const [row, column] = [t * i + d * u - p, t * j + d * s - p];
          if (row < 0 || row >= H || column < 0 || column >= W) continue;
          terms.push(productOf(v, factorOf(step.source, (c * H + row) * W + column), factorOf(w, ((n * C + c) * k + u) * k + s)));
        }
      }
    }
    const bias = factorOf(b, n);
    const [sums, c] = C > 1 ? ["Σ_c Σ_u Σ_v", "c"] : ["Σ_u Σ_v", "0"];
    const patch = `${step.source.name}[${c},${running(d, "u", t * i - p)},${running(d, "v", t * j - p)}]`;
    return madeOf(`${sums} ${patch}·${w.name}[${n},${c},u,v] + ${bias.label}`, [...terms, productOf(v, bias)]);
  },

  *readers(step, v, tensor, at) {
    const sizes = sizesOf(step);
    const { C, H, W, N, h, width, k, p, t, d } = sizes;
    const [w, b] = step.parameters;
    const reader = (z, factor) => ({ i: z, derivative: v[factor.tensor.name][factor.i], factor });
    if (tensor === step.source) {
      const [c, row, column] = placeOf(tensor.shape, at);
      for (let n = 0; n < N; n++) {
        for (let u = 0; u < k; u++) {
          for (let s = 0; s < k; s++) {
            const [i, j] = [(row + p - d * u) / t, (column + p - d * s) / t];
            if (!Number.isInteger(i) || !Number.isInteger(j) || i < 0 || i >= h || j < 0 || j >= width) continue;
            yield reader((n * h + i) * width + j, factorOf(w, ((n * C + c) * k + u) * k + s));
          }
        }
      }
    } else if (tensor === w) {
      const [n, c, u, s] = placeOf(tensor.shape, at);
      const [top, bottom] = positionsInside(u, h, H, sizes);
      const [left, right] = positionsInside(s, width, W, sizes);
      for (let i = top; i < bottom; i++) {
        for (let j = left; j < right; j++) {
          const x = (c * H + t * i + d * u - p) * W + t * j + d * s - p;
          yield reader((n * h + i) * width + j, factorOf(step.source, x));
        }
      }
    } else if (tensor === b) {
      for (const z of positionsOf(step, at)) yield { i: z, derivative: 1, reason: "a bias is added" };
    }
  },

  explainGradient(step, v, tensor, at, terms) {
    const dZ = step.output.gradient.name;
    const [w, b] = step.parameters;
    const { p, t, d } = sizesOf(step);
    if (tensor === w) {
      const [n, c, u, s] = placeOf(w.shape, at);
      const patch = `${step.source.name}[${c},${running(t, "i", d * u - p)},${running(t, "j", d * s - p)}]`;
      return madeOf(`Σ_i Σ_j ${dZ}[${n},i,j]·${patch}`, terms);
    }
    if (tensor === b) return madeOf(`Σ_i Σ_j ${dZ}[${at},i,j]`, terms, "every position added the bias once");
    const [c, row, column] = placeOf(tensor.shape, at);
    const [sums, n] = w.shape[0] > 1 ? ["Σ_n Σ_u Σ_v", "n"] : ["Σ_u Σ_v", "0"];
    const position = `${backwards(row + p, d, "u", t)},${backwards(column + p, d, "v", t)}`;
    const formula = `${sums} ${dZ}[${n},${position}]·${w.name}[${n},${c},u,v]`;
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

/** The position that reads a place with a row of the kernel: "4−u", "(4−2·u)/3". */
function backwards(at, times, letter, by) {
  const difference = `${at}−${running(times, letter, 0)}`;
  return by > 1 ? `(${difference})/${by}` : difference;
}
