/*
 * The guest's HPET. Counter and comparators are computed from our clock; a host
 * timer for each comparator gives its interrupts. One lock; vCPU threads and
 * interrupt context.
 */
#include <errno.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/timer.h>

#include "vmm/devices/hpet.h"
#include "vmm/vm.h"

/* Registers, IA-PC HPET 1.0a 2.3 */
#define REG_CAPABILITIES 0x000
#define REG_CONFIG       0x010
#define REG_STATUS       0x020
#define REG_COUNTER      0x0f0
#define REG_TIMERS       0x100
#define TIMER_STRIDE     0x20
#define TIMER_CONFIG     0x00
#define TIMER_COMPARATOR 0x08

#define TIMERS      3
#define TICK_NS     10
#define TICK_FS     UINT64_C(10000000) /* in the high half of the capabilities */
#define CONFIG_ON   UINT64_C(1)
#define ROUTE_FIRST 16
#define ROUTE_LAST  23

#define TN_LEVEL         (UINT64_C(1) << 1)
#define TN_INTERRUPT     (UINT64_C(1) << 2)
#define TN_PERIODIC      (UINT64_C(1) << 3)
#define TN_PERIODIC_ABLE (UINT64_C(1) << 4)
#define TN_64BIT_ABLE    (UINT64_C(1) << 5)
#define TN_SET_VALUE     (UINT64_C(1) << 6)
#define TN_32BIT         (UINT64_C(1) << 8)
#define TN_ROUTE_SHIFT   9
#define TN_ROUTE_MASK    (UINT64_C(0x1f) << TN_ROUTE_SHIFT)
#define TN_WRITABLE                                                    \
    (TN_LEVEL | TN_INTERRUPT | TN_PERIODIC | TN_SET_VALUE | TN_32BIT | \
     TN_ROUTE_MASK)
#define TN_ROUTES (UINT64_C(0x00ff0000) << 32)

#define PERIOD_MIN (20 * NS_PER_US)

struct hpet;

struct hpet_timer {
    struct hpet *hpet;
    struct timer timer;
    uint64_t config;
    uint64_t comparator; /* next match */
    uint64_t period;     /* what was written last, for periodic ones */
    nstime_t due;        /* when the host's timer shall come; TIME_NEVER */
};

struct hpet {
    struct vm_device device;
    struct spinlock lock;
    /* lock: all below */
    uint64_t config, status;
    uint64_t counter; /* while off; else the value at `start` */
    nstime_t start;
    bool paused;
    struct hpet_timer timer[TIMERS];
    struct vm_region mmio;
};

static bool is_on(const struct hpet *h)
{
    return (h->config & CONFIG_ON) && !h->paused;
}

static uint64_t counter_at(const struct hpet *h, nstime_t now)
{
    return is_on(h) ? h->counter + (now - h->start) / TICK_NS : h->counter;
}

/* Ticks until the counter meets the comparator, 1 at least: one that is there
 * already comes after a whole round. */
static uint64_t ticks_left(const struct hpet_timer *t, uint64_t counter)
{
    if (t->config & TN_32BIT) {
        uint32_t left = (uint32_t)t->comparator - (uint32_t)counter;

        return left ? left : UINT64_C(1) << 32;
    }
    return t->comparator - counter;
}

/* Lock held. */
static void arm(struct hpet_timer *t, nstime_t now)
{
    uint64_t left = ticks_left(t, counter_at(t->hpet, now));

    t->due = TIME_NEVER;
    /* Centuries away is never; a comparator that the counter has passed is. */
    if (is_on(t->hpet) && (t->config & TN_INTERRUPT) && left &&
        left < UINT64_MAX / 2 / TICK_NS)
        t->due = now + left * TICK_NS;
    if (t->due == TIME_NEVER)
        timer_cancel(&t->timer);
    else
        timer_start(&t->timer, t->due);
}

static void arm_all(struct hpet *h, nstime_t now)
{
    for (unsigned i = 0; i < TIMERS; i++)
        arm(&h->timer[i], now);
}

static uint32_t route(const struct hpet_timer *t)
{
    return (uint32_t)((t->config & TN_ROUTE_MASK) >> TN_ROUTE_SHIFT);
}

/* Its bit of the status register. */
static uint64_t status_bit(const struct hpet_timer *t)
{
    return UINT64_C(1) << (t - t->hpet->timer);
}

static void set_line(struct hpet_timer *t, bool level)
{
    uint32_t gsi = route(t);

    /* Another is not one of those it said it has. */
    if (gsi >= ROUTE_FIRST && gsi <= ROUTE_LAST)
        vm_set_irq(t->hpet->device.vm, gsi, level);
}

static void raise(struct hpet_timer *t)
{
    set_line(t, true);
    if (t->config & TN_LEVEL)
        t->hpet->status |= status_bit(t);
    else
        set_line(t, false);
}

/* The next match of a periodic comparator, in phase with the first. */
static void next_period(struct hpet_timer *t, uint64_t counter)
{
    uint64_t period = t->period, late = counter - t->comparator;

    if (t->config & TN_32BIT) {
        period = (uint32_t)period;
        late = (uint32_t)late;
    }
    if (period < PERIOD_MIN / TICK_NS)
        period = PERIOD_MIN / TICK_NS;
    t->comparator += (late / period + 1) * period;
}

/* Interrupt context. */
static void expired(struct timer *timer)
{
    struct hpet_timer *t = container_of(timer, struct hpet_timer, timer);
    struct hpet *h = t->hpet;
    irqflags_t flags = spin_lock(&h->lock);
    nstime_t now = clock_now();

    /* One that was re-armed meanwhile comes by itself. */
    if (t->due <= now && is_on(h)) {
        t->due = TIME_NEVER;
        if (t->config & TN_PERIODIC) {
            next_period(t, counter_at(h, now));
            arm(t, now);
        }
        raise(t);
    }
    spin_unlock(&h->lock, flags);
}

/* --- registers: lock held --- */

static uint64_t read_register(struct hpet *h, uint64_t offset, nstime_t now)
{
    const struct hpet_timer *t;

    switch (offset) {
    case REG_CAPABILITIES:
        return TICK_FS << 32 | HPET_CAPABILITIES_LOW;
    case REG_CONFIG:
        return h->config;
    case REG_STATUS:
        return h->status;
    case REG_COUNTER:
        return counter_at(h, now);
    }
    if (offset < REG_TIMERS || offset >= REG_TIMERS + TIMERS * TIMER_STRIDE)
        return 0;
    t = &h->timer[(offset - REG_TIMERS) / TIMER_STRIDE];
    switch (offset % TIMER_STRIDE) {
    case TIMER_CONFIG:
        return t->config | TN_PERIODIC_ABLE | TN_64BIT_ABLE | TN_ROUTES;
    case TIMER_COMPARATOR:
        return t->config & TN_32BIT ? (uint32_t)t->comparator : t->comparator;
    default:
        return 0;
    }
}

static void write_config(struct hpet *h, uint64_t value, nstime_t now)
{
    uint64_t counter = counter_at(h, now);

    h->counter = counter;
    h->start = now;
    h->config = value & CONFIG_ON;
    arm_all(h, now);
}

/* Ones clear; a level line falls. */
static void write_status(struct hpet *h, uint64_t value)
{
    for (unsigned i = 0; i < TIMERS; i++)
        if (value & h->status & status_bit(&h->timer[i]))
            set_line(&h->timer[i], false);
    h->status &= ~value;
}

/* A line that it holds goes with the route. */
static void write_timer_config(struct hpet_timer *t, uint64_t value)
{
    bool held = t->hpet->status & status_bit(t);

    if (held)
        set_line(t, false);
    t->config = value & TN_WRITABLE;
    if (held)
        set_line(t, true);
}

static void write_comparator(struct hpet_timer *t, uint64_t value)
{
    bool periodic = t->config & TN_PERIODIC;

    if (t->config & TN_32BIT)
        value = (uint32_t)value;
    /* With SET_VALUE the first write is the first match (2.3.9.2.2), the next
     * is the period. */
    if (!periodic || (t->config & TN_SET_VALUE))
        t->comparator = value;
    if (periodic && !(t->config & TN_SET_VALUE))
        t->period = value;
    t->config &= ~TN_SET_VALUE;
}

static void write_register(struct hpet *h, uint64_t offset, uint64_t value,
                           nstime_t now)
{
    struct hpet_timer *t;

    if (offset == REG_CONFIG)
        write_config(h, value, now);
    else if (offset == REG_STATUS)
        write_status(h, value);
    else if (offset == REG_COUNTER && !(h->config & CONFIG_ON))
        h->counter = value;
    if (offset < REG_TIMERS || offset >= REG_TIMERS + TIMERS * TIMER_STRIDE)
        return;
    t = &h->timer[(offset - REG_TIMERS) / TIMER_STRIDE];
    if (offset % TIMER_STRIDE == TIMER_CONFIG)
        write_timer_config(t, value);
    else if (offset % TIMER_STRIDE == TIMER_COMPARATOR)
        write_comparator(t, value);
    arm(t, now);
}

static enum mmio_result hpet_read(struct vcpu *v, void *device, uint64_t offset,
                                  unsigned size, uint64_t *value)
{
    struct hpet *h = device;
    irqflags_t flags = spin_lock(&h->lock);

    (void)v;
    (void)size;
    *value = read_register(h, offset & ~UINT64_C(7), clock_now()) >>
             8 * (offset & 7);
    spin_unlock(&h->lock, flags);
    return MMIO_HANDLED;
}

/* Halves of a register are written one by one on 32-bit systems. */
static enum mmio_result hpet_write(struct vcpu *v, void *device,
                                   uint64_t offset, unsigned size,
                                   uint64_t value)
{
    struct hpet *h = device;
    uint64_t at = offset & ~UINT64_C(7);
    unsigned shift = 8 * (unsigned)(offset & 7);
    irqflags_t flags;
    nstime_t now;

    (void)v;
    if (size < 4 || offset & 3)
        return MMIO_HANDLED; /* undefined by 2.3.1 */
    flags = spin_lock(&h->lock);
    now = clock_now();
    if (size == 4 && at != REG_STATUS) {
        uint64_t mask = (uint64_t)UINT32_MAX << shift;

        value = (read_register(h, at, now) & ~mask) | value << shift;
    } else if (size == 4) {
        value <<= shift;
    }
    write_register(h, at, value, now);
    spin_unlock(&h->lock, flags);
    return MMIO_HANDLED;
}

/* --- life --- */

static void hpet_reset(struct vm_device *d)
{
    struct hpet *h = container_of(d, struct hpet, device);
    irqflags_t flags = spin_lock(&h->lock);

    write_status(h, UINT64_MAX);
    h->config = h->counter = 0;
    h->paused = false;
    for (unsigned i = 0; i < TIMERS; i++) {
        h->timer[i].config = h->timer[i].period = 0;
        h->timer[i].comparator = UINT64_MAX;
        h->timer[i].due = TIME_NEVER;
        timer_cancel(&h->timer[i].timer);
    }
    spin_unlock(&h->lock, flags);
}

static void hpet_pause(struct vm_device *d, bool paused)
{
    struct hpet *h = container_of(d, struct hpet, device);
    irqflags_t flags = spin_lock(&h->lock);
    nstime_t now = clock_now();

    h->counter = counter_at(h, now);
    h->start = now;
    h->paused = paused;
    arm_all(h, now);
    spin_unlock(&h->lock, flags);
}

static void hpet_destroy(struct vm_device *d)
{
    struct hpet *h = container_of(d, struct hpet, device);

    for (unsigned i = 0; i < TIMERS; i++)
        timer_cancel_sync(&h->timer[i].timer);
    kfree(h);
}

static const struct vm_device_ops hpet_ops = {
    .name = "hpet",
    .reset = hpet_reset,
    .destroy = hpet_destroy,
    .pause = hpet_pause,
};

static int hpet_create(struct vm *vm)
{
    struct hpet *h = kzalloc(sizeof(*h));

    if (!h)
        return -ENOMEM;
    h->device = (struct vm_device){.ops = &hpet_ops, .vm = vm};
    for (unsigned i = 0; i < TIMERS; i++) {
        h->timer[i].hpet = h;
        timer_init(&h->timer[i].timer, expired);
    }
    hpet_reset(&h->device);
    h->mmio = (struct vm_region){.base = HPET_BASE,
                                 .size = HPET_SIZE,
                                 .name = "hpet",
                                 .read = hpet_read,
                                 .write = hpet_write,
                                 .device = h};
    vm_add_device(vm, &h->device);
    return vm_add_mmio(vm, &h->mmio);
}

VM_DEVICE_TYPE(hpet, .create = hpet_create);
