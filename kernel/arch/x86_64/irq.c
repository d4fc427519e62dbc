/*
 * Interrupt vectors, their handlers, and the dispatcher. The table is read in
 * interrupt context without a lock; `running` tells irq_release when the last
 * reader is gone. Lines go to the I/O APICs, or to the 8259s on a machine that
 * has none.
 */
#include <errno.h>
#include <string.h>

#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/gdt.h>
#include <arch/irq.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <rayos/boot.h>
#include <rayos/cmdline.h>
#include <rayos/log.h>
#include <rayos/panic.h>
#include <rayos/percpu.h>
#include <rayos/random.h>
#include <rayos/spinlock.h>
#include <rayos/thread.h>
#include <rayos/trace.h>

#include "irq_rate.h"

#define VECTOR_COUNT 256
#define PIC_LINES    16
#define GSI_NONE     (-1)

struct irq_slot {
    const char *name;      /* NULL: free; lock */
    int64_t gsi;           /* lock */
    void *arg;             /* written before `handler`, while that is NULL */
    irq_handler_t handler; /* atomic */
    /* Of a message, NULL: it has none; atomic. */
    void (*mask)(void *arg, bool masked);
    uint32_t running;   /* atomic: CPUs inside irq_run, or `mask` */
    uint64_t count;     /* atomic */
    uint64_t rate_mark; /* irq_rate.c's */
};

static struct irq_slot slots[VECTOR_COUNT];
static struct spinlock lock = SPINLOCK_INIT;
static bool use_pic; /* constant after irq_init */

void irq_dispatch(struct trap_frame *frame);
void irq_exit(void);

/* --- dispatch: interrupt context --- */

/* What rules see: the line, or what else can or cannot be masked. */
static int64_t line_of(const struct irq_slot *s)
{
    if (s->gsi != GSI_NONE)
        return s->gsi;
    return s->mask ? IRQ_RATE_MESSAGE : IRQ_RATE_OWN;
}

/* `running` is raised before `handler` is read, and irq_release reads it after
 * it has cleared `handler` (both sequentially consistent): one sees the
 * other. */
static bool irq_run(struct irq_slot *s)
{
    irq_handler_t handler;
    uint64_t count;

    __atomic_fetch_add(&s->running, 1, __ATOMIC_SEQ_CST);
    handler = __atomic_load_n(&s->handler, __ATOMIC_SEQ_CST);
    if (handler) {
        count = __atomic_add_fetch(&s->count, 1, __ATOMIC_RELAXED);
        trace_point(TRACE_IRQ, TRACE_IRQ_ENTER, (uint64_t)(s - slots), 0);
        handler(s->arg);
        trace_point(TRACE_IRQ, TRACE_IRQ_EXIT, (uint64_t)(s - slots), 0);
        /* Behind the handler, which must not wait for rules over the rate. */
        if (!(count % IRQ_RATE_SAMPLE)) {
            irq_window();
            irq_rate_sample((int)(s - slots), line_of(s), s->name,
                            &s->rate_mark);
            irq_window();
        }
    }
    __atomic_fetch_sub(&s->running, 1, __ATOMIC_RELEASE);
    return handler;
}

static void serve(unsigned vector)
{
    bool handled;

    if (vector == VECTOR_SPURIOUS)
        return; /* has no in-service bit */
    if (use_pic && vector - VECTOR_PIC_BASE < PIC_LINES) {
        if (pic_acknowledge(vector - VECTOR_PIC_BASE))
            irq_run(&slots[vector]);
        return;
    }
    handled = irq_run(&slots[vector]);
    /* One that nobody claimed may be the firmware's last, or an 8259's. */
    if (handled || lapic_in_service((uint8_t)vector))
        lapic_eoi();
}

/* Called by vectors.S on the interrupt stack. Its timing is mixed into the
 * random numbers behind the handler, which must not wait for a hash. */
void irq_dispatch(struct trap_frame *frame)
{
    unsigned vector = (unsigned)frame->vector;

    cpu_self()->irq_count++;
    serve(vector);
    random_interrupt(vector);
}

/* Called by vectors.S on the interrupted thread's stack, interrupts off. Before
 * there are threads, interrupts come to clock_init only. */
void irq_exit(void)
{
    if (thread_current())
        sched_interrupt_exit();
}

/* --- vectors --- */

static void slot_publish(struct irq_slot *s, irq_handler_t handler, void *arg)
{
    s->arg = arg;
    __atomic_store_n(&s->count, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&s->handler, handler, __ATOMIC_SEQ_CST);
}

void irq_claim_system(int vector, const char *name, irq_handler_t handler)
{
    struct irq_slot *s = &slots[vector];

    KASSERT(!s->name);
    s->name = name;
    s->gsi = GSI_NONE;
    slot_publish(s, handler, NULL);
}

/* A free vector with its slot marked; lock held. */
static int slot_take(const char *name, int64_t gsi)
{
    for (int v = VECTOR_ALLOC_MIN; v <= VECTOR_ALLOC_MAX; v++) {
        if (!slots[v].name) {
            slots[v].name = name;
            slots[v].gsi = gsi;
            return v;
        }
    }
    return -ENOSPC;
}

static void slot_clear(struct irq_slot *s)
{
    irqflags_t flags;

    __atomic_store_n(&s->handler, (irq_handler_t)0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&s->mask, NULL, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&s->running, __ATOMIC_SEQ_CST))
        arch_pause();
    flags = spin_lock(&lock);
    s->gsi = GSI_NONE;
    s->name = NULL;
    spin_unlock(&lock, flags);
}

int irq_vector_alloc(const char *name, irq_handler_t handler, void *arg)
{
    irqflags_t flags = spin_lock(&lock);
    int vector = slot_take(name, GSI_NONE);

    spin_unlock(&lock, flags);
    if (vector >= 0)
        slot_publish(&slots[vector], handler, arg);
    return vector;
}

void irq_vector_free(int vector)
{
    KASSERT(vector >= VECTOR_ALLOC_MIN && vector <= VECTOR_ALLOC_MAX);
    slot_clear(&slots[vector]);
}

void irq_vector_set_mask(int vector, void (*mask)(void *arg, bool masked))
{
    KASSERT(vector >= VECTOR_ALLOC_MIN && vector <= VECTOR_ALLOC_MAX);
    __atomic_store_n(&slots[vector].mask, mask, __ATOMIC_SEQ_CST);
}

void irq_raise_self(int vector)
{
    lapic_send_ipi(cpu_self()->apic_id, (uint8_t)vector);
}

/* The local APIC holds back what is not of a higher class than the vector in
 * service (SDM 3A 10.8.3.1), and the timer's class is the highest. An 8259 was
 * told of the end before the handler began, and would send the same again. */
void irq_window(void)
{
    if (in_interrupt() && !use_pic && !cpu_self()->no_window)
        arch_irq_window();
}

void irq_forbid_window(bool forbid)
{
    cpu_self()->no_window = forbid;
}

/* --- lines --- */

bool irq_uses_pic(void)
{
    return use_pic;
}

static bool gsi_taken(uint32_t gsi)
{
    for (unsigned v = 0; v < VECTOR_COUNT; v++)
        if (slots[v].name && slots[v].gsi == gsi)
            return true;
    return false;
}

/* The vector of an 8259's line is fixed. */
static int pic_take(uint32_t gsi, const char *name)
{
    int vector = VECTOR_PIC_BASE + (int)gsi;

    if (gsi >= PIC_LINES)
        return -ENODEV;
    slots[vector].name = name;
    slots[vector].gsi = gsi;
    return vector;
}

int irq_request_gsi(uint32_t gsi, uint32_t flags, const char *name,
                    irq_handler_t handler, void *arg)
{
    irqflags_t irq = spin_lock(&lock);
    int err, vector = -EBUSY;

    if (!gsi_taken(gsi))
        vector = use_pic ? pic_take(gsi, name) : slot_take(name, gsi);
    spin_unlock(&lock, irq);
    if (vector < 0)
        return vector;
    slot_publish(&slots[vector], handler, arg);
    if (use_pic) {
        if (flags & IRQ_LEVEL)
            pic_set_level(gsi);
        pic_set_mask(gsi, false);
        return vector;
    }
    err = ioapic_route(gsi, (uint8_t)vector, flags, cpu_get(0)->apic_id);
    if (err) {
        slot_clear(&slots[vector]);
        return err;
    }
    return vector;
}

int irq_request_isa(uint32_t line, const char *name, irq_handler_t handler,
                    void *arg)
{
    uint32_t gsi, flags;

    if (line >= PIC_LINES)
        return -ENODEV;
    gsi = irq_isa_to_gsi(line, &flags);
    return irq_request_gsi(gsi, flags, name, handler, arg);
}

void irq_mask_gsi(uint32_t gsi, bool masked)
{
    if (use_pic)
        pic_set_mask(gsi, masked);
    else
        ioapic_set_mask(gsi, masked);
}

/* As irq_run and slot_clear: who frees the vector waits for us. */
static void message_set_mask(struct irq_slot *s, bool masked)
{
    void (*mask)(void *arg, bool masked);
    irqflags_t flags = arch_irq_save();

    __atomic_fetch_add(&s->running, 1, __ATOMIC_SEQ_CST);
    mask = __atomic_load_n(&s->mask, __ATOMIC_SEQ_CST);
    if (mask)
        mask(s->arg, masked);
    __atomic_fetch_sub(&s->running, 1, __ATOMIC_RELEASE);
    arch_irq_restore(flags);
}

static void line_set_mask(int vector, bool masked)
{
    struct irq_slot *s;
    int64_t gsi;

    KASSERT(vector >= 0 && vector < VECTOR_COUNT);
    s = &slots[vector];
    gsi = s->gsi;
    if (s->name && gsi != GSI_NONE)
        irq_mask_gsi((uint32_t)gsi, masked);
    else
        message_set_mask(s, masked);
}

void irq_mask(int vector)
{
    line_set_mask(vector, true);
}

void irq_unmask(int vector)
{
    line_set_mask(vector, false);
}

void irq_release(int vector)
{
    line_set_mask(vector, true);
    slot_clear(&slots[vector]);
}

bool irq_get_info(int vector, struct irq_info *out)
{
    const struct irq_slot *s;

    if (vector < 0 || vector >= VECTOR_COUNT)
        return false;
    s = &slots[vector];
    *out = (struct irq_info){
        .vector = vector,
        .gsi = s->gsi,
        .name = s->name,
        .count = __atomic_load_n(&s->count, __ATOMIC_RELAXED),
        .maskable = s->gsi != GSI_NONE || s->mask,
    };
    return out->name;
}

static void apic_error(void *arg)
{
    (void)arg;
    log_warn("lapic", "CPU %u reports an APIC error", cpu_id());
}

/* `irq=pic`: as if there were no I/O APIC. */
static bool wants_pic(void)
{
    const char *word = cmdline_get("irq");

    if (!word || strcmp(word, "pic") != 0)
        return false;
    log_info("irq", "the 8259s are used, as the command line wants");
    return true;
}

void irq_init(void)
{
    pic_init();
    lapic_init();
    use_pic = ioapic_init() == 0; /* masks them all */
    if (use_pic)
        log_warn("irq", "no I/O APIC: the 8259s are used");
    else
        use_pic = wants_pic();
    if (use_pic)
        lapic_accept_pic();
    irq_claim_system(VECTOR_APIC_ERROR, "apic-error", apic_error);
    smp_call_init();
    if (gdt_alloc_stacks(cpu_self()))
        panic("no memory for the interrupt stacks");
}
