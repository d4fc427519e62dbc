/* sources: vmm/devices/hpet.c */
/* A guest's HPET: counter, comparators, lines. */
#include <errno.h>

#include "check.h"
#include "vm_device_host.h"

#define CONFIG        0x10
#define STATUS        0x20
#define COUNTER       0xf0
#define TIMER(n)      (0x100 + 0x20 * (n))
#define COMPARATOR(n) (TIMER(n) + 8)
#define LEVEL         2u
#define ENABLE        4u
#define PERIODIC      8u
#define SET_VALUE     0x40u
#define BITS_32       0x100u
#define ROUTE(gsi)    ((uint64_t)(gsi) << 9)
#define US            UINT64_C(100) /* ticks */

static void begin(void)
{
    host_begin();
    host_write(CONFIG, 8, 1);
}

static void end(void)
{
    CHECK_EQ(host_strange, 0);
    host_end();
    CHECK_EQ(host_blocks, 0);
    CHECK(!host_next_timer(TIME_NEVER));
}

TEST(the_counter_counts_while_it_is_on)
{
    begin();
    host_pass(1000, 0);
    CHECK_EQ(host_read(COUNTER, 8), 100);
    host_write(COUNTER, 8, 5); /* only while off */
    CHECK_EQ(host_read(COUNTER, 8), 100);
    host_write(CONFIG, 8, 0);
    host_pass(1000, 0);
    CHECK_EQ(host_read(COUNTER, 8), 100);
    host_write(COUNTER, 8, UINT64_C(0x1ffffffff));
    host_write(CONFIG, 4, 1);
    host_pass(10, 0);
    CHECK_EQ(host_read(COUNTER, 8), UINT64_C(0x200000000));
    CHECK_EQ((uint32_t)host_read(COUNTER + 4, 4), 2);
    end();
}

TEST(a_comparator_matches_once)
{
    begin();
    host_write(TIMER(0), 8, ENABLE | ROUTE(17));
    host_write(COMPARATOR(0), 8, 10 * US);
    CHECK_EQ(host_pass(9999, 9), 0);
    CHECK_EQ(host_pass(1, 9), 1);
    CHECK_EQ(host_rises[17], 1);
    CHECK(!host_line[17]);
    CHECK_EQ(host_read(STATUS, 8), 0); /* edges are not shown */
    CHECK_EQ(host_pass(NS_PER_SEC, 9), 0);
    end();
}

TEST(a_period_keeps_its_phase)
{
    begin();
    host_write(TIMER(1), 8, ENABLE | PERIODIC | SET_VALUE | ROUTE(16));
    host_write(COMPARATOR(1), 8, 150 * US);
    host_write(COMPARATOR(1), 8, 100 * US);
    CHECK_EQ(host_pass(149 * NS_PER_US, 9), 0);
    CHECK_EQ(host_pass(2 * NS_PER_US, 9), 1);
    CHECK_EQ(host_pass(NS_PER_MS, 99), 10);
    CHECK_EQ(host_read(COMPARATOR(1), 8), 1250 * US);
    /* The host was late by two and a half: no more come for them. */
    host_now += 250 * NS_PER_US;
    CHECK_EQ(host_pass(0, 9), 1);
    CHECK_EQ(host_read(COMPARATOR(1), 8), 1450 * US);
    end();
}

TEST(no_period_is_shorter_than_20_microseconds)
{
    begin();
    host_write(TIMER(0), 8, ENABLE | PERIODIC | SET_VALUE | ROUTE(16));
    host_write(COMPARATOR(0), 8, 1);
    host_write(COMPARATOR(0), 8, 0);
    CHECK(host_pass(NS_PER_MS, 1000) <= 52);
    host_write(TIMER(0), 8, ENABLE | PERIODIC | BITS_32 | ROUTE(16));
    host_write(COMPARATOR(0), 8, 1);
    CHECK(host_pass(NS_PER_MS, 1000) <= 52);
    end();
}

TEST(a_level_lasts_until_it_is_answered)
{
    begin();
    host_write(TIMER(2), 8, ENABLE | LEVEL | ROUTE(20));
    host_write(COMPARATOR(2), 8, US);
    host_pass(NS_PER_US, 9);
    CHECK(host_line[20]);
    CHECK_EQ(host_read(STATUS, 8), 4);
    host_write(STATUS, 4, 3);
    CHECK(host_line[20]);
    host_write(TIMER(2), 8, ENABLE | LEVEL | ROUTE(21));
    CHECK(!host_line[20] && host_line[21]);
    host_write(STATUS, 4, 4);
    CHECK(!host_line[21]);
    CHECK_EQ(host_read(STATUS, 8), 0);
    end();
}

TEST(other_lines_are_not_its_own)
{
    begin();
    host_line[4] = true; /* a UART's */
    host_write(TIMER(0), 8, ENABLE | LEVEL | ROUTE(4));
    host_write(COMPARATOR(0), 8, US);
    host_pass(NS_PER_US, 9);
    CHECK_EQ(host_read(STATUS, 8), 1);
    host_write(STATUS, 8, 1);
    CHECK(host_line[4]);
    host_write(TIMER(0), 8, ENABLE | LEVEL | ROUTE(31));
    host_write(COMPARATOR(0), 8, 3 * US);
    host_pass(2 * NS_PER_US, 9);
    host_write(STATUS, 8, 1);
    end();
}

TEST(a_comparator_of_32_bits_wraps)
{
    begin();
    host_write(CONFIG, 8, 0);
    host_write(COUNTER, 8, UINT32_MAX - 99);
    host_write(TIMER(0), 8, ENABLE | BITS_32 | ROUTE(16));
    host_write(COMPARATOR(0), 4, 0);
    host_write(CONFIG, 8, 1);
    CHECK_EQ(host_pass(999, 9), 0);
    CHECK_EQ(host_pass(1, 9), 1);
    end();
}

TEST(a_pause_stops_it)
{
    begin();
    host_write(TIMER(0), 8, ENABLE | ROUTE(16));
    host_write(COMPARATOR(0), 8, 10 * US);
    host_pass(4 * NS_PER_US, 9);
    host_device->ops->pause(host_device, true);
    CHECK_EQ(host_pass(NS_PER_SEC, 9), 0);
    CHECK_EQ(host_read(COUNTER, 8), 4 * US);
    host_device->ops->pause(host_device, false);
    CHECK_EQ(host_pass(5999, 9), 0);
    CHECK_EQ(host_pass(1, 9), 1);
    host_write(COMPARATOR(0), 8, 20 * US);
    host_device->ops->reset(host_device);
    CHECK_EQ(host_pass(NS_PER_SEC, 9), 0);
    CHECK_EQ(host_read(COUNTER, 8), 0);
    end();
}

CHECK_MAIN
