/* Runs the kernel on small networks of all kernels and pooling windows, every array exactly as large as it must be: for
   compilers that watch memory and undefined behaviour. Includes the kernel, of which VARIANT and LANES choose a variant. */

#include "kernel.c"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Net net;
static Job job;

static float number(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / (1 << 23) - 1;
}

/* Whole numbers where `ties`, so that windows have several winners. */
static float *numbers(int64_t count, int ties)
{
    float *all = malloc((size_t)count * 4);
    for (int64_t i = 0; i < count; i++) all[i] = ties ? (float)(int)(2 * number()) : number();
    return all;
}

/* What the kernel writes to; aligned as NumPy's arrays are at least. */
static float *zeros(int64_t count) { return calloc((size_t)count, 4); }

static void *help(void *nothing)
{
    while (!__atomic_load_n(&job.stop, __ATOMIC_ACQUIRE)) NAME(serve)(&net, &job, 1);
    return nothing;
}

static void run(int64_t k, int64_t s, int64_t channels, int64_t blocks, int64_t padding, int64_t outputs, int ties)
{
    const int64_t m = 5, bounds[] = {0, 2, 2, 5}, filters[] = {9, 5, 3};
    net = (Net){.channels = channels, .k = k, .s = s, .padding = padding, .outputs = outputs, .blocks = blocks};
    net.height = net.width = 1;
    for (int64_t i = 0; i < blocks; i++) {
        net.filters[i] = filters[i];
        net.height = net.height * s + k - 1;
    }
    net.width = net.height + 1, net.height += s - 1;
    NAME(plan)(&net);
    float *parameters = numbers(net.parameters, ties), *X = numbers(m * channels * net.height * net.width, ties);
    float *weights = numbers(m, 0), *z = zeros(m * outputs), *gradients = zeros(net.parameters);
    float *packed = zeros(net.packed), *sums = zeros(3 * net.sums), *rooms = zeros(2 * net.room);
    memset(sums, 0xff, (size_t)(3 * net.sums) * 4); /* not numbers, of which nothing may be left */
    double *losses = calloc(3, 8);
    int64_t *y = calloc(m, 8);
    y[1] = 1, y[4] = outputs > 1 ? outputs - 1 : 1;
    job = (Job){.parameters = parameters, .X = X, .y = y, .weights = weights, .bounds = bounds, .images = m, .lanes = 3,
                .m = 5, .smoothing = 0.1, .z = z, .losses = losses, .gradients = gradients, .packed = packed, .sums = sums,
                .rooms = rooms, .threads = 2};
    pthread_t helper;
    pthread_create(&helper, NULL, help, NULL);
    for (int each = 0; each < 2; each++, job.gradients = NULL)
        if (!NAME(begin)(&net, &job) || !NAME(complete)(&net, &job)) fprintf(stderr, "k %d, s %d: not finite\n", (int)k, (int)s), exit(2);
    job.y = NULL;
    NAME(begin)(&net, &job), NAME(complete)(&net, &job);
    __atomic_store_n(&job.stop, 1, __ATOMIC_RELEASE);
    pthread_join(helper, NULL);
    void *all[] = {parameters, X, weights, z, gradients, packed, sums, rooms, losses, y};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

int main(void)
{
    int count = 0;
    for (int64_t k = 1; k <= 7; k++)
        for (int64_t s = 1; s <= 4; s++)
            for (int64_t channels = 1; channels <= 4; channels++)
                for (int64_t blocks = 1; blocks <= (s > 2 ? 2 : 3); blocks++, count++)
                    run(k, s, channels, blocks, (k + channels) % 3 % k, blocks % 2 ? 1 : 3, (int)(channels % 2));
    printf("%d networks\n", count);
    return 0;
}
