/*
 * One command to a PS/2 device: bytes out, each acknowledged, then answers in
 * (IBM PS/2 Hardware Interface Technical Reference, "Keyboard", "Commands from
 * the system"). What the device sends by itself meanwhile is not mistaken for
 * an answer. Pure; also built for the host tests.
 */
#ifndef DRIVERS_INPUT_PS2_EXCHANGE_H
#define DRIVERS_INPUT_PS2_EXCHANGE_H

#include <rayos/types.h>

#define PS2_OUT_MAX     8
#define PS2_ANSWERS_MAX 4

enum ps2_exchange_state {
    PS2_IDLE,
    PS2_AWAITS_ACK,
    PS2_AWAITS_ANSWER,
    PS2_DONE,
};

struct ps2_exchange {
    enum ps2_exchange_state state;
    uint8_t out[PS2_OUT_MAX], answers[PS2_ANSWERS_MAX];
    uint8_t count, sent, wanted, got;
    uint8_t tries; /* of the byte out[sent] */
    int result;    /* when done */
};

/* What becomes of a byte that came in. */
enum ps2_verdict {
    PS2_NOT_MINE, /* data of the device: a key, a motion */
    PS2_TAKEN,
    PS2_SEND, /* send out[sent] (again) */
    PS2_FINISHED,
};

/* `count` bytes, at least one; afterwards out[0] is to be sent. -EINVAL. */
int ps2_exchange_begin(struct ps2_exchange *x, const uint8_t *out, size_t count,
                       size_t wanted);
enum ps2_verdict ps2_exchange_feed(struct ps2_exchange *x, uint8_t byte);

#endif
