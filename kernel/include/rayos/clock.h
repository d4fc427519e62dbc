/*
 * Time. One monotonic clock for the whole machine, from the TSC, whose rate is
 * measured once at boot against a second source (ACPI PM timer, HPET or PIT)
 * and is the same value everywhere; the wall clock is in rayos/rtc.h. Any
 * context.
 */
#ifndef RAYOS_CLOCK_H
#define RAYOS_CLOCK_H

#include <rayos/types.h>

/* Nanoseconds since the kernel's entry; never goes back, on any CPU. */
nstime_t clock_now(void);
/* Ticks of the TSC per second, and what it was measured against ("pm-timer",
 * "hpet", "pit", "cpuid"). */
uint64_t clock_tsc_hz(void);
const char *clock_source(void);
/* TSC ticks that the boot CPU slept while that was measured, before there were
 * threads whose time is counted. */
uint64_t clock_calibration_idle(void);
/* TSC ticks to nanoseconds since the kernel's entry. */
nstime_t clock_from_tsc(uint64_t tsc);
/* TSC value at a deadline, UINT64_MAX for TIME_NEVER. */
uint64_t clock_to_tsc(nstime_t t);
/* Busy wait, for hardware delays of microseconds. */
void clock_delay(nstime_t ns);

/* --- for timer.c and arch only: the one-shot hardware timer of this CPU.
 * Interrupts off. --- */
/* Interrupt at `deadline` (at once when it has passed); TIME_NEVER: none. */
void clock_event_arm(nstime_t deadline);

#endif
