/*
 * One counter of the 8254 programmable interval timer (Intel 8254 data sheet).
 * Its state is what it was programmed with and when; counts and its output
 * follow from the clock. Pure; the caller locks.
 */
#ifndef VMM_DEVICES_PIT_CHANNEL_H
#define VMM_DEVICES_PIT_CHANNEL_H

#include <rayos/types.h>

#define PIT_HZ 1193182

struct pit_channel {
    uint8_t mode;   /* 0..5 */
    uint8_t access; /* 1 low byte, 2 high byte, 3 both */
    bool bcd;
    bool gate;
    bool loaded;     /* a whole count was written since the mode was */
    bool triggered;  /* modes 1 and 5: the gate rose since */
    bool write_high; /* the high byte comes next */
    bool read_high;
    bool count_latched, status_latched;
    uint8_t low; /* first byte of a count that is being written */
    uint8_t status;
    uint16_t latch;
    uint32_t reload; /* ticks, 1..65536 */
    nstime_t start;  /* when it began to count from `reload` */
    uint64_t held;   /* ticks counted when the gate fell; modes 0 and 4 */
};

void pit_channel_reset(struct pit_channel *c, bool gate);
/* The control word's bits 5..0: access, mode, BCD. */
void pit_channel_set_mode(struct pit_channel *c, uint8_t control, nstime_t now);
/* true: it counts anew from now. */
bool pit_channel_write(struct pit_channel *c, uint8_t value, nstime_t now);
uint8_t pit_channel_read(struct pit_channel *c, nstime_t now);
void pit_channel_latch_count(struct pit_channel *c, nstime_t now);
void pit_channel_latch_status(struct pit_channel *c, nstime_t now);
/* true: it counts anew from now. */
bool pit_channel_set_gate(struct pit_channel *c, bool gate, nstime_t now);
bool pit_channel_output(const struct pit_channel *c, nstime_t now);
/* When its output rises next after `now`; TIME_NEVER. */
nstime_t pit_channel_next_edge(const struct pit_channel *c, nstime_t now);

#endif
