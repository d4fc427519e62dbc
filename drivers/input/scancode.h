/*
 * Decoder of scan code set 1, which the keyboard controller makes of any PC
 * keyboard. Pure; also built for the host tests.
 */
#ifndef DRIVERS_INPUT_SCANCODE_H
#define DRIVERS_INPUT_SCANCODE_H

#include <rayos/keycodes.h>
#include <rayos/types.h>

struct scancode_state {
    uint8_t prefix;      /* 0, 0xe0 or 0xe1 */
    uint8_t pause_bytes; /* of the sequence that 0xe1 began */
    uint8_t down[KEY_COUNT / 8];
};

/* Receives key events: value 0 released, 1 pressed, 2 repeated. */
typedef void (*scancode_emit_t)(void *arg, uint16_t code, int32_t value);

/* Take one byte from the controller. At most two events, except after an error
 * code of the keyboard, which releases all keys. */
void scancode_feed(struct scancode_state *s, uint8_t byte, scancode_emit_t emit,
                   void *arg);
/* Bytes were lost: forget prefixes and release every key that is down. */
void scancode_release_all(struct scancode_state *s, scancode_emit_t emit,
                          void *arg);

#endif
