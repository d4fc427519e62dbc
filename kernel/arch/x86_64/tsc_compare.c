/*
 * Are two CPUs' TSCs in step? clock_now relies on it; a machine where they are
 * not is told so in the log. The CPU that starts another asks it for its TSC a
 * few times; the answer of the quickest exchange counts, half the exchange is
 * the error. Boot; interrupts off on both CPUs.
 */
#include <arch/cpu.h>
#include <arch/smp.h>
#include <rayos/clock.h>
#include <rayos/log.h>

#define ROUNDS    8
#define WAIT_LEAD (20 * NS_PER_MS) /* for an answer */
#define WAIT_ASK  (2 * NS_PER_SEC) /* for a question */
#define TOLERANCE NS_PER_US

static uint32_t asked, answered; /* atomic: number of the round */
static uint64_t answer;          /* the follower's TSC */

/* RDTSC may run ahead of earlier loads (Intel SDM 2B). */
static uint64_t tsc_ordered(void)
{
    __asm__ volatile("lfence" ::: "memory");
    return arch_tsc();
}

static bool wait_for(uint32_t *word, uint32_t value, nstime_t length)
{
    uint64_t start = arch_tsc();
    uint64_t ticks = clock_tsc_hz() / 1000 * (length / NS_PER_MS);

    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != value) {
        if (arch_tsc() - start > ticks)
            return false;
        arch_pause();
    }
    return true;
}

void tsc_compare_follow(void)
{
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        if (!wait_for(&asked, round, WAIT_ASK))
            return;
        answer = tsc_ordered();
        __atomic_store_n(&answered, round, __ATOMIC_RELEASE);
    }
}

static int64_t ticks_to_ns(int64_t ticks)
{
    int64_t per_us = (int64_t)(clock_tsc_hz() / 1000000);

    return per_us ? ticks * 1000 / per_us : 0;
}

void tsc_compare_lead(uint32_t other_id)
{
    int64_t best = INT64_MAX, offset = 0, distance;

    for (uint32_t round = 1; round <= ROUNDS; round++) {
        uint64_t before = tsc_ordered(), after;

        __atomic_store_n(&asked, round, __ATOMIC_RELEASE);
        if (!wait_for(&answered, round, WAIT_LEAD))
            break;
        after = tsc_ordered();
        if ((int64_t)(after - before) < best) {
            best = (int64_t)(after - before);
            offset = (int64_t)(answer - before) - best / 2;
        }
    }
    /* The next CPU starts with round 1 again; both counters are past it. */
    __atomic_store_n(&asked, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&answered, 0, __ATOMIC_RELEASE);
    if (best == INT64_MAX)
        return;
    distance = ticks_to_ns((offset < 0 ? -offset : offset) - best / 2);
    if (distance > (int64_t)TOLERANCE)
        log_warn("clock", "the TSC of CPU %u is %ld ns off", other_id,
                 (long)ticks_to_ns(offset));
}
