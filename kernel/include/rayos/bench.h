/*
 * Benchmarks of what only the kernel can measure about itself: switches, wakes,
 * locks. They are part of every image and refused unless the command line says
 * `testhooks`; written with tests/kernel/bench.h. Thread context.
 */
#ifndef RAYOS_BENCH_H
#define RAYOS_BENCH_H

#include <rayos/types.h>

/* Ticks of the TSC, one sample per operation. */
struct bench_result {
    uint64_t count, min, max, sum;
};

struct bench {
    const char *name;
    const char *sentence; /* what one sample is */
    /* Take `rounds` samples; 0 or negative errno. */
    int (*run)(uint32_t rounds, struct bench_result *result);
};

#define BENCH_ROUNDS_MAX 1000000

/* i-th benchmark for listings, NULL past the end. */
const struct bench *bench_at(size_t i);

/*
 * Run one on a thread of its own, of high priority, on CPU 0; one runs at a
 * time, others wait. -ENOENT: no such benchmark; -EINVAL: rounds outside
 * 1..BENCH_ROUNDS_MAX; -EPERM: no `testhooks`; -ENOMEM, -ECANCELED.
 */
int bench_run(const char *name, uint32_t rounds, struct bench_result *result);

#endif
