/*
 * Wall-clock time: the monotonic clock plus an offset that is read from the
 * CMOS clock (MC146818A) at boot. Thread context unless said.
 */
#ifndef RAYOS_RTC_H
#define RAYOS_RTC_H

#include <rayos/types.h>

/* Nanoseconds since 1970-01-01 00:00 UTC; counted from the start of the kernel
 * on a machine without a clock. Any context. */
int64_t wall_clock_now(void);
/* Step the wall clock, and when `hardware` the CMOS clock too. 0, -EINVAL for a
 * year the CMOS clock cannot hold, -ETIMEDOUT, -EIO: it does not keep what was
 * written, -ENODEV: `hardware`, and there is no such clock. The wall clock is
 * stepped all the same but for -EINVAL. */
int wall_clock_set(int64_t unix_ns, bool hardware);
/* Seconds since 1970 as the CMOS clock says now; -EIO when it makes no sense,
 * -ETIMEDOUT, -ENODEV. */
int rtc_read(int64_t *unix_seconds);

/* --- for drivers of clocks --- */

/* Thread context, one call at a time; they answer as rtc_read, and -EINVAL for
 * a time that the clock cannot hold. */
struct rtc_ops {
    int (*read)(int64_t *unix_seconds);
    int (*write)(int64_t unix_seconds);
};

/* From now on this is the machine's clock, and the wall clock follows it if the
 * two are apart. -EBUSY: there is one. */
int rtc_attach(const struct rtc_ops *ops);
/* No call of it runs any more on return. */
void rtc_detach(const struct rtc_ops *ops);

#endif
