// The network. A value is {shape, data}: data holds its numbers row by row.

function tensor(shape, data) {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: data || new Float64Array(size) };
}

// Z[n,i,j] = b[n] + Σ_c Σ_u Σ_v X[c,t·i+d·u-p,t·j+d·v-p]·w[n,c,u,v], where X is 0 outside the image.
function conv(X, w, b, p, t, d) {
  const [C, H, W] = X.shape, [N, , k] = w.shape, reach = d * (k - 1) + 1;
  const rows = Math.floor((H + 2 * p - reach) / t) + 1, columns = Math.floor((W + 2 * p - reach) / t) + 1;
  const Z = tensor([N, rows, columns]);
  for (let n = 0; n < N; n++) {
    const start = n * rows * columns;
    Z.data.fill(b.data[n], start, start + rows * columns);
    for (let c = 0; c < C; c++) for (let u = 0; u < k; u++) for (let v = 0; v < k; v++) {
      const weight = w.data[((n * C + c) * k + u) * k + v], right = d * v - p;
      const first = Math.max(0, Math.ceil(-right / t)), last = Math.min(columns, Math.ceil((W - right) / t));
      for (let i = 0; i < rows; i++) {
        const row = t * i + d * u - p;
        if (row < 0 || row >= H) continue;
        const z = start + i * columns, x = (c * H + row) * W + right;
        for (let j = first; j < last; j++) Z.data[z + j] += weight * X.data[x + t * j];
      }
    }
  }
  return Z;
}

// max(Z, 0)
function relu(Z) {
  return tensor(Z.shape, Z.data.map((z) => Math.max(z, 0)));
}

// Each s×s window, t from one to the next, becomes one number; a rest that fills no window is dropped.
function pool(A, s, t, combine) {
  const [N, h, w] = A.shape, rows = Math.floor((h - s) / t) + 1, columns = Math.floor((w - s) / t) + 1;
  const P = tensor([N, rows, columns]), window = new Float64Array(s * s);
  for (let n = 0; n < N; n++) for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
    for (let a = 0; a < s; a++) for (let b = 0; b < s; b++)
      window[a * s + b] = A.data[(n * h + t * i + a) * w + t * j + b];
    P.data[(n * rows + i) * columns + j] = combine(window);
  }
  return P;
}

function maxpool(A, s, t) {
  return pool(A, s, t, (window) => window.reduce((a, b) => Math.max(a, b)));
}

function avgpool(A, s, t) {
  return pool(A, s, t, (window) => window.reduce((a, b) => a + b) / window.length);
}

function flatten(P) {
  return tensor([P.data.length], P.data);
}

// z[k] = Σ_d w[k,d]·F[d] + b[k]
function dense(F, w, b) {
  const [K, D] = w.shape, z = tensor([K]);
  for (let k = 0; k < K; k++) {
    let sum = b.data[k];
    for (let d = 0; d < D; d++) sum += w.data[k * D + d] * F.data[d];
    z.data[k] = sum;
  }
  return z;
}

// Two classes: 1 - σ(z) and σ(z), written so that nothing overflows.
function sigmoid(z) {
  const [value] = z.data, e = Math.exp(-Math.abs(value));
  const small = e / (1 + e), large = 1 / (1 + e);
  return value < 0 ? [large, small] : [small, large];
}

// e^z[k] / Σ_j e^z[j], shifted so that nothing overflows.
function softmax(z) {
  const largest = z.data.reduce((a, b) => Math.max(a, b));
  const e = Array.from(z.data, (value) => Math.exp(value - largest));
  const sum = e.reduce((a, b) => a + b);
  return e.map((value) => value / sum);
}
