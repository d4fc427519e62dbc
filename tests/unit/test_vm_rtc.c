/* sources: vmm/devices/rtc_registers.c */
/*
 * The guest's clock tells the time in every code, keeps what it is set to, and
 * interrupts at the rates of its data sheet.
 */
#include <stdlib.h>
#include <time.h>

#include "check.h"

#include "../../vmm/devices/rtc_registers.h"

#define NS INT64_C(1000000000)

static struct rtc_registers ready(void)
{
    struct rtc_registers r = {0};

    rtc_registers_reset(&r);
    return r;
}

static int bcd(uint8_t v)
{
    return (v >> 4) * 10 + (v & 15);
}

TEST(every_day_of_four_centuries_is_what_the_c_library_says)
{
    struct rtc_registers r = ready();

    for (time_t day = -30000; day < 100000; day++) {
        time_t t = day * 86400 + (day % 86399 + 86399) % 86399;
        struct tm tm;
        int64_t wall = (int64_t)t * NS + 5;

        gmtime_r(&t, &tm);
        if (bcd(rtc_registers_read(&r, RTC_DAY, wall)) != tm.tm_mday ||
            bcd(rtc_registers_read(&r, RTC_MONTH, wall)) != tm.tm_mon + 1 ||
            bcd(rtc_registers_read(&r, RTC_YEAR, wall)) !=
                (tm.tm_year + 1900) % 100 ||
            bcd(rtc_registers_read(&r, RTC_CENTURY, wall)) !=
                (tm.tm_year + 1900) / 100 ||
            bcd(rtc_registers_read(&r, RTC_HOURS, wall)) != tm.tm_hour ||
            bcd(rtc_registers_read(&r, RTC_MINUTES, wall)) != tm.tm_min ||
            bcd(rtc_registers_read(&r, RTC_SECONDS, wall)) != tm.tm_sec ||
            rtc_registers_read(&r, RTC_WEEKDAY, wall) != tm.tm_wday + 1) {
            CHECK_FAIL("day %ld differs", (long)day);
            break;
        }
    }
}

TEST(hours_come_in_twelve_and_twenty_four)
{
    static const int expected[][2] = {{0, 12},        {1, 1},
                                      {11, 11},       {12, 0x80 | 12},
                                      {13, 0x80 | 1}, {23, 0x80 | 11}};
    struct rtc_registers r = ready();

    rtc_registers_write(&r, RTC_B, RTC_B_BINARY, 0);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQ(rtc_registers_read(&r, RTC_HOURS, expected[i][0] * 3600 * NS),
                 expected[i][1]);
}

static void set(struct rtc_registers *r, const uint8_t *v, int64_t wall)
{
    static const uint8_t where[] = {RTC_SECONDS, RTC_MINUTES, RTC_HOURS,
                                    RTC_DAY,     RTC_MONTH,   RTC_YEAR,
                                    RTC_CENTURY};

    rtc_registers_write(r, RTC_B, RTC_B_SET | RTC_B_24_HOURS, wall);
    for (unsigned i = 0; i < sizeof(where); i++)
        rtc_registers_write(r, where[i], v[i], wall);
    rtc_registers_write(r, RTC_B, RTC_B_24_HOURS, wall);
}

TEST(a_date_that_was_set_goes_on_from_there)
{
    static const uint8_t eve[] = {0x58, 0x59, 0x23, 0x31, 0x12, 0x99, 0x19};
    struct rtc_registers r = ready();

    set(&r, eve, 1000 * NS);
    CHECK_EQ(rtc_registers_read(&r, RTC_SECONDS, 1000 * NS), 0x58);
    CHECK_EQ(rtc_registers_read(&r, RTC_SECONDS, 1001 * NS), 0x59);
    CHECK_EQ(rtc_registers_read(&r, RTC_YEAR, 1002 * NS), 0x00);
    CHECK_EQ(rtc_registers_read(&r, RTC_CENTURY, 1002 * NS), 0x20);
    CHECK_EQ(rtc_registers_read(&r, RTC_DAY, 1002 * NS), 0x01);
}

TEST(the_clock_stands_while_it_is_set)
{
    struct rtc_registers r = ready();

    rtc_registers_write(&r, RTC_B, RTC_B_SET | RTC_B_24_HOURS, 30 * NS);
    CHECK_EQ(rtc_registers_read(&r, RTC_SECONDS, 45 * NS), 0x30);
    CHECK_EQ(rtc_registers_read(&r, RTC_A, 46 * NS - 1) & RTC_A_UPDATING, 0);
}

TEST(it_says_when_an_update_is_near)
{
    struct rtc_registers r = ready();

    CHECK_EQ(rtc_registers_read(&r, RTC_A, 5 * NS) & RTC_A_UPDATING, 0);
    CHECK_EQ(rtc_registers_read(&r, RTC_A, 6 * NS - 244001) & RTC_A_UPDATING,
             0);
    CHECK_EQ(rtc_registers_read(&r, RTC_A, 6 * NS - 244000) & RTC_A_UPDATING,
             RTC_A_UPDATING);
}

TEST(periods_are_those_of_the_table)
{
    struct rtc_registers r = ready();
    static const nstime_t table[] = {0,        3906250,   7812500,   122070,
                                     244140,   488281,    976562,    1953125,
                                     3906250,  7812500,   15625000,  31250000,
                                     62500000, 125000000, 250000000, 500000000};

    CHECK_EQ(rtc_registers_period(&r), 0);
    rtc_registers_write(&r, RTC_B, RTC_B_PERIODIC, 0);
    for (uint8_t rate = 0; rate < 16; rate++) {
        rtc_registers_write(&r, RTC_A, 0x20 | rate, 0);
        CHECK_EQ(rtc_registers_period(&r), table[rate]);
    }
}

TEST(alarms_match_with_wild_cards)
{
    struct rtc_registers r = ready();

    rtc_registers_write(&r, RTC_SECONDS_ALARM, 0x10, 0);
    rtc_registers_write(&r, RTC_MINUTES_ALARM, 0xff, 0);
    rtc_registers_write(&r, RTC_HOURS_ALARM, 0xc0, 0);
    CHECK(rtc_registers_alarm(&r, 10 * NS));
    CHECK(rtc_registers_alarm(&r, (3600 * 7 + 60 * 3 + 10) * NS));
    CHECK(!rtc_registers_alarm(&r, 11 * NS));
}

TEST(an_interrupt_stands_until_register_c_is_read)
{
    struct rtc_registers r = ready();

    CHECK(!rtc_registers_raise(&r, RTC_B_UPDATE)); /* not enabled */
    rtc_registers_write(&r, RTC_B, RTC_B_UPDATE, 0);
    CHECK(rtc_registers_raise(&r, RTC_B_UPDATE));
    CHECK(!rtc_registers_raise(&r, RTC_B_UPDATE));
    CHECK_EQ(rtc_registers_read(&r, RTC_C, 0), RTC_C_IRQ | RTC_B_UPDATE);
    CHECK_EQ(rtc_registers_read(&r, RTC_C, 0), 0);
    CHECK(rtc_registers_raise(&r, RTC_B_UPDATE));
}

TEST(nonsense_gives_a_number_and_no_harm)
{
    struct rtc_registers r = ready();

    srand(7);
    for (int i = 0; i < 200000; i++) {
        uint8_t index = (uint8_t)rand();
        int64_t wall = (int64_t)(rand() % 100000) * NS + rand();

        rtc_registers_write(&r, index, (uint8_t)rand(), wall);
        rtc_registers_read(&r, (uint8_t)rand(), wall);
        rtc_registers_alarm(&r, wall);
    }
    CHECK_EQ(rtc_registers_read(&r, RTC_D, 0), RTC_D_VALID);
}

CHECK_MAIN
