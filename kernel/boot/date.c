/*
 * The firmware's clock gives a calendar date, the kernel wants seconds. Pure;
 * loader and host tests.
 */
#include "kernel/boot/date.h"

#include <stdbool.h>

#define ZONE_MAX 1440

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned month_length(unsigned year, unsigned month)
{
    static const uint8_t length[] = {31, 28, 31, 30, 31, 30,
                                     31, 31, 30, 31, 30, 31};

    return length[month - 1] + (month == 2 && is_leap(year));
}

static bool date_is_valid(const struct date *d)
{
    if (d->year < 1970 || d->year > 9999 || d->month < 1 || d->month > 12)
        return false;
    if (d->day < 1 || d->day > month_length(d->year, d->month))
        return false;
    if (d->hour > 23 || d->minute > 59 || d->second > 59)
        return false;
    return d->zone == DATE_ZONE_UNKNOWN ||
           (d->zone >= -ZONE_MAX && d->zone <= ZONE_MAX);
}

int64_t date_to_unix(const struct date *d)
{
    int64_t days, seconds;

    if (!date_is_valid(d))
        return 0;
    days = (int64_t)(d->year - 1970) * 365 + d->day - 1;
    /* Leap days of the years that are over: from 1972 on. */
    for (unsigned y = 1972; y < d->year; y += 4)
        days += is_leap(y);
    for (unsigned m = 1; m < d->month; m++)
        days += month_length(d->year, m);
    seconds = ((days * 24 + d->hour) * 60 + d->minute) * 60 + d->second;
    if (d->zone != DATE_ZONE_UNKNOWN)
        seconds += d->zone * 60;
    return seconds > 0 ? seconds : 0;
}
