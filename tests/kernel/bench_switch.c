/* Benchmarks: from one thread to another on the same CPU, and a lock that
 * nobody else wants. */
#include <rayos/sync.h>

#include "bench.h"

#define LOCKS_PER_SAMPLE 64

struct pair {
    struct semaphore there, back;
    uint32_t rounds;
};

static void partner(void *arg)
{
    struct pair *p = arg;

    for (uint32_t i = 0; i < p->rounds; i++) {
        sem_wait(&p->there, TIME_NEVER);
        sem_post(&p->back);
    }
}

BENCH(context_switch, "half of a round trip by semaphores between two threads "
                      "of equal priority: one wake and one switch")
{
    struct pair p = {.rounds = rounds};
    const struct thread_attr attr = {
        .name = "bench partner",
        .entry = partner,
        .arg = &p,
        .priority = BENCH_PRIORITY,
        .affinity = 0,
    };
    struct thread *t;
    int err;

    sem_init(&p.there, 0);
    sem_init(&p.back, 0);
    err = thread_create(&attr, &t);
    if (err)
        return err;
    for (uint32_t i = 0; i < rounds; i++) {
        uint64_t start = arch_tsc();

        sem_post(&p.there);
        sem_wait(&p.back, TIME_NEVER);
        bench_record(result, (arch_tsc() - start) / 2);
    }
    err = thread_join(t, TIME_NEVER);
    thread_put(t);
    return err;
}

BENCH(mutex_lock_unlock, "64 times taking and giving a free mutex")
{
    struct mutex m;

    mutex_init(&m);
    for (uint32_t i = 0; i < rounds; i++) {
        uint64_t start = arch_tsc();

        for (int k = 0; k < LOCKS_PER_SAMPLE; k++) {
            mutex_lock(&m);
            mutex_unlock(&m);
        }
        bench_record(result, arch_tsc() - start);
    }
    return 0;
}
