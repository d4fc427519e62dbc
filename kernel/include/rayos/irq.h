/*
 * Interrupts: vectors, lines (GSIs) and handlers. A handler runs in interrupt
 * context on the per-CPU interrupt stack with interrupts off: general registers
 * only, no blocking, no heap, no newlib but the string functions of
 * kernel/core/string.c. End-of-interrupt is given by the dispatcher.
 */
#ifndef RAYOS_IRQ_H
#define RAYOS_IRQ_H

#include <rayos/types.h>

typedef void (*irq_handler_t)(void *arg);

#define IRQ_LEVEL      1u /* level triggered, else edge */
#define IRQ_ACTIVE_LOW 2u /* else active high */

/* Claim a free vector on all CPUs (for MSI, IPIs). Vector number, or -ENOSPC.
 * Thread context. */
int irq_vector_alloc(const char *name, irq_handler_t handler, void *arg);
void irq_vector_free(int vector);

/* Route an interrupt line to `handler` on CPU 0 and unmask it. Returns a
 * vector, or -ENODEV (no I/O APIC has that line), -EBUSY, -ENOSPC. Thread
 * context. */
int irq_request_gsi(uint32_t gsi, uint32_t flags, const char *name,
                    irq_handler_t handler, void *arg);
/* The same for an ISA line 0..15, following the MADT's overrides of number,
 * trigger and polarity. */
int irq_request_isa(uint32_t line, const char *name, irq_handler_t handler,
                    void *arg);
/* Mask and give back what irq_request_* returned; on return no handler of it
 * runs any more. */
void irq_release(int vector);
void irq_mask(int vector);
void irq_unmask(int vector);

struct irq_info {
    int vector;
    int64_t gsi; /* -1: not a line */
    const char *name;
    uint64_t count;
};
/* Listing: true while vector i (0..255) exists and is in use fill `out`. Any
 * context. */
bool irq_get_info(int vector, struct irq_info *out);

#endif
