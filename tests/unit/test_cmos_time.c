/* sources: drivers/rtc/cmos_time.c */
/* What the registers of a CMOS clock mean: BCD and binary, twelve and
 * twenty-four hours, leap years, centuries, and bytes that are no time. */
#include <errno.h>
#include <time.h>

#include "../../drivers/rtc/cmos_time.h"
#include "check.h"

#define BCD_24    CMOS_B_24_HOURS
#define BINARY_24 (CMOS_B_24_HOURS | CMOS_B_BINARY)
#define BCD_12    0
#define BINARY_12 CMOS_B_BINARY

/* 2031-02-03 04:05:06 UTC */
#define SOME_TIME INT64_C(1927857906)

/* BCD registers, 24 hours. */
static struct cmos_time bcd(unsigned century, unsigned year, unsigned month,
                            unsigned day, unsigned hour)
{
    return (struct cmos_time){
        .minute = 0x59,
        .second = 0x58,
        .hour = (uint8_t)hour,
        .day = (uint8_t)day,
        .month = (uint8_t)month,
        .year = (uint8_t)year,
        .century = (uint8_t)century,
        .status_b = BCD_24,
    };
}

static int64_t decode(struct cmos_time t, bool has_century)
{
    int64_t seconds = -12345;
    int err = cmos_time_decode(&t, has_century, &seconds);

    return err ? err : seconds;
}

/* The host's calendar. */
static int64_t host_time(int year, int month, int day, int hour, int minute,
                         int second)
{
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second};

    return timegm(&tm);
}

TEST(all_four_formats_mean_the_same)
{
    const struct cmos_time times[] = {
        {0x06, 0x05, 0x04, 0x03, 0x02, 0x31, 0x20, BCD_24},
        {6, 5, 4, 3, 2, 31, 20, BINARY_24},
        {0x06, 0x05, 0x04, 0x03, 0x02, 0x31, 0x20, BCD_12},
        {6, 5, 4, 3, 2, 31, 20, BINARY_12},
    };

    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(decode(times[i], true), SOME_TIME);
}

TEST(the_afternoon_is_twelve_hours_later)
{
    static const struct {
        uint8_t bcd, binary, hour;
    } hours[] = {
        {0x12, 12, 0},          {0x01, 1, 1},           {0x11, 11, 11},
        {0x12 | 0x80, 140, 12}, {0x01 | 0x80, 129, 13}, {0x11 | 0x80, 139, 23},
    };

    for (unsigned i = 0; i < 6; i++) {
        struct cmos_time t = bcd(0x20, 0x31, 0x02, 0x03, hours[i].bcd);
        int64_t expected = host_time(2031, 2, 3, hours[i].hour, 59, 58);

        t.status_b = BCD_12;
        CHECK_EQ(decode(t, true), expected);
        t = (struct cmos_time){58, 59, hours[i].binary, 3, 2,
                               31, 20, BINARY_12};
        CHECK_EQ(decode(t, true), expected);
    }
}

TEST(an_hour_that_a_dial_does_not_have_is_refused)
{
    static const uint8_t hours[] = {0x00, 0x80, 0x13, 0x93, 0x0a, 0x8f, 0x7f};

    for (unsigned i = 0; i < sizeof(hours); i++) {
        struct cmos_time t = bcd(0x20, 0x31, 0x02, 0x03, hours[i]);

        t.status_b = BCD_12;
        CHECK_EQ(decode(t, true), -EIO);
    }
    CHECK_EQ(decode(bcd(0x20, 0x31, 0x02, 0x03, 0x24), true), -EIO);
    CHECK_EQ(decode(bcd(0x20, 0x31, 0x02, 0x03, 0x85), true), -EIO);
}

TEST(leap_years_have_a_day_more)
{
    CHECK_EQ(decode(bcd(0x20, 0x28, 0x02, 0x29, 0x23), true),
             host_time(2028, 2, 29, 23, 59, 58));
    CHECK_EQ(decode(bcd(0x20, 0x27, 0x02, 0x29, 0x23), true), -EIO);
    CHECK_EQ(decode(bcd(0x20, 0x00, 0x02, 0x29, 0), true), /* by 400 */
             host_time(2000, 2, 29, 0, 59, 58));
    CHECK_EQ(decode(bcd(0x21, 0x00, 0x02, 0x29, 0), true), -EIO); /* by 100 */
    CHECK_EQ(decode(bcd(0x21, 0x00, 0x02, 0x28, 0), true),
             host_time(2100, 2, 28, 0, 59, 58));
    CHECK_EQ(decode(bcd(0x21, 0x00, 0x03, 0x01, 0), true),
             host_time(2100, 3, 1, 0, 59, 58));
}

TEST(without_a_century_years_from_70_on_are_the_last_ones)
{
    CHECK_EQ(decode(bcd(0, 0x70, 0x01, 0x01, 0), false),
             host_time(1970, 1, 1, 0, 59, 58));
    CHECK_EQ(decode(bcd(0, 0x99, 0x12, 0x31, 0), false),
             host_time(1999, 12, 31, 0, 59, 58));
    CHECK_EQ(decode(bcd(0, 0x00, 0x01, 0x01, 0), false),
             host_time(2000, 1, 1, 0, 59, 58));
    CHECK_EQ(decode(bcd(0, 0x69, 0x12, 0x31, 0), false),
             host_time(2069, 12, 31, 0, 59, 58));
    /* A register that does not exist is not looked at. */
    CHECK_EQ(decode(bcd(0x21, 0x24, 0x01, 0x01, 0), false),
             host_time(2024, 1, 1, 0, 59, 58));
}

TEST(a_century_that_cannot_be_is_not_believed)
{
    static const uint8_t centuries[] = {0, 0x18, 0x30, 0x99, 0xff, 0x1a};

    for (unsigned i = 0; i < sizeof(centuries); i++)
        CHECK_EQ(decode(bcd(centuries[i], 0x24, 0x01, 0x01, 0), true),
                 host_time(2024, 1, 1, 0, 59, 58));
    CHECK_EQ(decode(bcd(0x19, 0x69, 0x12, 0x31, 0), true), -EIO); /* 1969 */
}

TEST(bytes_that_are_no_time_are_refused)
{
    const struct cmos_time good = bcd(0x20, 0x31, 0x02, 0x03, 0x04);
    static const uint8_t bad[6][4] = {
        {0x60, 0x0a, 0xa0, 0xff}, {0x60, 0x5a, 0x99, 0xff},
        {0x24, 0x1a, 0x30, 0xff}, {0x00, 0x29, 0x32, 0xff},
        {0x00, 0x13, 0x0a, 0xff}, {0x0a, 0xa0, 0xfa, 0xff},
    };

    CHECK(decode(good, true) > 0);
    for (unsigned field = 0; field < 6; field++) {
        for (unsigned i = 0; i < 4; i++) {
            struct cmos_time t = good;

            memcpy((uint8_t *)&t + field, &bad[field][i], 1);
            CHECK_EQ(decode(t, true), -EIO);
        }
    }
    CHECK_EQ(decode((struct cmos_time){0}, true), -EIO);
}

/* Every day from 1970 to 2262, and some hours of each, against the host's
 * calendar, in all formats. */
TEST(what_is_written_is_read_again)
{
    static const uint8_t formats[] = {BCD_24, BINARY_24, BCD_12, BINARY_12};

    for (int64_t day = 0; day < 106751; day++) {
        uint8_t b = formats[day % 4];
        int64_t seconds = day * 86400 + day * 7919 % 86400;
        struct cmos_time t = {.status_b = b};
        time_t s = (time_t)seconds;
        struct tm tm;

        CHECK_EQ(cmos_time_encode(seconds, true, &t), 0);
        CHECK_EQ(t.status_b, b);
        CHECK_EQ(decode(t, true), seconds);
        gmtime_r(&s, &tm);
        if (b == BINARY_24) {
            CHECK_EQ(t.century * 100 + t.year, tm.tm_year + 1900);
            CHECK_EQ(t.month, tm.tm_mon + 1);
            CHECK_EQ(t.day, tm.tm_mday);
            CHECK_EQ(t.hour, tm.tm_hour);
            CHECK_EQ(t.second, tm.tm_sec);
        }
        if (check_failures > 10)
            return;
    }
}

TEST(a_year_that_the_clock_cannot_hold_is_refused)
{
    struct cmos_time t = {.status_b = BCD_24};

    CHECK_EQ(cmos_time_encode(-1, true, &t), -EINVAL);
    CHECK_EQ(cmos_time_encode(host_time(2069, 12, 31, 23, 59, 59), false, &t),
             0);
    CHECK_EQ(cmos_time_encode(host_time(2070, 1, 1, 0, 0, 0), false, &t),
             -EINVAL);
    CHECK_EQ(cmos_time_encode(host_time(2070, 1, 1, 0, 0, 0), true, &t), 0);
    CHECK_EQ(cmos_time_encode(host_time(2999, 12, 31, 23, 59, 59), true, &t),
             0);
    CHECK_EQ(cmos_time_encode(host_time(3000, 1, 1, 0, 0, 0), true, &t),
             -EINVAL);
    CHECK_EQ(cmos_time_encode(INT64_MAX, true, &t), -EINVAL);
}

CHECK_MAIN
