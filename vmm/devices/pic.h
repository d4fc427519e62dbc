/*
 * Two cascaded 8259A interrupt controllers (Intel 8259A data sheet), as a PC
 * has them. Pure state machine; the caller locks.
 */
#ifndef VMM_DEVICES_PIC_H
#define VMM_DEVICES_PIC_H

#include <rayos/types.h>

#define PIC_LINES 16

struct pic_chip {
    uint8_t irr, isr, imr;
    uint8_t lines;     /* as they stand now */
    uint8_t elcr;      /* level triggered lines */
    uint8_t base;      /* vector of line 0 */
    uint8_t first;     /* the line with the highest priority */
    uint8_t init_step; /* the initialization word that comes next, 0: none */
    bool single, need_icw4;
    bool auto_eoi, rotate_on_auto_eoi;
    bool special_mask, special_nested;
    bool read_isr, poll;
};

struct pic {
    struct pic_chip chip[2]; /* master, slave */
};

void pic_reset(struct pic *p);
/* Lines 0..15, without 2, which is the cascade. */
void pic_set_line(struct pic *p, unsigned line, bool level);
/* Does INTR stand? */
bool pic_output(const struct pic *p);
/* The processor's acknowledge cycle: the vector. */
uint8_t pic_acknowledge(struct pic *p) __asm__(
    "vmm_pic_acknowledge"); /* the host's own has the plain name */

/* Ports 0x20, 0x21, 0xa0, 0xa1, and the ELCRs 0x4d0, 0x4d1. */
uint8_t pic_read(struct pic *p, uint16_t port);
void pic_write(struct pic *p, uint16_t port, uint8_t value);

#endif
