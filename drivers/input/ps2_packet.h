/*
 * Packets of a PS/2 mouse (IBM PS/2 Hardware Interface Technical Reference,
 * "Mouse"), of three bytes, or four with a wheel. Pure; also built for the host
 * tests.
 */
#ifndef DRIVERS_INPUT_PS2_PACKET_H
#define DRIVERS_INPUT_PS2_PACKET_H

#include <rayos/types.h>

#define PS2_PACKET_MAX 4

#define PS2_BUTTON_LEFT   1u
#define PS2_BUTTON_RIGHT  2u
#define PS2_BUTTON_MIDDLE 4u

struct ps2_packet_state {
    uint8_t size; /* 3 or 4 */
    uint8_t got;
    uint8_t data[PS2_PACKET_MAX];
    nstime_t last;    /* when the latest byte came */
    uint64_t resyncs; /* bytes thrown away */
};

/* x to the right, y up, wheel towards the user. */
struct ps2_motion {
    int16_t x, y;
    int8_t wheel;
    uint8_t buttons; /* PS2_BUTTON_* that are down */
};

void ps2_packet_init(struct ps2_packet_state *s, uint8_t size);
/* Bytes were lost. */
void ps2_packet_reset(struct ps2_packet_state *s);
/* true: a packet is complete, in *out. */
bool ps2_packet_feed(struct ps2_packet_state *s, uint8_t byte, nstime_t now,
                     struct ps2_motion *out);

#endif
