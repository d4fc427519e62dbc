/*
 * Wall-clock time: the monotonic clock plus an offset that is read from the
 * CMOS clock (MC146818A) at boot. Thread context unless said.
 */
#ifndef RAYOS_RTC_H
#define RAYOS_RTC_H

#include <rayos/types.h>

/* Nanoseconds since 1970-01-01 00:00 UTC. Any context. */
int64_t wall_clock_now(void);
/* Step the wall clock, and when `hardware` the CMOS clock too. 0, -EINVAL for a
 * year the CMOS clock cannot hold, -ETIMEDOUT. */
int wall_clock_set(int64_t unix_ns, bool hardware);
/* Seconds since 1970 as the CMOS clock says now; -EIO when it makes no sense,
 * -ETIMEDOUT. */
int rtc_read(int64_t *unix_seconds);

#endif
