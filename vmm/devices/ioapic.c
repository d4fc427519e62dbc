/*
 * The guest's I/O APIC. A level pin delivers once and waits for its EOI (Remote
 * IRR); an edge on a masked pin is lost, as on the part. Pure; the caller
 * (irqchip.c) holds its lock.
 */
#include "vmm/devices/ioapic.h"

#define OFFSET_SELECT 0x00
#define OFFSET_WINDOW 0x10

#define REG_ID          0
#define REG_VERSION     1
#define REG_ARBITRATION 2
#define REG_ENTRIES     0x10

#define ID_SHIFT 24
#define ID_MASK  0x0f000000u
/* Version 0x11, highest entry in bits 23..16 */
#define VERSION (0x11u | (IOAPIC_PINS - 1) << 16)

#define ENTRY_VECTOR     UINT64_C(0xff)
#define ENTRY_MODE_SHIFT 8
#define ENTRY_LOGICAL    (UINT64_C(1) << 11)
#define ENTRY_STATUS     (UINT64_C(1) << 12)
#define ENTRY_REMOTE_IRR (UINT64_C(1) << 14)
#define ENTRY_LEVEL      (UINT64_C(1) << 15)
#define ENTRY_MASKED     (UINT64_C(1) << 16)
#define ENTRY_DEST_SHIFT 56
#define ENTRY_READ_ONLY  (ENTRY_STATUS | ENTRY_REMOTE_IRR)
#define ENTRY_WRITABLE   (UINT64_C(0xff0000000001ffff) & ~ENTRY_READ_ONLY)

static void pin_deliver(struct ioapic *io, unsigned pin)
{
    uint64_t e = io->entry[pin];
    const struct apic_message m = {
        .destination = (uint32_t)(e >> ENTRY_DEST_SHIFT),
        .logical = e & ENTRY_LOGICAL,
        .level = e & ENTRY_LEVEL,
        .mode = (enum apic_mode)(e >> ENTRY_MODE_SHIFT & 7),
        .vector = (uint8_t)(e & ENTRY_VECTOR),
    };

    if (e & ENTRY_LEVEL)
        io->entry[pin] |= ENTRY_REMOTE_IRR;
    io->deliver(io->arg, &m);
}

/* A level pin that stands, may, and is not waiting for its EOI. */
static void pin_service_level(struct ioapic *io, unsigned pin)
{
    uint64_t e = io->entry[pin];

    if ((e & ENTRY_LEVEL) && !(e & (ENTRY_MASKED | ENTRY_REMOTE_IRR)) &&
        (io->lines & 1u << pin))
        pin_deliver(io, pin);
}

void ioapic_set_line(struct ioapic *io, unsigned pin, bool level)
{
    if (pin >= IOAPIC_PINS)
        return;
    uint32_t bit = 1u << pin;
    bool rose = level && !(io->lines & bit);

    io->lines = level ? io->lines | bit : io->lines & ~bit;
    if (io->entry[pin] & ENTRY_LEVEL)
        pin_service_level(io, pin);
    else if (rose && !(io->entry[pin] & ENTRY_MASKED))
        pin_deliver(io, pin);
}

static bool pin_matches(const struct ioapic *io, unsigned pin, uint8_t vector)
{
    uint64_t e = io->entry[pin];

    return (e & ENTRY_LEVEL) && (e & ENTRY_VECTOR) == vector;
}

void ioapic_eoi(struct ioapic *io, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if (pin_matches(io, pin, vector) &&
            (io->entry[pin] & ENTRY_REMOTE_IRR)) {
            io->entry[pin] &= ~ENTRY_REMOTE_IRR;
            pin_service_level(io, pin);
        }
    }
}

bool ioapic_wants_eoi(const struct ioapic *io, uint8_t vector)
{
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        if (pin_matches(io, pin, vector))
            return true;
    return false;
}

void ioapic_reset(struct ioapic *io)
{
    io->select = 0;
    io->id = 0;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        io->entry[pin] = ENTRY_MASKED;
}

/* --- registers --- */

static void entry_write(struct ioapic *io, unsigned pin, uint64_t value)
{
    uint64_t e = (io->entry[pin] & ENTRY_READ_ONLY) | (value & ENTRY_WRITABLE);

    /* There is no EOI to wait for any more: systems use this to recover. */
    if (!(e & ENTRY_LEVEL))
        e &= ~ENTRY_REMOTE_IRR;
    io->entry[pin] = e;
    pin_service_level(io, pin);
}

static void window_write(struct ioapic *io, uint32_t value)
{
    uint32_t index = io->select - REG_ENTRIES, pin = index / 2;

    if (io->select == REG_ID)
        io->id = value & ID_MASK;
    if (io->select < REG_ENTRIES || pin >= IOAPIC_PINS)
        return;
    uint64_t e = io->entry[pin];

    if (index & 1)
        e = (e & UINT32_MAX) | (uint64_t)value << 32;
    else
        e = (e & ~(uint64_t)UINT32_MAX) | value;
    entry_write(io, pin, e);
}

static uint32_t window_read(const struct ioapic *io)
{
    uint32_t index = io->select - REG_ENTRIES, pin = index / 2;

    switch (io->select) {
    case REG_ID:
    case REG_ARBITRATION:
        return io->id;
    case REG_VERSION:
        return VERSION;
    }
    if (io->select < REG_ENTRIES || pin >= IOAPIC_PINS)
        return 0;
    return (uint32_t)(io->entry[pin] >> (index & 1 ? 32 : 0));
}

uint32_t ioapic_read(struct ioapic *io, uint64_t offset)
{
    if (offset == OFFSET_SELECT)
        return io->select;
    return offset == OFFSET_WINDOW ? window_read(io) : 0;
}

void ioapic_write(struct ioapic *io, uint64_t offset, uint32_t value)
{
    if (offset == OFFSET_SELECT)
        io->select = value & 0xff;
    else if (offset == OFFSET_WINDOW)
        window_write(io, value);
}
