/* A training step of the network, image by image, in float32.

   The idea. Channels are innermost everywhere, so that one register holds the same place of several filters:

       X (H, W, C)                    Z (filters side by side in a register)               P (p, q, N)
       ┌───────────────┐              ┌─────┬─────┐
       │ patch ┌───┐   │   K·K·C      │ z00 │ z01 │   all s·s places of a pooling
       │ of z00│ · │   │  products    ├─────┼─────┤   window, in registers          ──▶  relu(max + b), stored
       │       └───┘   │ ──────────▶  │ z10 │ z11 │                                      and where the winner's patch
       └───────────────┘              └─────┴─────┘   Z is never in memory               begins, −1 if relu shuts

   Back. A window has one winner in each filter, and none where relu is shut. So only winners are visited:

       dL/dw[n]     += g · X[patch of the winner]           g = dL/dP of its window
       dL/dX[patch] += g · w[n]

   which is 1/s² of the definition's arithmetic, or less. Either each filter's winners are listed first (`list_winners`),
   or, with few channels, all places are visited and the losers count 0 (`backward_direct`).

   The bits. Every number that is a sum is one chain of fused multiply-adds in one order: Z over (row, channel, column) of
   the patch, dL/dw and dL/db over the windows, dL/dX over filters, rows of the patch and windows, the dense layer over 64
   interleaved chains. No order depends on the width of a register or on the number of threads: lanes of a batch are summed
   each for itself, by whichever thread, and added in their order. exp and log are made of double products and sums alone.

   Names are the note's. The file is compiled once for each kind of processor: VARIANT is a suffix for what it exports,
   LANES the floats in a register. */

#include <stdint.h>
#include <string.h>
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif
#ifdef _WIN32
__declspec(dllimport) int SwitchToThread(void);
#define YIELD() SwitchToThread()
#define EXPORT __declspec(dllexport)
#else
#include <sched.h>
#define YIELD() sched_yield()
#define EXPORT __attribute__((visibility("default")))
#endif

#define JOIN_(a, b) a##_##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(function) JOIN(function, VARIANT)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 32")
#define LOOP(i, n) UNROLL for (int i = 0; i < (n); i++)

#define L LANES
#if defined(__AVX512VL__) || defined(__aarch64__)
#define REGISTERS 32
#else
#define REGISTERS 16
#endif
#define MOST_BLOCKS 16
#define MOST_K 7       /* the largest kernel; an array whose size a compiler knows can be registers */
#define MOST_R 12      /* registers of a row of a patch that are summed together */
#define CHAINS 16      /* partial sums of the dense layer beside each other … */
#define ROWS_OF_CHAINS 4 /* … for as many windows in turn */
#define STRIP 24576    /* bytes of dL/dP and of winners that are listed at a time: they stay in the first cache */
#define PIECE 4096     /* numbers of a gradient that one thread adds up at a time */
#define PATIENCE 4000  /* looks for work before a thread sleeps */

typedef float vec __attribute__((vector_size(4 * L), aligned(4), may_alias));
typedef int32_t ivec __attribute__((vector_size(4 * L), aligned(4), may_alias));

INLINE vec all(float x) { return x - (vec){}; }
INLINE vec load(const float *at) { return *(const vec *)at; }
INLINE void store(float *at, vec x) { *(vec *)at = x; }
INLINE ivec pick(ivec where, ivec yes, ivec no) { return (where & yes) | (~where & no); }

/* a·b + c, rounded once where the processor can. */
INLINE vec fma_(vec a, vec b, vec c)
{
#if L == 16 && defined(__AVX512F__)
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif L == 8 && defined(__FMA__)
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif L == 4 && defined(__ARM_NEON)
    return (vec)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#else
    return a * b + c;
#endif
}

static int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/* ---- The network and its arrays ---------------------------------------------------------------------------------- */

typedef struct { /* one block: conv k×k → relu → max pooling s×s */
    int64_t C, stored_C; /* channels that are read, and as they lie in memory */
    int64_t H, W;        /* of its input, the padding included */
    int64_t N, stored_N; /* filters; stored: a multiple of L */
    int64_t p, q;
    int64_t vectors;            /* of a row of a patch, k·stored_C numbers */
    int64_t out_row, out_start; /* P lies inside the next block's input: numbers of a row, and before the first */
    int64_t X, P, winners;      /* places in a thread's room */
    int64_t dX;                 /* likewise, but for the first block */
    int64_t w, w_rows, b, real; /* places in the packed parameters: (filters, k, C, k, L…), (N, k, vectors·L), (N), (N) */
    int64_t dw, db;             /* places in a lane's sums: as w_rows, or (k, C, k, stored_N) if direct; (stored_N) */
    int64_t direct;
} Block;

typedef struct {
    int64_t channels, height, width, k, s, padding, outputs, blocks, filters[MOST_BLOCKS]; /* given */
    int64_t parameters, packed, sums, room; /* numbers in all: parameters, packed parameters, a lane's sums, a thread's room */
    int64_t D, T, dense_w, dense_b, dense_dw, dense_db, dF, at, g, most_winners; /* D = T·stored_N */
    Block block[MOST_BLOCKS];
} Net;
_Static_assert(sizeof(Net) < 1024 * sizeof(int64_t), "library.py has room for it");

typedef struct { /* a batch, and who works on it */
    const float *parameters, *X;
    const int64_t *y;     /* NULL: logits alone */
    const float *weights; /* of the images, or NULL */
    const int64_t *bounds;
    int64_t images, lanes;
    double m, smoothing;
    float *z;
    double *losses;   /* of the lanes */
    float *gradients; /* of all lanes, in the order of the parameters; NULL: the sums of each lane alone */
    float *packed, *sums, *rooms;
    int64_t threads;        /* that may work on it */
    int64_t finite;         /* whether all that was met is */
    int64_t ticket, done;   /* turn, parts and next part of the work that is posted; parts that are done */
    int64_t adding;         /* whether the parts are pieces of the sums; else they are lanes */
    int64_t stop;
} Job;

static void plan_block(Net *net, Block *B, int64_t C, int64_t stored_C, int64_t H, int64_t W, int64_t N, int first)
{
    const int64_t k = net->k, s = net->s;
    B->C = C, B->stored_C = stored_C, B->H = H, B->W = W, B->N = N, B->stored_N = round_up(N, L);
    B->p = (H - k + 1) / s, B->q = (W - k + 1) / s;
    B->vectors = round_up(k * stored_C, L) / L;
    B->direct = first && C <= 3 && ((k == 3 && s <= 3) || (k == 5 && s == 2 && C == 1 && REGISTERS == 32));
}

static int64_t take(int64_t *from, int64_t numbers)
{
    int64_t at = *from;
    *from += round_up(numbers, 16);
    return at;
}

/* Fill in what follows from what is given. */
EXPORT void NAME(plan)(Net *net)
{
    const int64_t k = net->k, border = net->padding;
    int64_t C = net->channels, stored_C = C, H = net->height, W = net->width;
    net->parameters = net->packed = net->sums = net->room = net->most_winners = 0;
    for (int64_t i = 0; i < net->blocks; i++) {
        Block *B = &net->block[i];
        plan_block(net, B, C, stored_C, H + 2 * border, W + 2 * border, net->filters[i], i == 0);
        const int64_t pixels = B->H * B->W, windows = B->p * B->q, N = B->stored_N, Nk = round_up(B->N, L) * k;
        B->X = i ? net->block[i - 1].P : take(&net->room, pixels * stored_C + L);
        const int64_t after = i + 1 < net->blocks ? border : 0; /* the padding of the next block */
        B->out_row = (B->q + 2 * after) * N, B->out_start = after * B->out_row + after * N;
        B->P = take(&net->room, (B->p + 2 * after) * B->out_row + L);
        B->winners = take(&net->room, windows * N);
        B->dX = i ? take(&net->room, pixels * stored_C + L) : 0;
        B->w = take(&net->packed, N * k * k * C);
        B->w_rows = take(&net->packed, Nk * B->vectors * L);
        B->b = take(&net->packed, N), B->real = take(&net->packed, N);
        B->dw = take(&net->sums, B->direct ? k * k * C * N : Nk * B->vectors * L);
        B->db = take(&net->sums, N);
        net->parameters += B->N * C * k * k + B->N;
        if (windows > net->most_winners) net->most_winners = windows;
        C = B->N, stored_C = N, H = B->p, W = B->q;
    }
    net->T = H * W, net->D = net->T * stored_C;
    net->dense_w = take(&net->packed, net->outputs * net->D), net->dense_b = take(&net->packed, net->outputs);
    net->dense_dw = take(&net->sums, net->outputs * net->D), net->dense_db = take(&net->sums, net->outputs);
    net->dF = take(&net->room, net->D + L);
    net->at = take(&net->room, net->most_winners + L), net->g = take(&net->room, net->most_winners + L);
    net->parameters += net->outputs * (net->T * C + 1);
}

/* ---- Forward ----------------------------------------------------------------------------------------------------- */

#define NARROW(S) ((S) == 4 && REGISTERS == 16 ? 2 : (S)) /* rows of a window whose Z fits the registers */
#define MOST_NV(S) ((S) >= 3 && REGISTERS == 16 ? 1 : 2)
#define ROOM_FOR(S, NV) (REGISTERS / 2 / ((S)*NARROW(S) * (NV)))
#define WIDE(S, NV) (ROOM_FOR(S, NV) < 1 ? 1 : ROOM_FOR(S, NV) > 8 ? 8 : ROOM_FOR(S, NV))

/* Z of J windows beside each other, A of their rows, for NV·L filters: the products of one channel in one row of the
   kernel. x is the first pixel, w (k, NV·L). K is k, or 0 where k is not a constant. */
INLINE void add_products(vec Z[], const float *x, int64_t row, int64_t C, const float *w, int64_t k, const int K, const int S,
                         const int A, const int J, const int NV)
{
    if (K) {
        vec taps[MOST_K][2];
        LOOP(v, K) LOOP(n, NV) taps[v][n] = load(w + (v * NV + n) * L);
        LOOP(a, A) LOOP(column, J * S + K - 1) {
            vec pixel = all(x[a * row + column * C]);
            LOOP(i, J * S) if (column - i >= 0 && column - i < K)
                LOOP(n, NV) Z[(a * J * S + i) * NV + n] = fma_(pixel, taps[column - i][n], Z[(a * J * S + i) * NV + n]);
        }
    } else
        for (int64_t v = 0; v < k; v++, x += C, w += NV * L) {
            vec tap[2];
            LOOP(n, NV) tap[n] = load(w + n * L);
            LOOP(a, A) LOOP(i, J * S) {
                vec pixel = all(x[a * row + i * C]);
                LOOP(n, NV) Z[(a * J * S + i) * NV + n] = fma_(pixel, tap[n], Z[(a * J * S + i) * NV + n]);
            }
        }
}

/* P and winners of J windows beside each other for NV·L filters; x is the first pixel of the first window. */
INLINE void pool_windows(const Block *B, const float *x, const float *w, const float *b, const int32_t *real, float *P,
                         int32_t *winners, int64_t k, const int K, const int S, const int J, const int NV)
{
    const int A = NARROW(S);
    const int64_t row = B->W * B->stored_C, C = B->stored_C, N = B->stored_N;
    vec best[8 * 2];
    ivec at[8 * 2];
    LOOP(top, S / A) {
        vec Z[REGISTERS];
        LOOP(i, A * J * S * NV) Z[i] = (vec){};
        const float *tap = w;
        for (int64_t u = 0; u < k; u++)
            for (int64_t c = 0; c < B->C; c++, tap += k * NV * L)
                add_products(Z, x + (top * A + u) * row + c, row, C, tap, k, K, S, A, J, NV);
        LOOP(j, J) LOOP(n, NV) LOOP(a, A) LOOP(i, S) {
            vec z = Z[(a * J * S + j * S + i) * NV + n], *most = &best[j * NV + n];
            ivec place = (ivec){} + (int32_t)((top * A + a) * row + i * C);
            if (top + a + i == 0) *most = z, at[j * NV + n] = place;
            else {
                ivec wins = ~(z <= *most) & (*most == *most); /* of equals the first; a NaN stays one */
                *most = (vec)pick(wins, (ivec)z, (ivec)*most);
                at[j * NV + n] = pick(wins, place, at[j * NV + n]);
            }
        }
    }
    LOOP(j, J) LOOP(n, NV) {
        vec z = best[j * NV + n] + load(b + n * L);
        ivec on = ~(z <= 0) & *(const ivec *)(real + n * L);
        *(ivec *)(P + j * N + n * L) = on & (ivec)z;
        *(ivec *)(winners + j * N + n * L) = at[j * NV + n] | ~on;
    }
}

/* All windows, for NV·L filters from n on. */
INLINE void pool_filters(const Net *net, const Block *B, const float *packed, float *room, int64_t n, const int K, const int S,
                         const int NV)
{
    const int64_t k = K ? K : net->k, N = B->stored_N, step = S * B->stored_C;
    const float *w = packed + B->w + n * k * k * B->C, *b = packed + B->b + n;
    const int32_t *real = (const int32_t *)(packed + B->real) + n;
    for (int64_t i = 0; i < B->p; i++) {
        const float *x = room + B->X + i * S * B->W * B->stored_C;
        float *P = room + B->P + B->out_start + i * B->out_row + n;
        int32_t *winners = (int32_t *)(room + B->winners) + i * B->q * N + n;
        int64_t j = 0;
        for (; j + WIDE(S, NV) <= B->q; j += WIDE(S, NV))
            pool_windows(B, x + j * step, w, b, real, P + j * N, winners + j * N, k, K, S, WIDE(S, NV), NV);
        for (; j < B->q; j++)
            pool_windows(B, x + j * step, w, b, real, P + j * N, winners + j * N, k, K, S, 1, NV);
    }
}

INLINE void forward_block(const Net *net, const Block *B, const float *packed, float *room, const int K, const int S)
{
    for (int64_t n = 0; n < B->stored_N;) {
        if (MOST_NV(S) == 2 && B->stored_N - n >= 2 * L) pool_filters(net, B, packed, room, n, K, S, MOST_NV(S)), n += 2 * L;
        else pool_filters(net, B, packed, room, n, K, S, 1), n += L;
    }
}

/* P and winners of a block, in the form that is made for its pooling window, and for the commonest kernels. */
static void forward(const Net *net, const Block *B, const float *packed, float *room)
{
#define FORM(K, S) if ((K == 0 || net->k == K) && net->s == S) forward_block(net, B, packed, room, K, S); else
    FORM(3, 1) FORM(3, 2) FORM(3, 3) FORM(5, 2) FORM(0, 1) FORM(0, 2) FORM(0, 3) FORM(0, 4) return;
#undef FORM
}

/* The chains' sum, in pairs. */
INLINE float add_chains(const vec chains[ROWS_OF_CHAINS][CHAINS / L])
{
    float sum[CHAINS];
    LOOP(r, CHAINS / L) store(sum + r * L, (chains[0][r] + chains[1][r]) + (chains[2][r] + chains[3][r]));
    for (int half = CHAINS / 2; half; half /= 2)
        for (int i = 0; i < half; i++) sum[i] += sum[i + half];
    return sum[0];
}

/* z = w·F + b. The chain of a product is that of its window and of its filter, modulo 4 and 16. */
static void dense(const Net *net, const float *packed, const float *F, float *z)
{
    const int64_t N = net->D / net->T;
    for (int64_t k = 0; k < net->outputs; k++) {
        const float *w = packed + net->dense_w + k * net->D;
        vec chains[ROWS_OF_CHAINS][CHAINS / L];
        LOOP(t, ROWS_OF_CHAINS) LOOP(r, CHAINS / L) chains[t][r] = (vec){};
        for (int64_t t = 0; t < net->T; t += ROWS_OF_CHAINS)
            LOOP(i, ROWS_OF_CHAINS) if (t + i < net->T)
                for (int64_t n = 0; n < N; n += CHAINS) LOOP(r, CHAINS / L) if (n + r * L < N) {
                    const int64_t d = (t + i) * N + n + r * L;
                    chains[i][r] = fma_(load(w + d), load(F + d), chains[i][r]);
                }
        z[k] = add_chains(chains) + packed[net->dense_b + k];
    }
}

/* ---- The loss ---------------------------------------------------------------------------------------------------- */

/* e^x for x ≤ 0, to the last bit but one: e^x = 2^n · e^r with |r| ≤ log(2)/2. */
static double exp_(double x)
{
    if (!(x > -708)) return x != x ? x : 0;
    const int64_t n = (int64_t)(x * 1.4426950408889634 - 0.5); /* rounds to the nearest, as x ≤ 0 */
    const double r = x - (double)n * 0x1.62e42fee00000p-1 - (double)n * 0x1.a39ef35793c76p-33;
    double sum = 1;
    for (int i = 13; i; i--) sum = 1 + sum * r / i;
    const uint64_t bits = (uint64_t)(1023 + n) << 52;
    double power;
    memcpy(&power, &bits, 8);
    return sum * power;
}

/* log(1 + x) for x ≥ 0: log f = 2·(t + t³/3 + t⁵/5 + …) with t = (f − 1)/(f + 1), for 1 + x = 2^n · f, f ≤ √2. */
static double log1p_(double x)
{
    if (!(x <= 1e300)) return x;
    double n = 0, f = 1 + x, less = x; /* less: f − 1 */
    for (; f > 1.4142135623730951; n++) f /= 2, less = f - 1;
    const double t = less / (2 + less), t2 = t * t;
    double sum = 0;
    for (int i = 27; i > 0; i -= 2) sum = sum * t2 + 1.0 / i;
    return n * 0.6931471805599453 + 2 * t * sum;
}

/* The loss of an image with a single logit z, and dL/dz of it: for the label 0, t = z, and for 1, t = −z. */
static double sigmoid_loss(float z, int64_t y, double smoothing, double *dz)
{
    const double t = y ? -(double)z : (double)z, e = exp_(t < 0 ? t : -t);
    const double sigma = (t < 0 ? e : 1) / (1 + e);
    dz[0] = (y ? -1 : 1) * (sigma - smoothing / 2);
    return (t > 0 ? t : 0) + log1p_(e) - smoothing / 2 * t;
}

/* The same for K logits: A − q, where A[y] − 1 is minus the sum of the others, lest a small one is lost. */
static double softmax_loss(const float *z, int64_t K, int64_t y, double smoothing, double *dz)
{
    int64_t most = 0;
    for (int64_t k = 1; k < K; k++) if (z[k] > z[most] || z[k] != z[k]) most = k;
    double below_most = 0, others = 0, mean = 0;
    for (int64_t k = 0; k < K; k++) {
        dz[k] = exp_((double)z[k] - z[most]);
        if (k != most) below_most += dz[k];
        if (k != y) others += dz[k];
        mean += ((double)z[k] - z[y]) / K;
    }
    for (int64_t k = 0; k < K; k++)
        dz[k] = (k == y ? -others : dz[k]) / (1 + below_most) + smoothing * ((k == y) - 1.0 / K);
    return (double)z[most] - z[y] + log1p_(below_most) - smoothing * mean;
}

/* ---- Back -------------------------------------------------------------------------------------------------------- */

/* dL/dw and dL/db of the dense layer are added to, and dF = wᵀ·dz is set. */
static void backward_dense(const Net *net, const float *packed, const float *F, const float *dz, float *dF, float *sums)
{
    const float *w = packed + net->dense_w;
    float *dw = sums + net->dense_dw;
    for (int64_t k = 0; k < net->outputs; k++) sums[net->dense_db + k] += dz[k];
    for (int64_t d = 0; d < net->D; d += L) {
        vec sum = {}, f = load(F + d);
        for (int64_t k = 0, at = d; k < net->outputs; k++, at += net->D) {
            sum = fma_(all(dz[k]), load(w + at), sum);
            store(dw + at, fma_(all(dz[k]), f, load(dw + at)));
        }
        store(dF + d, sum);
    }
}

/* Where dL/dP of a window lies: P and its gradient are inside the next block's input. */
INLINE const float *row_of_dP(const Block *B, const float *dP, int64_t i) { return dP + B->out_start + i * B->out_row; }

/* dL/db += dL/dP wherever relu is open. */
static void backward_bias(const Block *B, const float *dP, const int32_t *winners, float *db)
{
    for (int64_t n = 0; n < B->stored_N; n += L) {
        vec sum = load(db + n);
        for (int64_t i = 0; i < B->p; i++)
            for (int64_t j = 0; j < B->q; j++) {
                const int64_t at = j * B->stored_N + n;
                ivec shut = *(const ivec *)(winners + i * B->q * B->stored_N + at) < 0;
                sum += (vec)((ivec)load(row_of_dP(B, dP, i) + at) & ~shut);
            }
        store(db + n, sum);
    }
}

/* dL/dw (k, C, k, N) of a block with few channels: all places of each window, of which the losers add 0. L filters are in
   a register, and the sums of one channel's K·K taps in others. */
INLINE void backward_direct(const Block *B, const float *X, const float *dP, const int32_t *winners, float *dw, const int K,
                            const int S)
{
    const int64_t N = B->stored_N, C = B->stored_C, row = B->W * C;
    for (int64_t n = 0; n < N; n += L) for (int64_t c = 0; c < B->C; c++) {
        float *d = dw + c * K * N + n;
        vec sum[MOST_K][MOST_K];
        LOOP(u, K) LOOP(v, K) sum[u][v] = load(d + (u * B->C * K + v) * N);
        for (int64_t i = 0; i < B->p; i++) {
            const float *x = X + i * S * row + c, *g = row_of_dP(B, dP, i) + n;
            const int32_t *at = winners + i * B->q * N + n;
            for (int64_t j = 0; j < B->q; j++, x += S * C, g += N, at += N)
                LOOP(a, S) LOOP(b, S) {
                    __asm__ volatile("" : "+r"(x)); /* else pixels take the registers, and sums go through memory */
                    vec dz = (vec)((ivec)load(g) & (*(const ivec *)at == (int32_t)(a * row + b * C)));
                    LOOP(u, K) LOOP(v, K) sum[u][v] = fma_(dz, all(x[(a + u) * row + (b + v) * C]), sum[u][v]);
                }
        }
        LOOP(u, K) LOOP(v, K) store(d + (u * B->C * K + v) * N, sum[u][v]);
    }
}

/* The winners of a filter in some rows of windows: where in X the patch of each begins, and g = dL/dP. */
static int64_t list_winners(const Block *B, const float *dP, const int32_t *winners, int64_t n, int64_t first, int64_t end,
                            int64_t S, int32_t *at, float *g)
{
    const int64_t N = B->stored_N, C = B->stored_C;
    int64_t count = 0;
    for (int64_t i = first; i < end; i++) {
        const int32_t *place = winners + i * B->q * N + n;
        const float *gradient = row_of_dP(B, dP, i) + n;
        int32_t window = (int32_t)(i * S * B->W * C);
        for (int64_t j = 0; j < B->q; j++, place += N, gradient += N, window += (int32_t)(S * C)) {
            at[count] = window + *place;
            g[count] = *gradient;
            count += *place >= 0;
        }
    }
    return count;
}

/* U rows of dL/dw[n], R registers of each: the sum of g·X over the list. */
INLINE void add_patches(const float *X, int64_t row, const int32_t *at, const float *g, int64_t count, float *dw,
                        int64_t dw_row, const int U, const int R)
{
    vec sum[MOST_K][MOST_R];
    LOOP(u, U) LOOP(r, R) sum[u][r] = load(dw + u * dw_row + r * L);
    for (int64_t e = 0; e < count; e++) {
        const float *x = X + at[e];
        vec ge = all(g[e]);
        LOOP(u, U) LOOP(r, R) sum[u][r] = fma_(ge, load(x + u * row + r * L), sum[u][r]);
    }
    LOOP(u, U) LOOP(r, R) store(dw + u * dw_row + r * L, sum[u][r]);
}

/* dL/dw[n] (k, vectors·L), in parts of as many sums as there are registers for. */
static void backward_weights(const Block *B, int64_t k, const float *X, const int32_t *at, const float *g, int64_t count, float *dw)
{
    const int64_t row = B->W * B->stored_C, dw_row = B->vectors * L;
#define PART(R, U)                                                                                     \
    for (; u + U <= k; u += U) add_patches(X + r * L + u * row, row, at, g, count, dw + r * L + u * dw_row, dw_row, U, R);
    for (int64_t r = 0; r < B->vectors;) {
        int64_t u = 0, left = B->vectors - r;
#if REGISTERS == 32
        if (left >= 12) { PART(12, 2) PART(12, 1) r += 12; }
        else if (left >= 6) { PART(6, 3) PART(6, 1) r += 6; }
#else
        if (left >= 12) { PART(12, 1) r += 12; }
        else if (left >= 6) { PART(6, 2) PART(6, 1) r += 6; }
#endif
        else if (left >= 3) { PART(3, 3) PART(3, 1) r += 3; }
        else if (left == 2) { PART(2, 5) PART(2, 3) PART(2, 1) r += 2; }
        else { PART(1, 7) PART(1, 5) PART(1, 3) PART(1, 1) r += 1; }
    }
#undef PART
}

/* dL/dX += g·w[n] at the list's patches, one row of the patches after the other; R registers of each, or vectors if R is 0. */
INLINE void backward_input(const Block *B, int64_t k, const float *w, const int32_t *at, const float *g, int64_t count, float *dX,
                           const int R)
{
    const int64_t row = B->W * B->stored_C;
    for (int64_t u = 0; u < k; u++, w += B->vectors * L, dX += row) {
        vec taps[MOST_R];
        LOOP(r, R) taps[r] = load(w + r * L);
        for (int64_t e = 0; e < count; e++) {
            vec ge = all(g[e]);
            float *x = dX + at[e];
            if (R) LOOP(r, R) store(x + r * L, fma_(ge, taps[r], load(x + r * L)));
            else for (int64_t r = 0; r < B->vectors; r++) store(x + r * L, fma_(ge, load(w + r * L), load(x + r * L)));
        }
    }
}

/* dL/dw of a block from its winners, and dL/dX if somebody reads it; a few rows of windows at a time. */
static void backward_winners(const Net *net, const Block *B, const float *packed, const float *dP, float *dX, float *room, float *dw)
{
    const int32_t *winners = (const int32_t *)(room + B->winners);
    const int64_t k = net->k, size = k * B->vectors * L;
    int32_t *at = (int32_t *)(room + net->at);
    float *g = room + net->g;
    int64_t rows = STRIP / (B->q * B->N * 8);
    if (rows < 1) rows = 1;
    if (dX) memset(dX, 0, (size_t)(B->H * B->W * B->stored_C) * 4);
    for (int64_t top = 0; top < B->p; top += rows)
        for (int64_t n = 0; n < B->N; n++) {
            const int64_t end = top + rows < B->p ? top + rows : B->p;
            const int64_t count = list_winners(B, dP, winners, n, top, end, net->s, at, g);
            backward_weights(B, k, room + B->X, at, g, count, dw + n * size);
            const float *w = packed + B->w_rows + n * size;
            if (!dX) continue;
            else if (B->vectors == 3) backward_input(B, k, w, at, g, count, dX, 3);
            else if (B->vectors == 6) backward_input(B, k, w, at, g, count, dX, 6);
            else if (B->vectors == 12) backward_input(B, k, w, at, g, count, dX, 12);
            else backward_input(B, k, w, at, g, count, dX, 0);
        }
}

/* dL/dw and dL/db of a block are added to; dX is set, unless it is NULL. */
static void backward(const Net *net, const Block *B, const float *packed, const float *dP, float *dX, float *room, float *sums)
{
    const int32_t *winners = (const int32_t *)(room + B->winners);
    backward_bias(B, dP, winners, sums + B->db);
#define FORM(K, S) if (B->direct && net->k == K && net->s == S) backward_direct(B, room + B->X, dP, winners, sums + B->dw, K, S); else
    FORM(3, 1) FORM(3, 2) FORM(3, 3)
#if REGISTERS == 32
    FORM(5, 2)
#endif
    backward_winners(net, B, packed, dP, dX, room, sums + B->dw);
#undef FORM
}

/* ---- A lane ------------------------------------------------------------------------------------------------------ */

/* Whether all numbers are finite: x·0 is 0 then. */
static int all_finite(const float *x, int64_t count)
{
    vec sum = {};
    int64_t i = 0;
    for (; i + L <= count; i += L) sum += load(x + i) * 0;
    float rest = 0;
    for (int l = 0; l < L; l++) rest += sum[l];
    for (; i < count; i++) rest += x[i] * 0;
    return rest == 0;
}

/* An image (C, H, W) as the first block reads it: (H, W, C), inside its padding. */
static void place_image(const Net *net, const float *image, float *X)
{
    const int64_t C = net->channels, W = net->width, pixels = net->height * W, row = net->block[0].W * C;
    X += net->padding * (row + C);
    if (C == 1) for (int64_t i = 0; i < net->height; i++) memcpy(X + i * row, image + i * W, (size_t)W * 4);
    else
        for (int64_t i = 0; i < net->height; i++)
            for (int64_t j = 0; j < W; j++)
                for (int64_t c = 0; c < C; c++) X[i * row + j * C + c] = image[c * pixels + i * W + j];
}

/* Through all blocks: the logits. */
static void run_image(const Net *net, const float *packed, const float *image, float *room, float *z)
{
    place_image(net, image, room + net->block[0].X);
    for (int64_t i = 0; i < net->blocks; i++) forward(net, &net->block[i], packed, room);
    dense(net, packed, room + net->block[net->blocks - 1].P, z);
}

/* And back, from dz of the image: adds to the lane's sums. */
static void walk_back(const Net *net, const float *packed, const float *dz, float *room, float *sums)
{
    const Block *last = &net->block[net->blocks - 1];
    float *dP = room + net->dF;
    backward_dense(net, packed, room + last->P, dz, dP, sums);
    for (const Block *B = last; B >= net->block; B--) {
        float *dX = B > net->block ? room + B->dX : NULL;
        backward(net, B, packed, dP, dX, room, sums);
        dP = dX;
    }
}

static int finite_inside(const Net *net, const float *room)
{
    int finite = 1;
    for (int64_t i = 0; i < net->blocks; i++) {
        const Block *B = &net->block[i];
        if (!i) finite &= all_finite(room + B->X, B->H * B->W * B->stored_C);
        finite &= all_finite(room + B->P + B->out_start, (B->p - 1) * B->out_row + B->q * B->stored_N);
    }
    return finite;
}

/* The images of a lane in their order: its logits, its loss, its sums. */
static void run_lane(const Net *net, Job *job, int64_t lane, float *room)
{
    const int64_t K = net->outputs, size = net->channels * net->height * net->width;
    float *sums = job->sums + lane * net->sums;
    double loss = 0, slope[K];
    float dz[K];
    if (job->y) memset(sums, 0, (size_t)net->sums * 4);
    for (int64_t i = job->bounds[lane]; i < job->bounds[lane + 1]; i++) {
        float *z = job->z + i * K;
        run_image(net, job->packed, job->X + i * size, room, z);
        if (!job->y) continue;
        if (!finite_inside(net, room)) __atomic_store_n(&job->finite, 0, __ATOMIC_RELAXED);
        const double share = (job->weights ? job->weights[i] : 1) / job->m;
        loss += share * (K == 1 ? sigmoid_loss(z[0], job->y[i], job->smoothing, slope)
                                : softmax_loss(z, K, job->y[i], job->smoothing, slope));
        for (int64_t k = 0; k < K; k++) dz[k] = (float)(slope[k] * share);
        walk_back(net, job->packed, dz, room, sums);
    }
    if (job->y) job->losses[lane] = loss;
}

/* ---- Between the order of the parameters and ours ---------------------------------------------------------------- */

#define EACH_WEIGHT(B, k) /* w[n, c, u, v], in the order of the parameters */ \
    for (int64_t n = 0; n < (B)->N; n++) for (int64_t c = 0; c < (B)->C; c++)            \
        for (int64_t u = 0; u < (k); u++) for (int64_t v = 0; v < (k); v++)

/* Where w[n, c, u, v] lies in `w`: filters in groups as the forward pass takes them. */
static int64_t place_of_weight(const Net *net, const Block *B, int64_t n, int64_t c, int64_t u, int64_t v)
{
    const int64_t k = net->k, pair = MOST_NV(net->s) * L;
    int64_t group = n / pair * pair, size = B->stored_N - group < pair ? L : pair;
    return group * k * k * B->C + ((u * B->C + c) * k + v) * size + n - group;
}

/* And in `w_rows`, or in `dw` unless it is direct. */
static int64_t place_in_rows(const Block *B, int64_t k, int64_t n, int64_t c, int64_t u, int64_t v)
{
    return (n * k + u) * B->vectors * L + v * B->stored_C + c;
}

/* Pack the parameters, w1, b1, …, in the order of each pass. */
static void pack(const Net *net, const float *from, float *to)
{
    const int64_t k = net->k;
    for (int64_t i = 0; i < net->blocks; i++) {
        const Block *B = &net->block[i];
        EACH_WEIGHT(B, k) {
            to[B->w + place_of_weight(net, B, n, c, u, v)] = *from;
            if (i) to[B->w_rows + place_in_rows(B, k, n, c, u, v)] = *from;
            from++;
        }
        for (int64_t n = 0; n < B->N; n++) ((int32_t *)(to + B->real))[n] = -1;
        memcpy(to + B->b, from, (size_t)B->N * 4), from += B->N;
    }
    const int64_t T = net->T, stored_N = net->D / T, N = net->block[net->blocks - 1].N;
    for (int64_t o = 0; o < net->outputs; o++)
        for (int64_t n = 0; n < N; n++)
            for (int64_t t = 0; t < T; t++) to[net->dense_w + o * net->D + t * stored_N + n] = *from++;
    memcpy(to + net->dense_b, from, (size_t)net->outputs * 4);
}

/* A lane's sums as gradients in the order of the parameters. */
EXPORT void NAME(unpack)(const Net *net, const float *from, float *to)
{
    const int64_t k = net->k;
    for (int64_t i = 0; i < net->blocks; i++) {
        const Block *B = &net->block[i];
        EACH_WEIGHT(B, k)
            *to++ = from[B->dw + (B->direct ? ((u * B->C + c) * k + v) * B->stored_N + n : place_in_rows(B, k, n, c, u, v))];
        memcpy(to, from + B->db, (size_t)B->N * 4), to += B->N;
    }
    const int64_t T = net->T, stored_N = net->D / T, N = net->block[net->blocks - 1].N;
    for (int64_t o = 0; o < net->outputs; o++)
        for (int64_t n = 0; n < N; n++)
            for (int64_t t = 0; t < T; t++) *to++ = from[net->dense_dw + o * net->D + t * stored_N + n];
    memcpy(to, from + net->dense_db, (size_t)net->outputs * 4);
}

/* ---- Threads ----------------------------------------------------------------------------------------------------- */

/* Lanes, or pieces of the sums, are handed out one at a time to whoever asks: a thread that is late costs nothing. The
   ticket holds the turn, the number of parts and the next part in one number, so that nobody takes part of a past turn. */
#define TURN(ticket) ((uint64_t)(ticket) >> 32)
#define PARTS(ticket) ((ticket) >> 16 & 0xffff)
#define NEXT(ticket) ((ticket)&0xffff)

static void post(Job *job, int64_t parts, int64_t adding)
{
    job->adding = adding;
    __atomic_store_n(&job->done, 0, __ATOMIC_RELAXED);
    const int64_t turn = (int64_t)TURN(job->ticket) + 1;
    __atomic_store_n(&job->ticket, (int64_t)((uint64_t)turn << 32 | (uint64_t)parts << 16), __ATOMIC_RELEASE);
}

/* One piece of the sums: lane after lane, into the first. */
static void add_piece(const Net *net, Job *job, int64_t piece)
{
    const int64_t first = piece * PIECE, end = first + PIECE < net->sums ? first + PIECE : net->sums;
    for (int64_t lane = 1; lane < job->lanes; lane++) {
        const float *from = job->sums + lane * net->sums;
        for (int64_t i = first; i < end; i += L) store(job->sums + i, load(job->sums + i) + load(from + i));
    }
}

/* Take parts until there are none left. */
static void work(const Net *net, Job *job, float *room)
{
    int64_t ticket = __atomic_load_n(&job->ticket, __ATOMIC_ACQUIRE);
    while (NEXT(ticket) < PARTS(ticket)) {
        if (!__atomic_compare_exchange_n(&job->ticket, &ticket, ticket + 1, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) continue;
        if (job->adding) add_piece(net, job, NEXT(ticket));
        else run_lane(net, job, NEXT(ticket), room);
        __atomic_add_fetch(&job->done, 1, __ATOMIC_ACQ_REL);
        ticket = __atomic_load_n(&job->ticket, __ATOMIC_ACQUIRE);
    }
}

static void pause_(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Work with the others until all parts are done. */
static void finish(const Net *net, Job *job, int64_t parts)
{
    work(net, job, job->rooms);
    for (int64_t looks = 0; __atomic_load_n(&job->done, __ATOMIC_ACQUIRE) < parts; looks++)
        if (looks < PATIENCE) pause_();
        else YIELD();
}

/* What a thread does: work on what is posted, until nothing has been for a while. */
EXPORT void NAME(serve)(const Net *net, Job *job, int64_t thread)
{
    for (int64_t looks = 0; looks < PATIENCE && !__atomic_load_n(&job->stop, __ATOMIC_ACQUIRE); looks++) {
        const int64_t ticket = __atomic_load_n(&job->ticket, __ATOMIC_ACQUIRE);
        if (NEXT(ticket) < PARTS(ticket) && thread < job->threads) work(net, job, job->rooms + thread * net->room), looks = 0;
        else pause_();
    }
}

/* Whether labels and lanes can be what they should be: what is written elsewhere must not depend on a caller's mistake. */
static int in_order(const Net *net, const Job *job)
{
    const int64_t classes = net->outputs == 1 ? 2 : net->outputs;
    int right = job->bounds[0] >= 0 && job->bounds[job->lanes] <= job->images && job->lanes < 1 << 16;
    for (int64_t lane = 0; lane < job->lanes; lane++) right &= job->bounds[lane] <= job->bounds[lane + 1];
    if (job->y) for (int64_t i = 0; i < job->images; i++) right &= job->y[i] >= 0 && job->y[i] < classes;
    return right;
}

/* Hand out the lanes of a batch to whoever is awake, and to those who are woken after: 1, or 0 for labels and lanes that cannot
   be. */
EXPORT int64_t NAME(begin)(const Net *net, Job *job)
{
    if (!in_order(net, job)) return 0;
    pack(net, job->parameters, job->packed);
    job->finite = !job->y || all_finite(job->parameters, net->parameters);
    post(job, job->lanes, 0);
    return 1;
}

/* What has begun: logits, and losses and gradients where there are labels. Tells whether all that was met is finite. */
EXPORT int64_t NAME(complete)(const Net *net, Job *job)
{
    finish(net, job, job->lanes);
    if (!job->y) return 1;
    if (!job->gradients) return job->finite && all_finite(job->sums, net->sums * job->lanes);
    const int64_t pieces = (net->sums + PIECE - 1) / PIECE;
    if (job->lanes > 1) post(job, pieces, 1), finish(net, job, pieces);
    NAME(unpack)(net, job->sums, job->gradients);
    return job->finite && all_finite(job->gradients, net->parameters);
}

/* ---- Which variants a processor can run; in one of them -------------------------------------------------------------- */

#ifdef DETECT
#ifdef __x86_64__
#include <cpuid.h>

/* 2 for AVX-512, 1 for AVX2 with fused multiply-add, else 0: what the processor has and the system saves registers for. Not
   __builtin_cpu_supports, which answers 0 to everything where a compiler brings a library of its own. */
static int vector_level(void)
{
    unsigned a, b, c, d, saved, high;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (~c & (1u << 12 | 1u << 27 | 1u << 28))) return 0; /* FMA, OSXSAVE, AVX */
    __asm__ volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    if ((saved & 0x6) != 0x6 || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & 1u << 5)) return 0; /* AVX2 */
    const unsigned avx512 = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31; /* F, DQ, BW, VL */
    return (saved & 0xe6) == 0xe6 && !(~b & avx512) ? 2 : 1;
}
#endif

/* Whether this processor, and its system, can run a variant. */
EXPORT int supports(const char *variant)
{
#ifdef __x86_64__
    if (!strcmp(variant, "avx2")) return vector_level() >= 1;
    if (!strncmp(variant, "avx512", 6)) return vector_level() == 2;
#elif defined(__aarch64__)
    if (!strcmp(variant, "neon")) return 1;
#endif
    return !strcmp(variant, "plain");
}
#endif
