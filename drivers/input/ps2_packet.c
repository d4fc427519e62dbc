/*
 * Decoder of a PS/2 mouse's packets. The stream has no marks: when a byte is
 * lost, all that follow are read wrongly. Two things bring it back: bits that a
 * packet must have (else its first byte is dropped and the rest looked at
 * again), and a pause that no packet has inside. Pure: any context.
 */
#include "ps2_packet.h"

#include <string.h>

#define FIRST_BUTTONS  0x07
#define FIRST_ALWAYS   0x08
#define FIRST_X_SIGN   0x10
#define FIRST_Y_SIGN   0x20
#define FIRST_OVERFLOW 0xc0 /* of x or y: the values mean nothing */

/* A packet takes 4 ms on the wire; an emulator's CPU may stand still in the
 * middle for much longer. */
#define PACKET_GAP (500 * NS_PER_MS)
/* The wheel is a small number: its upper bits are all its sign. */
#define WHEEL_SIGN_BITS 0xc0

void ps2_packet_init(struct ps2_packet_state *s, uint8_t size)
{
    *s = (struct ps2_packet_state){.size = size};
}

void ps2_packet_reset(struct ps2_packet_state *s)
{
    s->resyncs += s->got;
    s->got = 0;
}

static bool plausible(const struct ps2_packet_state *s)
{
    uint8_t sign = s->got == PS2_PACKET_MAX ? s->data[3] & WHEEL_SIGN_BITS : 0;

    return s->data[0] & FIRST_ALWAYS && (!sign || sign == WHEEL_SIGN_BITS);
}

static void drop_first(struct ps2_packet_state *s)
{
    s->got--;
    s->resyncs++;
    memmove(s->data, s->data + 1, s->got);
}

static void decode(const struct ps2_packet_state *s, struct ps2_motion *out)
{
    uint8_t first = s->data[0];

    *out = (struct ps2_motion){.buttons = first & FIRST_BUTTONS};
    if (s->size == PS2_PACKET_MAX)
        out->wheel = (int8_t)s->data[3];
    if (first & FIRST_OVERFLOW)
        return;
    out->x = (int16_t)(s->data[1] - (first & FIRST_X_SIGN ? 256 : 0));
    out->y = (int16_t)(s->data[2] - (first & FIRST_Y_SIGN ? 256 : 0));
}

bool ps2_packet_feed(struct ps2_packet_state *s, uint8_t byte, nstime_t now,
                     struct ps2_motion *out)
{
    if (s->got && now - s->last > PACKET_GAP)
        ps2_packet_reset(s);
    s->last = now;
    s->data[s->got++] = byte;
    while (s->got && !plausible(s))
        drop_first(s);
    if (s->got < s->size)
        return false;
    decode(s, out);
    s->got = 0;
    return true;
}
