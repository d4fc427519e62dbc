/*
 * The guest's clock on its bus. One host timer serves periodic, update and
 * alarm interrupts, and runs only while one of them is enabled. One lock; vCPU
 * threads and interrupt context.
 */
#include <errno.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/rtc.h>
#include <rayos/timer.h>

#include "vmm/devices/rtc_registers.h"
#include "vmm/vm.h"

#define PORT_INDEX 0x70
#define GSI        8
#define INDEX_MASK 0x7f /* bit 7 masks NMIs, of which there are none */

struct rtc {
    struct vm_device device;
    struct spinlock lock;
    struct rtc_registers regs; /* lock */
    uint8_t index;             /* lock */
    struct timer timer;
    nstime_t next_period; /* lock; TIME_NEVER: off */
    nstime_t next_second; /* lock; TIME_NEVER: off */
    struct vm_region ports;
};

static nstime_t until_second(const struct rtc *r)
{
    uint64_t wall = (uint64_t)(wall_clock_now() + r->regs.offset);

    return NS_PER_SEC - wall % NS_PER_SEC;
}

static void arm(struct rtc *r)
{
    nstime_t next = r->next_period < r->next_second ? r->next_period
                                                    : r->next_second;

    if (next == TIME_NEVER)
        timer_cancel(&r->timer);
    else
        timer_start(&r->timer, next);
}

/* The guest changed a register: what has to be timed now? Lock held. */
static void reconsider(struct rtc *r)
{
    nstime_t now = clock_now(), period = rtc_registers_period(&r->regs);
    uint8_t b = r->regs.cmos[RTC_B];

    if (!period)
        r->next_period = TIME_NEVER;
    else if (r->next_period == TIME_NEVER || r->next_period > now + period)
        r->next_period = now + period;
    r->next_second = !(b & RTC_B_SET) && (b & (RTC_B_UPDATE | RTC_B_ALARM))
                         ? now + until_second(r)
                         : TIME_NEVER;
    arm(r);
}

/* Flags that are due; sets when they come again. Lock held. */
static uint8_t due(struct rtc *r, nstime_t now)
{
    uint8_t flags = 0;

    if (r->next_period <= now) {
        nstime_t period = rtc_registers_period(&r->regs);

        flags |= RTC_B_PERIODIC;
        if (!period)
            r->next_period = TIME_NEVER;
        else
            r->next_period += ((now - r->next_period) / period + 1) * period;
    }
    if (r->next_second <= now) {
        flags |= RTC_B_UPDATE;
        if (rtc_registers_alarm(&r->regs, wall_clock_now()))
            flags |= RTC_B_ALARM;
        r->next_second = now + until_second(r);
    }
    return flags;
}

/* Interrupt context. */
static void rtc_expired(struct timer *t)
{
    struct rtc *r = container_of(t, struct rtc, timer);
    irqflags_t flags = spin_lock(&r->lock);
    uint8_t what = due(r, clock_now());

    arm(r);
    if (what && rtc_registers_raise(&r->regs, what))
        vm_set_irq(r->device.vm, GSI, true);
    spin_unlock(&r->lock, flags);
}

static enum mmio_result cmos_read(struct vcpu *v, void *device, uint64_t offset,
                                  unsigned size, uint64_t *value)
{
    struct rtc *r = device;
    irqflags_t flags = spin_lock(&r->lock);

    (void)v;
    (void)size;
    *value = UINT64_MAX; /* the index cannot be read */
    if (offset) {
        *value = rtc_registers_read(&r->regs, r->index, wall_clock_now());
        if (r->index == RTC_C)
            vm_set_irq(r->device.vm, GSI, false);
    }
    spin_unlock(&r->lock, flags);
    return MMIO_HANDLED;
}

static enum mmio_result cmos_write(struct vcpu *v, void *device,
                                   uint64_t offset, unsigned size,
                                   uint64_t value)
{
    struct rtc *r = device;
    irqflags_t flags = spin_lock(&r->lock);

    (void)v;
    (void)size;
    if (offset) {
        rtc_registers_write(&r->regs, r->index, (uint8_t)value,
                            wall_clock_now());
        reconsider(r);
    } else {
        r->index = value & INDEX_MASK;
    }
    spin_unlock(&r->lock, flags);
    return MMIO_HANDLED;
}

static void rtc_reset(struct vm_device *d)
{
    struct rtc *r = container_of(d, struct rtc, device);
    irqflags_t flags = spin_lock(&r->lock);

    rtc_registers_reset(&r->regs);
    r->next_period = r->next_second = TIME_NEVER;
    timer_cancel(&r->timer);
    spin_unlock(&r->lock, flags);
}

/* The time of day goes on while the VM is paused; only its interrupts wait. */
static void rtc_pause(struct vm_device *d, bool paused)
{
    struct rtc *r = container_of(d, struct rtc, device);
    irqflags_t flags = spin_lock(&r->lock);

    if (paused) {
        timer_cancel(&r->timer);
    } else {
        r->next_period = TIME_NEVER;
        reconsider(r);
    }
    spin_unlock(&r->lock, flags);
}

static void rtc_destroy(struct vm_device *d)
{
    struct rtc *r = container_of(d, struct rtc, device);

    timer_cancel_sync(&r->timer);
    kfree(r);
}

static const struct vm_device_ops rtc_ops = {
    .name = "rtc",
    .reset = rtc_reset,
    .destroy = rtc_destroy,
    .pause = rtc_pause,
};

static int rtc_create(struct vm *vm)
{
    struct rtc *r = kzalloc(sizeof(*r));

    if (!r)
        return -ENOMEM;
    r->device = (struct vm_device){.ops = &rtc_ops, .vm = vm};
    timer_init(&r->timer, rtc_expired);
    rtc_reset(&r->device);
    r->ports = (struct vm_region){.base = PORT_INDEX,
                                  .size = 2,
                                  .name = "rtc",
                                  .read = cmos_read,
                                  .write = cmos_write,
                                  .device = r};
    vm_add_device(vm, &r->device);
    return vm_add_ports(vm, &r->ports);
}

VM_DEVICE_TYPE(rtc, .create = rtc_create);
