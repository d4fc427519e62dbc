/* sources: drivers/input/ps2_exchange.c drivers/input/ps2_packet.c */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "drivers/input/ps2_exchange.h"
#include "drivers/input/ps2_packet.h"

#include "check.h"

#define ACK    0xfa
#define RESEND 0xfe
#define FAILED 0xfc

static struct ps2_exchange x;

static void begin(const char *bytes, size_t count, size_t wanted)
{
    CHECK_EQ(ps2_exchange_begin(&x, (const uint8_t *)bytes, count, wanted), 0);
}

TEST(each_byte_is_sent_after_the_one_before_is_acknowledged)
{
    begin("\xed\x07", 2, 0);
    CHECK_EQ(ps2_exchange_feed(&x, ACK), PS2_SEND);
    CHECK_EQ(x.out[x.sent], 0x07);
    CHECK_EQ(ps2_exchange_feed(&x, ACK), PS2_FINISHED);
    CHECK_EQ(x.result, 0);
    CHECK_EQ(ps2_exchange_feed(&x, ACK), PS2_NOT_MINE);
}

TEST(keys_typed_meanwhile_are_not_answers)
{
    begin("\xed\x07", 2, 0);
    CHECK_EQ(ps2_exchange_feed(&x, 0x1e), PS2_NOT_MINE);
    CHECK_EQ(ps2_exchange_feed(&x, ACK), PS2_SEND);
    CHECK_EQ(ps2_exchange_feed(&x, 0x9e), PS2_NOT_MINE);
    CHECK_EQ(ps2_exchange_feed(&x, ACK), PS2_FINISHED);
}

TEST(answers_follow_the_last_acknowledgement)
{
    begin("\xf2", 1, 2);
    CHECK_EQ(ps2_exchange_feed(&x, ACK), PS2_TAKEN);
    CHECK_EQ(ps2_exchange_feed(&x, ACK), PS2_TAKEN);
    CHECK_EQ(ps2_exchange_feed(&x, 0x83), PS2_FINISHED);
    CHECK_EQ(x.answers[0], ACK);
    CHECK_EQ(x.answers[1], 0x83);
}

TEST(a_byte_is_sent_again_three_times_at_most)
{
    begin("\xed\x07", 2, 0);
    CHECK_EQ(ps2_exchange_feed(&x, RESEND), PS2_SEND);
    CHECK_EQ(x.sent, 0);
    CHECK_EQ(ps2_exchange_feed(&x, RESEND), PS2_SEND);
    CHECK_EQ(ps2_exchange_feed(&x, ACK), PS2_SEND);
    CHECK_EQ(ps2_exchange_feed(&x, RESEND), PS2_SEND);
    CHECK_EQ(ps2_exchange_feed(&x, RESEND), PS2_SEND);
    CHECK_EQ(ps2_exchange_feed(&x, RESEND), PS2_FINISHED);
    CHECK_EQ(x.result, -EIO);
    begin("\xed", 1, 0);
    CHECK_EQ(ps2_exchange_feed(&x, FAILED), PS2_FINISHED);
    CHECK_EQ(x.result, -EIO);
}

TEST(commands_that_do_not_fit_are_refused)
{
    static const uint8_t bytes[PS2_OUT_MAX + 1];

    CHECK_EQ(ps2_exchange_begin(&x, bytes, 0, 0), -EINVAL);
    CHECK_EQ(ps2_exchange_begin(&x, bytes, PS2_OUT_MAX + 1, 0), -EINVAL);
    CHECK_EQ(ps2_exchange_begin(&x, bytes, 1, PS2_ANSWERS_MAX + 1), -EINVAL);
}

/* --- packets --- */

static struct ps2_packet_state s;
static nstime_t now;

/* The motion that the last of these bytes completes; false: none. */
static bool feed(const uint8_t *bytes, size_t count, struct ps2_motion *m)
{
    bool complete = false;

    for (size_t i = 0; i < count; i++) {
        now += NS_PER_MS;
        complete = ps2_packet_feed(&s, bytes[i], now, m);
    }
    return complete;
}

TEST(a_packet_of_three_bytes_is_decoded)
{
    struct ps2_motion m;

    ps2_packet_init(&s, 3);
    CHECK(feed((uint8_t[]){0x09, 5, 7}, 3, &m));
    CHECK_EQ(m.x, 5);
    CHECK_EQ(m.y, 7);
    CHECK_EQ(m.buttons, PS2_BUTTON_LEFT);
    CHECK(feed((uint8_t[]){0x3e, 0xfb, 0x00}, 3, &m));
    CHECK_EQ(m.x, -5);
    CHECK_EQ(m.y, -256);
    CHECK_EQ(m.buttons, PS2_BUTTON_RIGHT | PS2_BUTTON_MIDDLE);
    CHECK_EQ(m.wheel, 0);
}

TEST(the_wheel_is_the_fourth_byte)
{
    struct ps2_motion m;

    ps2_packet_init(&s, 4);
    CHECK(!feed((uint8_t[]){0x08, 0, 0}, 3, &m));
    CHECK(feed((uint8_t[]){0xff}, 1, &m));
    CHECK_EQ(m.wheel, -1);
    CHECK(feed((uint8_t[]){0x08, 0, 0, 0x02}, 4, &m));
    CHECK_EQ(m.wheel, 2);
}

TEST(values_that_overflowed_are_not_believed)
{
    struct ps2_motion m;

    ps2_packet_init(&s, 3);
    CHECK(feed((uint8_t[]){0x49, 200, 1}, 3, &m));
    CHECK_EQ(m.x, 0);
    CHECK_EQ(m.y, 0);
    CHECK_EQ(m.buttons, PS2_BUTTON_LEFT);
}

TEST(a_byte_that_begins_no_packet_is_skipped)
{
    struct ps2_motion m;

    ps2_packet_init(&s, 3);
    CHECK(feed((uint8_t[]){0x00, 0x07, 0x08, 1, 2}, 5, &m));
    CHECK_EQ(m.x, 1);
    CHECK_EQ(s.resyncs, 2);
    /* A wheel that cannot be: the packet began later. */
    ps2_packet_init(&s, 4);
    CHECK(feed((uint8_t[]){0x08, 0x08, 3, 0x40, 0x01}, 5, &m));
    CHECK_EQ(m.x, 3);
    CHECK_EQ(m.y, 0x40);
    CHECK_EQ(m.wheel, 1);
}

TEST(a_pause_ends_a_packet_that_lost_bytes)
{
    struct ps2_motion m;

    for (size_t lost = 1; lost < 4; lost++) {
        ps2_packet_init(&s, 4);
        feed((uint8_t[]){0x0f, 0x0f, 0x0f, 0x0f}, lost, &m);
        now += NS_PER_SEC;
        CHECK(feed((uint8_t[]){0x08, 9, 8, 0}, 4, &m));
        CHECK_EQ(m.x, 9);
        CHECK_EQ(m.y, 8);
        CHECK_EQ(m.buttons, 0);
    }
}

static uint32_t seed;

static unsigned random_below(unsigned n)
{
    seed = seed * 1664525 + 1013904223;
    return (seed >> 8) % n;
}

static void random_packet(uint8_t p[4], unsigned size)
{
    p[0] = (uint8_t)(0x08 | random_below(8) | random_below(4) << 4);
    p[1] = (uint8_t)random_below(256);
    p[2] = (uint8_t)random_below(256);
    p[3] = size == 4 ? (uint8_t)(random_below(16) - 8) : 0;
}

/* Lose one byte of a moving mouse: how many packets are read wrongly? */
static unsigned packets_until_right(unsigned size)
{
    uint8_t p[4];
    struct ps2_motion m;
    unsigned wrong = 0, right = 0;

    ps2_packet_init(&s, (uint8_t)size);
    random_packet(p, size);
    feed(p + 1, size - 1, &m);
    while (right < 8 && wrong < 1000) {
        random_packet(p, size);
        bool complete = feed(p, size, &m) && s.got == 0 &&
                        m.buttons == (p[0] & 7) && (uint8_t)m.x == p[1] &&
                        (uint8_t)m.y == p[2];

        wrong += !complete + (complete ? 0 : right);
        right = complete ? right + 1 : 0;
    }
    return wrong;
}

TEST(a_lost_byte_costs_a_few_packets)
{
    unsigned worst = 0;

    seed = 7;
    for (unsigned i = 0; i < 500; i++)
        for (unsigned size = 3; size <= 4; size++) {
            unsigned n = packets_until_right(size);

            worst = n > worst ? n : worst;
        }
    CHECK(worst < 40);
}

CHECK_MAIN
