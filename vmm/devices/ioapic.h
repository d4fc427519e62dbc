/*
 * The I/O APIC (Intel 82093AA data sheet) with 24 pins. Pure state machine; the
 * caller locks and delivers its messages.
 */
#ifndef VMM_DEVICES_IOAPIC_H
#define VMM_DEVICES_IOAPIC_H

#include <rayos/types.h>

#define IOAPIC_BASE UINT64_C(0xfec00000)
#define IOAPIC_SIZE 0x1000
#define IOAPIC_PINS 24

/* Intel SDM 3A 11.6.1, delivery modes of the ICR, of LVT entries and of
 * messages
 */
enum apic_mode {
    APIC_FIXED = 0,
    APIC_LOWEST = 1,
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_STARTUP = 6,
    APIC_EXTINT = 7
};

/* An interrupt on its way to local APICs. */
struct apic_message {
    uint32_t destination;
    bool logical;
    bool level; /* trigger mode */
    enum apic_mode mode;
    uint8_t vector;
};

struct ioapic {
    uint32_t select;
    uint32_t id;
    uint64_t entry[IOAPIC_PINS];
    uint32_t lines; /* as they stand now */
    void (*deliver)(void *arg, const struct apic_message *m);
    void *arg;
};

/* All pins masked; lines, `deliver` and `arg` stay. */
void ioapic_reset(struct ioapic *io);
void ioapic_set_line(struct ioapic *io, unsigned pin, bool level);
/* A local APIC ended a level interrupt: pins with this vector that still ask
 * are delivered again. */
void ioapic_eoi(struct ioapic *io, uint8_t vector);
/* Does a pin deliver this vector by level? For hardware that asks which EOIs we
 * want to see. */
bool ioapic_wants_eoi(const struct ioapic *io, uint8_t vector);

/* 32-bit registers at offsets 0 and 0x10; others read as 0. */
uint32_t ioapic_read(struct ioapic *io, uint64_t offset);
void ioapic_write(struct ioapic *io, uint64_t offset, uint32_t value);

#endif
