/* Commands to PS/2 devices, byte by byte: see ps2_exchange.h. Pure: any
 * context. */
#include "ps2_exchange.h"

#include <errno.h>
#include <string.h>

#define PS2_ACK    0xfa
#define PS2_RESEND 0xfe
#define PS2_ERROR  0xfc /* a mouse that did not understand twice */

#define TRIES_MAX 3

int ps2_exchange_begin(struct ps2_exchange *x, const uint8_t *out, size_t count,
                       size_t wanted)
{
    if (!count || count > PS2_OUT_MAX || wanted > PS2_ANSWERS_MAX)
        return -EINVAL;
    *x = (struct ps2_exchange){.state = PS2_AWAITS_ACK,
                               .count = (uint8_t)count,
                               .wanted = (uint8_t)wanted};
    memcpy(x->out, out, count);
    return 0;
}

static enum ps2_verdict finish(struct ps2_exchange *x, int result)
{
    x->state = PS2_DONE;
    x->result = result;
    return PS2_FINISHED;
}

static enum ps2_verdict acknowledged(struct ps2_exchange *x)
{
    x->tries = 0;
    if (++x->sent < x->count)
        return PS2_SEND;
    if (!x->wanted)
        return finish(x, 0);
    x->state = PS2_AWAITS_ANSWER;
    return PS2_TAKEN;
}

enum ps2_verdict ps2_exchange_feed(struct ps2_exchange *x, uint8_t byte)
{
    if (x->state == PS2_AWAITS_ANSWER) {
        x->answers[x->got++] = byte;
        return x->got < x->wanted ? PS2_TAKEN : finish(x, 0);
    }
    if (x->state != PS2_AWAITS_ACK)
        return PS2_NOT_MINE;
    switch (byte) {
    case PS2_ACK:
        return acknowledged(x);
    case PS2_RESEND:
        return ++x->tries < TRIES_MAX ? PS2_SEND : finish(x, -EIO);
    case PS2_ERROR:
        return finish(x, -EIO);
    default:
        return PS2_NOT_MINE; /* typed before the command arrived */
    }
}
