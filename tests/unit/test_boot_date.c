/* sources: kernel/boot/date.c */
/* The firmware's calendar in Unix seconds, against the host's C library. */
#define _DEFAULT_SOURCE
#include "check.h"

#include <time.h>

#include "kernel/boot/date.h"

static int64_t unix_of(unsigned year, unsigned month, unsigned day, int zone)
{
    struct date d = {year, month, day, 12, 34, 56, zone};

    return date_to_unix(&d);
}

TEST(every_day_of_two_centuries_agrees_with_the_host)
{
    for (int64_t t = 43200; t < INT64_C(7258118400); t += 86400) {
        time_t host = (time_t)t;
        struct tm tm;
        struct date d;

        gmtime_r(&host, &tm);
        d = (struct date){(unsigned)tm.tm_year + 1900,
                          (unsigned)tm.tm_mon + 1,
                          (unsigned)tm.tm_mday,
                          (unsigned)tm.tm_hour,
                          (unsigned)tm.tm_min,
                          (unsigned)tm.tm_sec,
                          DATE_ZONE_UNKNOWN};
        if (date_to_unix(&d) != t) {
            CHECK_EQ(date_to_unix(&d), t);
            return;
        }
    }
}

TEST(the_zone_is_added)
{
    int64_t utc = unix_of(2024, 2, 29, 0);

    CHECK_EQ(utc, 1709210096);
    CHECK_EQ(unix_of(2024, 2, 29, DATE_ZONE_UNKNOWN), utc);
    CHECK_EQ(unix_of(2024, 2, 29, -60), utc - 3600);
    CHECK_EQ(unix_of(2024, 2, 29, 1440), utc + 86400);
}

TEST(a_date_that_is_none_gives_zero)
{
    static const struct date bad[] = {
        {1969, 12, 31, 0, 0, 0, 0},   {2023, 2, 29, 0, 0, 0, 0},
        {2023, 0, 1, 0, 0, 0, 0},     {2023, 13, 1, 0, 0, 0, 0},
        {2023, 4, 31, 0, 0, 0, 0},    {2023, 4, 0, 0, 0, 0, 0},
        {2023, 4, 1, 24, 0, 0, 0},    {2023, 4, 1, 0, 60, 0, 0},
        {2023, 4, 1, 0, 0, 60, 0},    {2023, 4, 1, 0, 0, 0, 1441},
        {2023, 4, 1, 0, 0, 0, -1441}, {65535, 4, 1, 0, 0, 0, 0},
        {2100, 2, 29, 0, 0, 0, 0},    {1970, 1, 1, 0, 0, 0, -60},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_EQ(date_to_unix(&bad[i]), 0);
}

CHECK_MAIN
