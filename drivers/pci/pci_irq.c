/*
 * Interrupts of PCI devices: MSI-X (PCI 3.0 6.8.2), MSI (6.8.1), or the
 * interrupt line as the firmware routed it. Set-up in thread context; handlers
 * run in interrupt context.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <rayos/cmdline.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/spinlock.h>
#include <rayos/thread.h>

#include "pci_internal.h"

#define MSI_CONTROL        2
#define MSI_ENABLE         0x0001u
#define MSI_MULTIPLE       0x0070u
#define MSI_ADDRESS        4
#define MSI_ADDRESS_HIGH   8
#define MSI_DATA_32        8
#define MSI_DATA_64        12
#define MSI_MASK_32        12
#define MSI_MASK_64        16
#define MSIX_CONTROL       2
#define MSIX_ENABLE        0x8000u
#define MSIX_MASK_ALL      0x4000u
#define MSIX_ENTRY_WORDS   4
#define MSIX_ENTRY_DATA    2
#define MSIX_ENTRY_CONTROL 3
#define NO_PCI_LINES       0x2107u
#define MSIX_ENTRY_MASKED  1u

/* One message: its vector is claimed by pci_irq_set. */
struct pci_vector {
    pci_handler_t handler;
    void *arg;
    int vector; /* 0: none yet */
    _Atomic bool masked, pending;
    struct pci_irq *irq;
};

struct pci_irq {
    enum pci_irq_kind kind;
    unsigned count;
    struct pci_device *p;
    union {
        struct pci_msix msix;
        struct pci_msi msi;
    };
    volatile uint32_t *table; /* MSI-X */
    struct irq_share share;   /* INTx */
    bool shared;              /* `share` is requested */
    struct pci_vector vectors[];
};

static _Atomic uint32_t next_cpu;

enum pci_irq_kind pci_irq_kind(const struct pci_device *p)
{
    return p->irq ? p->irq->kind : PCI_IRQ_INTX;
}

/* --- messages --- */

static void message_interrupt(void *arg)
{
    struct pci_vector *v = arg;

    /* A device that cannot mask its message sends it all the same. */
    if (v->masked) {
        v->pending = true;
        if (v->masked)
            return;
        v->pending = false;
    }
    v->handler(v->arg);
}

static void msix_mask(struct pci_irq *irq, unsigned index, bool masked)
{
    volatile uint32_t *entry = irq->table + MSIX_ENTRY_WORDS * index;

    entry[MSIX_ENTRY_CONTROL] = masked ? MSIX_ENTRY_MASKED : 0;
    (void)entry[MSIX_ENTRY_CONTROL]; /* it has arrived */
}

static void msi_mask(struct pci_irq *irq, bool masked)
{
    struct pci_vector *v = &irq->vectors[0];
    uint16_t at = (uint16_t)(irq->msi.capability +
                             (irq->msi.wide ? MSI_MASK_64 : MSI_MASK_32));
    irqflags_t flags;

    v->masked = masked;
    if (irq->msi.maskable)
        pci_write32(irq->p, at, masked ? 1 : 0);
    if (masked || !atomic_exchange(&v->pending, false))
        return;
    flags = arch_irq_save(); /* what came meanwhile comes now */
    irq_raise_self(v->vector);
    arch_irq_restore(flags);
}

/* What irq_mask does to a vector. */
static void message_mask(void *arg, bool masked)
{
    struct pci_vector *v = arg;

    if (v->irq->kind == PCI_IRQ_MSIX)
        msix_mask(v->irq, (unsigned)(v - v->irq->vectors), masked);
    else
        msi_mask(v->irq, masked);
}

static void msix_write(struct pci_irq *irq, unsigned index,
                       const struct irq_message *m)
{
    volatile uint32_t *entry = irq->table + MSIX_ENTRY_WORDS * index;

    entry[0] = (uint32_t)m->address;
    entry[1] = (uint32_t)(m->address >> 32);
    entry[MSIX_ENTRY_DATA] = m->data;
}

static void msi_write(struct pci_irq *irq, const struct irq_message *m)
{
    struct pci_device *p = irq->p;
    uint16_t at = irq->msi.capability;
    uint16_t control = pci_read16(p, (uint16_t)(at + MSI_CONTROL));

    pci_write32(p, (uint16_t)(at + MSI_ADDRESS), (uint32_t)m->address);
    if (irq->msi.wide)
        pci_write32(p, (uint16_t)(at + MSI_ADDRESS_HIGH),
                    (uint32_t)(m->address >> 32));
    pci_write16(p, (uint16_t)(at + (irq->msi.wide ? MSI_DATA_64 : MSI_DATA_32)),
                (uint16_t)m->data);
    control &= (uint16_t)~MSI_MULTIPLE;
    pci_write16(p, (uint16_t)(at + MSI_CONTROL), control | MSI_ENABLE);
}

static int message_set(struct pci_irq *irq, unsigned index, const char *name,
                       uint32_t cpu)
{
    struct pci_vector *v = &irq->vectors[index];
    struct irq_message m;
    int vector = irq_vector_alloc(name, message_interrupt, v);

    if (vector < 0)
        return vector;
    v->vector = vector;
    v->irq = irq;
    irq_vector_set_mask(vector, message_mask);
    if (cpu == CPU_ANY)
        cpu = next_cpu++ % cpu_count();
    irq_message_for(vector, cpu, &m);
    if (irq->kind == PCI_IRQ_MSIX)
        msix_write(irq, index, &m);
    else
        msi_write(irq, &m);
    return 0;
}

/* --- choosing a kind --- */

static unsigned allowed(unsigned kinds)
{
    const char *word = cmdline_get("pci.irq");

    if (word && strcmp(word, "msi") == 0)
        kinds &= ~(1u << PCI_IRQ_MSIX);
    else if (word && strcmp(word, "intx") == 0)
        kinds &= 1u << PCI_IRQ_INTX;
    return kinds;
}

static int msix_start(struct pci_irq *irq, unsigned count)
{
    struct pci_device *p = irq->p;
    struct pci_space s = pci_space_of(p);
    uint16_t control;
    int err = pci_parse_msix(&s, p->bar, &irq->msix);

    if (err == -EINVAL)
        log_warn("pci", "%s: its MSI-X table is nowhere", p->dev.name);
    if (err)
        return err;
    irq->count = count < irq->msix.vectors ? count : irq->msix.vectors;
    irq->table = pci_map_bar(p, irq->msix.bar, irq->msix.offset,
                             (uint64_t)irq->msix.vectors * 16);
    if (!irq->table)
        return -ENOMEM;
    control = (uint16_t)(irq->msix.capability + MSIX_CONTROL);
    pci_enable(p, PCI_ENABLE_MEMORY);
    pci_write16(p, control,
                (pci_read16(p, control) & 0x7ff) | MSIX_ENABLE | MSIX_MASK_ALL);
    for (unsigned i = 0; i < irq->msix.vectors; i++)
        msix_mask(irq, i, true);
    pci_write16(p, control, (pci_read16(p, control) & 0x7ff) | MSIX_ENABLE);
    irq->kind = PCI_IRQ_MSIX;
    return 0;
}

static int msi_start(struct pci_irq *irq)
{
    struct pci_space s = pci_space_of(irq->p);
    int err = pci_parse_msi(&s, &irq->msi);

    irq->count = 1;
    irq->kind = PCI_IRQ_MSI;
    return err;
}

/* What the firmware never routed reads 0 or 255; and some lines of the ISA bus
 * are never a PCI device's: timer, keyboard, cascade, clock, coprocessor. */
static bool line_ok(uint8_t line)
{
    return line < 16 && !(NO_PCI_LINES & 1u << line);
}

static int intx_start(struct pci_irq *irq)
{
    irq->count = 1;
    irq->kind = PCI_IRQ_INTX;
    return irq->p->irq_pin && line_ok(irq->p->irq_line) ? 0 : -ENODEV;
}

static int irq_start(struct pci_irq *irq, unsigned count, unsigned kinds)
{
    int err = -ENODEV;

    if (kinds & 1u << PCI_IRQ_MSIX)
        err = msix_start(irq, count);
    if (err && kinds & 1u << PCI_IRQ_MSI)
        err = msi_start(irq);
    if (err && kinds & 1u << PCI_IRQ_INTX)
        err = intx_start(irq);
    if (!err)
        pci_intx_enable(irq->p, false); /* a line's comes with its handler */
    return err;
}

int pci_irq_alloc(struct pci_device *p, unsigned count, unsigned kinds)
{
    struct pci_irq *irq;
    int err;

    if (p->irq)
        return -EBUSY;
    if (count > PCI_MSIX_MAX)
        count = PCI_MSIX_MAX;
    if (!count)
        return -EINVAL;
    irq = kzalloc(sizeof(*irq) + count * sizeof(irq->vectors[0]));
    if (!irq)
        return -ENOMEM;
    irq->p = p;
    err = irq_start(irq, count, allowed(kinds));
    if (err) {
        kfree(irq);
        return err;
    }
    p->irq = irq;
    return (int)irq->count;
}

/* --- handlers --- */

/* Another device's interrupt asks this one's handler too: not while it is
 * masked. */
static bool intx_interrupt(void *arg)
{
    struct pci_vector *v = arg;

    return !v->masked && v->handler(v->arg);
}

static void intx_mask(struct pci_irq *irq, bool masked)
{
    irq->vectors[0].masked = masked;
    pci_intx_enable(irq->p, !masked);
}

static int intx_set(struct pci_irq *irq, const char *name)
{
    uint32_t flags, gsi = irq_isa_to_gsi(irq->p->irq_line, &flags);
    int err;

    irq->share = (struct irq_share){
        .handler = intx_interrupt,
        .arg = &irq->vectors[0],
        .name = name,
    };
    err = irq_share_request(gsi, flags | IRQ_LEVEL, &irq->share);
    irq->shared = !err;
    return err;
}

int pci_irq_set(struct pci_device *p, unsigned index, const char *name,
                uint32_t cpu, pci_handler_t handler, void *arg)
{
    struct pci_irq *irq = p->irq;
    struct pci_vector *v;
    int err;

    if (!irq || index >= irq->count)
        return -EINVAL;
    v = &irq->vectors[index];
    if (v->handler)
        return -EBUSY;
    v->arg = arg;
    v->handler = handler;
    if (irq->kind == PCI_IRQ_INTX)
        err = intx_set(irq, name);
    else
        err = message_set(irq, index, name, cpu);
    if (err)
        v->handler = NULL;
    else
        pci_irq_mask(p, index, false);
    return err;
}

void pci_irq_mask(struct pci_device *p, unsigned index, bool masked)
{
    struct pci_irq *irq = p->irq;

    if (!irq || index >= irq->count || !irq->vectors[index].handler)
        return;
    if (irq->kind == PCI_IRQ_MSIX)
        msix_mask(irq, index, masked);
    else if (irq->kind == PCI_IRQ_MSI)
        msi_mask(irq, masked);
    else
        intx_mask(irq, masked);
}

static void message_stop(struct pci_irq *irq)
{
    struct pci_device *p = irq->p;
    bool msix = irq->kind == PCI_IRQ_MSIX;
    uint16_t at = msix ? (uint16_t)(irq->msix.capability + MSIX_CONTROL)
                       : (uint16_t)(irq->msi.capability + MSI_CONTROL);
    uint16_t enable = msix ? MSIX_ENABLE : MSI_ENABLE;

    for (unsigned i = 0; msix && i < irq->count; i++)
        msix_mask(irq, i, true);
    pci_write16(p, at, pci_read16(p, at) & (uint16_t)~enable);
}

void pci_irq_free(struct pci_device *p)
{
    struct pci_irq *irq = p->irq;

    if (!irq)
        return;
    pci_intx_enable(p, false);
    if (irq->shared)
        irq_share_release(&irq->share);
    if (irq->kind != PCI_IRQ_INTX)
        message_stop(irq);
    for (unsigned i = 0; i < irq->count; i++)
        if (irq->vectors[i].vector)
            irq_vector_free(irq->vectors[i].vector);
    if (irq->table)
        pci_unmap_bar((void *)(uintptr_t)irq->table);
    p->irq = NULL;
    kfree(irq);
}
