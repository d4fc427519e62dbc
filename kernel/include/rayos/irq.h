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
/* Let irq_mask and irq_unmask silence whoever sends this message: `mask` gets
 * the handler's argument; any context but NMI, and not after irq_vector_free
 * has returned. */
void irq_vector_set_mask(int vector, void (*mask)(void *arg, bool masked));
/* Have this CPU take `vector` as soon as its interrupts are on: how code that
 * may hold any lock gets to a place where none is held. Interrupts off. */
void irq_raise_self(int vector);

/*
 * For a handler with much to do, between two steps while it holds no lock: let
 * the timer, and what is more urgent than this interrupt, be served before the
 * next step, for what delays an interrupt delays a reflex. Elsewhere it does
 * nothing. This handler is not called again before it has returned.
 */
void irq_window(void);
/* For who calls handlers with a lock of its own: they open no window until it
 * says false. Interrupts off. */
void irq_forbid_window(bool forbid);

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
/* A line, or a message that has a mask; else nothing happens. Any context but
 * NMI. */
void irq_mask(int vector);
void irq_unmask(int vector);

/* A line that several devices share (INTx): each handler says whether it was
 * its device that asked. 0, or as irq_request_gsi, or -EBUSY when the line is
 * taken by one who does not share. Thread context. */
struct irq_share {
    bool (*handler)(void *arg); /* interrupt context */
    void *arg;
    const char *name;
    /* irq.c's. */
    struct irq_share *next;
    uint32_t gsi;
    uint64_t count;
};
int irq_share_request(uint32_t gsi, uint32_t flags, struct irq_share *s);
/* On return its handler runs no more; the last one masks the line. */
void irq_share_release(struct irq_share *s);
/* A line of the ISA bus: its GSI and flags after the MADT's overrides. */
uint32_t irq_isa_to_gsi(uint32_t line, uint32_t *flags);

/* What a device writes where to raise `vector` (of irq_vector_alloc) on a CPU:
 * Intel SDM 3A 11.11. Any context. */
struct irq_message {
    uint64_t address;
    uint32_t data;
};
void irq_message_for(int vector, uint32_t cpu, struct irq_message *out);

struct irq_info {
    int vector;
    int64_t gsi; /* -1: not a line */
    const char *name;
    uint64_t count;
    bool maskable;
};
/* Listing: true while vector i (0..255) exists and is in use fill `out`. Any
 * context. */
bool irq_get_info(int vector, struct irq_info *out);

#endif
