// The network. A value is {shape, data}: data holds its numbers row by row.

function tensor(shape, data) {
  const size = shape.reduce((a, b) => a * b, 1);
  return { shape, data: data || new Float64Array(size) };
}

// Z[n,i,j] = b[n] + Σ_c Σ_u Σ_v X[c,i+u-p,j+v-p]·w[n,c,u,v], where X is 0 outside the image.
function conv(X, w, b, p) {
  const [C, H, W] = X.shape, [N, , k] = w.shape;
  const rows = H + 2 * p - k + 1, columns = W + 2 * p - k + 1;
  const Z = tensor([N, rows, columns]);
  for (let n = 0; n < N; n++) {
    const start = n * rows * columns;
    Z.data.fill(b.data[n], start, start + rows * columns);
    for (let c = 0; c < C; c++) for (let u = 0; u < k; u++) for (let v = 0; v < k; v++) {
      const weight = w.data[((n * C + c) * k + u) * k + v];
      const left = Math.max(0, p - v), right = Math.min(columns, W + p - v);
      for (let i = Math.max(0, p - u); i < Math.min(rows, H + p - u); i++) {
        const z = start + i * columns, x = (c * H + i + u - p) * W + v - p;
        for (let j = left; j < right; j++) Z.data[z + j] += weight * X.data[x + j];
      }
    }
  }
  return Z;
}

// max(Z, 0)
function relu(Z) {
  return tensor(Z.shape, Z.data.map((z) => Math.max(z, 0)));
}

// Each s×s window becomes one number; a rest that fills no window is dropped.
function pool(A, s, combine) {
  const [N, h, w] = A.shape, rows = Math.floor(h / s), columns = Math.floor(w / s);
  const P = tensor([N, rows, columns]), window = new Float64Array(s * s);
  for (let n = 0; n < N; n++) for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
    for (let a = 0; a < s; a++) for (let b = 0; b < s; b++)
      window[a * s + b] = A.data[(n * h + s * i + a) * w + s * j + b];
    P.data[(n * rows + i) * columns + j] = combine(window);
  }
  return P;
}

function maxpool(A, s) {
  return pool(A, s, (window) => window.reduce((a, b) => Math.max(a, b)));
}

function avgpool(A, s) {
  return pool(A, s, (window) => window.reduce((a, b) => a + b) / window.length);
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
