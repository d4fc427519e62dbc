/* Between clock.c, its calibration and the reference clocks. */
#ifndef ARCH_CLOCK_H
#define ARCH_CLOCK_H

#include <rayos/types.h>

/* A counter of known rate that the TSC is measured against. */
struct clock_reference {
    const char *name;
    uint64_t hz;
    uint64_t mask; /* the counter wraps to 0 after this value */
    uint64_t (*read)(void);
};

/* The best one of this machine, ready to be read; NULL when it has none. Boot.
 */
const struct clock_reference *clock_reference_find(void);

struct clock_rates {
    uint64_t tsc_hz;
    uint64_t lapic_hz; /* of the timer, divided by 1 */
};

/* Measure both against `ref`; about 160 ms. Boot, interrupts off (it turns them
 * on between). The timer vector must have a handler. */
void clock_calibrate(const struct clock_reference *ref,
                     struct clock_rates *out);

/* Set the mode of this CPU's timer. CPU start, after lapic_init_cpu. */
void clock_event_init_cpu(void);

/* TSC rate by CPUID (leaf 0x15, or the hypervisor's 0x40000010), 0 unknown. */
uint64_t clock_cpuid_hz(void);

#endif
