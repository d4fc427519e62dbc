/* sources: vmm/devices/pit_channel.c */
/*
 * The 8254's counters against a model that counts tick by tick.
 */
#include "check.h"

#include "../../vmm/devices/pit_channel.h"
#include "../../vmm/devices/ratio.h"

static nstime_t at(uint64_t tick)
{
    return ratio_ns(tick, PIT_HZ);
}

static struct pit_channel started(uint8_t mode, uint16_t count)
{
    struct pit_channel c;

    pit_channel_reset(&c, true);
    pit_channel_set_mode(&c, (uint8_t)(0x30 | mode << 1), 0);
    CHECK(!pit_channel_write(&c, (uint8_t)count, 0));
    pit_channel_write(&c, (uint8_t)(count >> 8), 0);
    return c;
}

static unsigned read16(struct pit_channel *c, nstime_t now)
{
    unsigned low = pit_channel_read(c, now);

    return low | (unsigned)pit_channel_read(c, now) << 8;
}

TEST(ticks_and_nanoseconds_agree_for_years)
{
    for (uint64_t tick = 1; tick < UINT64_C(1) << 47; tick = tick * 7 + 3) {
        nstime_t ns = ratio_ns(tick, PIT_HZ);

        CHECK_EQ(ratio_ticks(ns, PIT_HZ), tick);
        CHECK_EQ(ratio_ticks(ns - 1, PIT_HZ), tick - 1);
    }
    CHECK_EQ(ratio_scale(UINT64_MAX, UINT64_MAX, 1), UINT64_MAX);
}

TEST(mode_0_rises_at_terminal_count_and_counts_on)
{
    struct pit_channel c = started(0, 100);

    CHECK_EQ(read16(&c, at(40)), 60);
    CHECK(!pit_channel_output(&c, at(99)));
    CHECK(pit_channel_output(&c, at(100)));
    CHECK_EQ(read16(&c, at(101)), 0xffff);
    CHECK_EQ(pit_channel_next_edge(&c, at(1)), at(100));
    CHECK_EQ(pit_channel_next_edge(&c, at(100)), TIME_NEVER);
}

TEST(mode_2_counts_tick_by_tick_and_is_low_for_one)
{
    struct pit_channel c = started(2, 7);
    unsigned count = 7;

    for (uint64_t tick = 0; tick < 50; tick++) {
        CHECK_EQ(read16(&c, at(tick)), count);
        CHECK_EQ(pit_channel_output(&c, at(tick)), count != 1);
        count = count == 1 ? 7 : count - 1;
    }
}

TEST(mode_3_is_high_for_the_first_half)
{
    struct pit_channel even = started(3, 6), odd = started(3, 5);

    for (uint64_t tick = 0; tick < 60; tick++) {
        CHECK_EQ(pit_channel_output(&even, at(tick)), tick % 6 < 3);
        CHECK_EQ(pit_channel_output(&odd, at(tick)), tick % 5 < 3);
    }
    CHECK_EQ(pit_channel_next_edge(&even, at(3)), at(6));
}

TEST(a_count_of_zero_is_65536_or_10000)
{
    struct pit_channel c = started(2, 0);

    CHECK_EQ(c.reload, 65536);
    CHECK_EQ(pit_channel_next_edge(&c, 0), at(65536));
    pit_channel_set_mode(&c, 0x35, 0); /* BCD */
    pit_channel_write(&c, 0, 0);
    pit_channel_write(&c, 0, 0);
    CHECK_EQ(c.reload, 10000);
    CHECK_EQ(read16(&c, at(1)), 0x9999);
}

TEST(edges_do_not_drift_in_ten_hours)
{
    struct pit_channel c = started(2, 11932); /* 100 Hz, nearly */
    nstime_t now = 0;

    for (uint64_t n = 1; n <= 3600000; n++) {
        now = pit_channel_next_edge(&c, now);
        if (now != at(n * 11932)) {
            CHECK_EQ(now, at(n * 11932));
            break;
        }
    }
    CHECK_EQ(now / NS_PER_SEC, 36000);
}

TEST(a_latched_count_stays_until_it_was_read)
{
    struct pit_channel c = started(2, 1000);

    pit_channel_latch_count(&c, at(10));
    pit_channel_latch_count(&c, at(20));
    CHECK_EQ(pit_channel_read(&c, at(30)), 990 & 0xff);
    CHECK_EQ(pit_channel_read(&c, at(40)), 990 >> 8);
    CHECK_EQ(read16(&c, at(50)), 950);
}

TEST(the_status_tells_mode_access_and_output)
{
    struct pit_channel c = started(3, 10);

    pit_channel_latch_status(&c, at(1));
    pit_channel_latch_count(&c, at(1));
    CHECK_EQ(pit_channel_read(&c, at(2)), 0x80 | 0x30 | 0x06);
    CHECK_EQ(read16(&c, at(9)), 8);
    pit_channel_set_mode(&c, 0x34, at(9));
    pit_channel_latch_status(&c, at(9));
    CHECK_EQ(pit_channel_read(&c, at(9)), 0x80 | 0x40 | 0x34);
}

TEST(a_low_gate_holds_mode_0_and_restarts_mode_2)
{
    struct pit_channel c = started(0, 100);

    CHECK(!pit_channel_set_gate(&c, false, at(30)));
    CHECK_EQ(read16(&c, at(90)), 70);
    CHECK_EQ(pit_channel_next_edge(&c, at(90)), TIME_NEVER);
    CHECK(pit_channel_set_gate(&c, true, at(100)));
    CHECK(!pit_channel_output(&c, at(169)));
    CHECK(pit_channel_output(&c, at(171)));
    c = started(2, 100);
    pit_channel_set_gate(&c, false, at(30));
    CHECK(pit_channel_output(&c, at(99)));
    pit_channel_set_gate(&c, true, at(200));
    CHECK_EQ(read16(&c, at(200) + at(10)), 90);
}

TEST(mode_1_waits_for_its_gate)
{
    struct pit_channel c;

    pit_channel_reset(&c, false);
    pit_channel_set_mode(&c, 0x12, 0); /* low byte only */
    CHECK(!pit_channel_write(&c, 50, 0));
    CHECK(pit_channel_output(&c, at(1000)));
    pit_channel_set_gate(&c, true, at(1000));
    CHECK(!pit_channel_output(&c, at(1049)));
    CHECK(pit_channel_output(&c, at(1051)));
}

TEST(modes_6_and_7_are_2_and_3)
{
    struct pit_channel c;

    pit_channel_reset(&c, true);
    pit_channel_set_mode(&c, 0x3c, 0);
    CHECK_EQ(c.mode, 2);
    pit_channel_set_mode(&c, 0x3e, 0);
    CHECK_EQ(c.mode, 3);
}

CHECK_MAIN
