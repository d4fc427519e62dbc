/*
 * What benchmarks inside the kernel are written with.
 *
 *	BENCH(yield, "a thread yields to nobody")
 *	{
 *	    for (uint32_t i = 0; i < rounds; i++) {
 *	        uint64_t start = arch_tsc();
 *
 *	        thread_yield();
 *	        bench_record(result, arch_tsc() - start);
 *	    }
 *	    return 0;
 *	}
 *
 * They run on CPU 0 at BENCH_PRIORITY, as their peers run as SCHED_FIFO.
 */
#ifndef TESTS_KERNEL_BENCH_H
#define TESTS_KERNEL_BENCH_H

#include <arch/cpu.h>
#include <rayos/bench.h>
#include <rayos/thread.h>

#define BENCH_PRIORITY PRIO_INTERRUPT

#define BENCH(ident, text)                                              \
    static int bench_body_##ident(uint32_t rounds,                      \
                                  struct bench_result *result);         \
    static const struct bench bench_##ident                             \
        __attribute__((used, section("rayos_benches"), aligned(8))) = { \
            #ident, text, bench_body_##ident};                          \
    static int bench_body_##ident(uint32_t rounds, struct bench_result *result)

static inline void bench_record(struct bench_result *r, uint64_t ticks)
{
    r->min = r->count && r->min < ticks ? r->min : ticks;
    r->max = r->max > ticks ? r->max : ticks;
    r->sum += ticks;
    r->count++;
}

#endif
