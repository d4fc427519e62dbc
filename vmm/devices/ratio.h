/*
 * Exact conversions between the host's nanoseconds and the ticks of a guest's
 * clocks: always from a start, never step by step, so nothing drifts. Pure.
 */
#ifndef VMM_DEVICES_RATIO_H
#define VMM_DEVICES_RATIO_H

#include <rayos/types.h>

/* a * b / c, rounded down, by a 128-bit product; UINT64_MAX when it does not
 * fit. c > 0. */
static inline uint64_t ratio_scale(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t high, low, rest;

    __asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(a), "rm"(b) : "cc");
    if (high >= c)
        return UINT64_MAX;
    __asm__("divq %4"
            : "=a"(low), "=d"(rest)
            : "a"(low), "d"(high), "rm"(c)
            : "cc");
    return low;
}

/* How many ticks of a clock of `hz` lie in `ns`. */
static inline uint64_t ratio_ticks(nstime_t ns, uint64_t hz)
{
    return ratio_scale(ns, hz, NS_PER_SEC);
}

/* When tick number `ticks` happens: the first nanosecond at which ratio_ticks
 * says so. */
static inline nstime_t ratio_ns(uint64_t ticks, uint64_t hz)
{
    nstime_t ns = ratio_scale(ticks, NS_PER_SEC, hz);

    return ns != UINT64_MAX && ratio_ticks(ns, hz) < ticks ? ns + 1 : ns;
}

#endif
