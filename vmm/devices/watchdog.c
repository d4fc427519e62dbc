/*
 * The guest's watchdog: four registers in I/O ports. A guest that has started
 * it and then does not answer in time is told of by an event, `vm_watchdog`;
 * what is to happen then, a rule says. Ports: vCPU threads; the bite: interrupt
 * context.
 *
 *	+0  time to answer in, milliseconds, at least 10
 *	+4  1: runs (writing it starts anew), 0: rests
 *	+8  any write: here I am
 *	+12 how often it has bitten since the guest was defined or reset
 */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/event.h>
#include <rayos/mm.h>

#include "vmm/devices/watchdog.h"
#include "vmm/vm.h"

#define REG_PERIOD  0
#define REG_CONTROL 4
#define REG_ANSWER  8
#define REG_BITES   12
#define REG_SIZE    16

#define PERIOD_MIN     10
#define PERIOD_DEFAULT 30000

static const struct event_field bite_fields[] = {
    EVENT_FIELD_AS("id", source, EVENT_U32, "number of the VM"),
    EVENT_FIELD_AS("period", value, EVENT_I64,
                   "in which it had to answer, nanoseconds"),
    EVENT_FIELD_AS("vm", text, EVENT_TEXT, "its name"),
    {0}};

EVENT_TYPE(vm_watchdog, .doc = "a guest did not answer its watchdog in time",
           .fields = bite_fields);

struct watchdog {
    struct vm_device device;
    struct vm_region ports;
    struct timer timer;
    struct spinlock lock;
    uint32_t period, bites; /* lock */
    bool runs, paused;      /* lock */
};

/* Lock held. */
static void rearm(struct watchdog *w)
{
    if (w->runs && !w->paused)
        timer_start(&w->timer, clock_now() + w->period * NS_PER_MS);
    else
        timer_cancel(&w->timer);
}

/* It rests until the guest starts it again. */
static void bite(struct timer *t)
{
    struct watchdog *w = container_of(t, struct watchdog, timer);
    const struct vm *vm = w->device.vm;
    irqflags_t flags = spin_lock(&w->lock);
    struct event e = {.source = vm->id,
                      .value = (int64_t)(w->period * NS_PER_MS)};
    bool bites = w->runs && !w->paused;

    w->runs &= !bites;
    w->bites += bites;
    spin_unlock(&w->lock, flags);
    if (!bites)
        return;
    strncpy(e.text, vm->config.name, sizeof(e.text));
    event_raise(&event_type_vm_watchdog, &e);
}

static enum mmio_result watchdog_write(struct vcpu *v, void *device,
                                       uint64_t offset, unsigned size,
                                       uint64_t value)
{
    struct watchdog *w = device;
    irqflags_t flags = spin_lock(&w->lock);

    (void)v;
    if (size == sizeof(uint32_t) && offset == REG_PERIOD)
        w->period = value < PERIOD_MIN ? PERIOD_MIN : (uint32_t)value;
    else if (offset == REG_CONTROL)
        w->runs = value & 1;
    if (offset == REG_CONTROL || offset == REG_ANSWER)
        rearm(w);
    spin_unlock(&w->lock, flags);
    return MMIO_HANDLED;
}

static enum mmio_result watchdog_read(struct vcpu *v, void *device,
                                      uint64_t offset, unsigned size,
                                      uint64_t *value)
{
    struct watchdog *w = device;
    irqflags_t flags = spin_lock(&w->lock);

    (void)v;
    (void)size;
    *value = offset == REG_PERIOD    ? w->period
             : offset == REG_CONTROL ? w->runs
             : offset == REG_BITES   ? w->bites
                                     : 0;
    spin_unlock(&w->lock, flags);
    return MMIO_HANDLED;
}

static void watchdog_reset(struct vm_device *d)
{
    struct watchdog *w = container_of(d, struct watchdog, device);
    irqflags_t flags = spin_lock(&w->lock);

    w->period = PERIOD_DEFAULT;
    w->bites = 0;
    w->runs = w->paused = false;
    rearm(w);
    spin_unlock(&w->lock, flags);
}

/* A guest that does not run cannot answer. */
static void watchdog_pause(struct vm_device *d, bool paused)
{
    struct watchdog *w = container_of(d, struct watchdog, device);
    irqflags_t flags = spin_lock(&w->lock);

    w->paused = paused;
    rearm(w);
    spin_unlock(&w->lock, flags);
}

static void watchdog_destroy(struct vm_device *d)
{
    struct watchdog *w = container_of(d, struct watchdog, device);

    timer_cancel_sync(&w->timer);
    kfree(w);
}

static const struct vm_device_ops watchdog_ops = {
    .name = "watchdog",
    .reset = watchdog_reset,
    .destroy = watchdog_destroy,
    .pause = watchdog_pause,
};

static int watchdog_create(struct vm *vm)
{
    struct watchdog *w = kzalloc(sizeof(*w));

    if (!w)
        return -ENOMEM;
    w->device = (struct vm_device){.ops = &watchdog_ops, .vm = vm};
    w->ports = (struct vm_region){
        .base = WATCHDOG_PORT,
        .size = REG_SIZE,
        .name = "watchdog",
        .read = watchdog_read,
        .write = watchdog_write,
        .device = w,
    };
    timer_init(&w->timer, bite);
    watchdog_reset(&w->device);
    vm_add_device(vm, &w->device);
    return vm_add_ports(vm, &w->ports);
}

VM_DEVICE_TYPE(watchdog, .create = watchdog_create);
