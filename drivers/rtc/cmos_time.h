/*
 * What the registers of a CMOS clock (Motorola MC146818A data sheet; Intel PCH
 * data sheets, "RTC registers") mean, and back. Pure; any context. The clock is
 * taken to run in UTC.
 */
#ifndef DRIVERS_RTC_CMOS_TIME_H
#define DRIVERS_RTC_CMOS_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* Register B. */
#define CMOS_B_24_HOURS 0x02 /* else 12, with a bit for the afternoon */
#define CMOS_B_BINARY   0x04 /* else BCD */

struct cmos_time {
    uint8_t second, minute, hour, day, month, year;
    uint8_t century; /* meaningless when the machine has no such register */
    uint8_t status_b;
};

/* Seconds since 1970. -EIO: these bytes are no time. `has_century`: that
 * register exists; one that holds nonsense is not believed. */
int cmos_time_decode(const struct cmos_time *t, bool has_century,
                     int64_t *unix_seconds);
/* The registers for a time, in the format that t->status_b says. -EINVAL: a
 * year that does not fit. */
int cmos_time_encode(int64_t unix_seconds, bool has_century,
                     struct cmos_time *t);

#endif
