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
#include <rayos/block.h>
#include <rayos/thread.h>

#define BENCH_PRIORITY PRIO_INTERRUPT

#define BENCH(ident, text)                                              \
    static int bench_body_##ident(uint32_t rounds,                      \
                                  struct bench_result *result);         \
    static const struct bench bench_##ident                             \
        __attribute__((used, section("rayos_benches"), aligned(8))) = { \
            #ident, text, bench_body_##ident};                          \
    static int bench_body_##ident(uint32_t rounds, struct bench_result *result)

/* The disk that benchmarks read and write, with a reference; NULL. */
struct block_device *bench_disk(void);

/* Threads that allocate and switch all the time, as many as there are CPUs and
 * one more; with `flood` others that read and write bench_disk(). Thread
 * context; after an error, too, the load is to be stopped. */
int bench_load_start(bool flood);
void bench_load_stop(void);

static inline void bench_record(struct bench_result *r, uint64_t ticks)
{
    r->min = r->count && r->min < ticks ? r->min : ticks;
    r->max = r->max > ticks ? r->max : ticks;
    r->sum += ticks;
    r->count++;
}

#endif
