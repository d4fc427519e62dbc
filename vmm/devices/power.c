/*
 * The guest's power management. All registers are under one lock; ports are
 * accessed on vCPU threads, the button is pressed from anywhere but NMI.
 */
#include <errno.h>

#include <rayos/clock.h>
#include <rayos/mm.h>

#include "vmm/devices/power.h"
#include "vmm/devices/ratio.h"
#include "vmm/vm.h"

#define PM_TIMER_HZ 3579545

/* PM1 status and enable, ACPI 6.4 4.8.3.1 */
#define PM1_TIMER       (1u << 0)
#define PM1_GLOBAL      (1u << 5)
#define PM1_BUTTON      (1u << 8)
#define PM1_RTC         (1u << 10)
#define PM1_WAKE        (1u << 15)
#define PM1_ENABLE_MASK (PM1_TIMER | PM1_GLOBAL | PM1_BUTTON | PM1_RTC)
/* PM1 control, 4.8.3.2 */
#define PM1_SCI_ENABLE       (1u << 0)
#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP            (1u << 13)

#define RESET_CPU (1u << 2)

struct power {
    struct vm_device device;
    struct spinlock lock;
    uint16_t status, enable, control; /* lock */
    uint8_t reset_control;            /* lock */
    struct vm_region event, control_port, timer, reset_port;
};

/* The button is found through its VM. */
static void power_reset(struct vm_device *d);
static void power_destroy(struct vm_device *d);

static const struct vm_device_ops power_ops = {
    .name = "power",
    .reset = power_reset,
    .destroy = power_destroy,
};

/* Under the lock, so that two threads cannot leave the older level behind. */
static void update_sci(struct power *p)
{
    irqflags_t flags = spin_lock(&p->lock);

    vm_set_irq(p->device.vm, POWER_SCI_GSI,
               p->status & p->enable & PM1_ENABLE_MASK);
    spin_unlock(&p->lock, flags);
}

static uint16_t replace(uint16_t old, uint64_t offset, unsigned size,
                        uint64_t value)
{
    unsigned shift = 8 * (unsigned)(offset & 1);
    uint16_t mask = (uint16_t)((size == 1 ? 0xffu : 0xffffu) << shift);

    return (uint16_t)((old & ~mask) | ((value << shift) & mask));
}

/* Status is cleared by ones, in the first two bytes; enable is the next two. */
static enum mmio_result event_write(struct vcpu *v, void *device,
                                    uint64_t offset, unsigned size,
                                    uint64_t value)
{
    struct power *p = device;
    irqflags_t flags = spin_lock(&p->lock);

    (void)v;
    if (offset < 2) {
        p->status &= (uint16_t)~replace(0, offset, size, value);
        if (size == 4)
            p->enable = (uint16_t)(value >> 16) & PM1_ENABLE_MASK;
    } else {
        p->enable = replace(p->enable, offset, size, value) & PM1_ENABLE_MASK;
    }
    spin_unlock(&p->lock, flags);
    update_sci(p);
    return MMIO_HANDLED;
}

static enum mmio_result event_read(struct vcpu *v, void *device,
                                   uint64_t offset, unsigned size,
                                   uint64_t *value)
{
    struct power *p = device;
    irqflags_t flags = spin_lock(&p->lock);

    (void)v;
    (void)size;
    *value = (p->status | (uint64_t)p->enable << 16) >> 8 * offset;
    spin_unlock(&p->lock, flags);
    return MMIO_HANDLED;
}

static enum mmio_result control_write(struct vcpu *v, void *device,
                                      uint64_t offset, unsigned size,
                                      uint64_t value)
{
    struct power *p = device;
    irqflags_t flags = spin_lock(&p->lock);
    uint16_t control = replace(p->control, offset, size, value);
    bool off = (control & PM1_SLEEP) &&
               (control >> PM1_SLEEP_TYPE_SHIFT & 7) == POWER_SLEEP_S5;

    (void)v;
    /* The bit starts the sleep and reads as 0. */
    p->control = control & (uint16_t)~PM1_SLEEP;
    spin_unlock(&p->lock, flags);
    if (off)
        vm_request_end(p->device.vm, VM_END_POWEROFF);
    return MMIO_HANDLED;
}

static enum mmio_result control_read(struct vcpu *v, void *device,
                                     uint64_t offset, unsigned size,
                                     uint64_t *value)
{
    struct power *p = device;
    irqflags_t flags = spin_lock(&p->lock);

    (void)v;
    (void)size;
    *value = (uint64_t)p->control >> 8 * offset;
    spin_unlock(&p->lock, flags);
    return MMIO_HANDLED;
}

/* 32 bits wide, as the FADT says. It runs on while the VM is paused, as every
 * clock that a guest compares with the wall should. */
static enum mmio_result timer_read(struct vcpu *v, void *device,
                                   uint64_t offset, unsigned size,
                                   uint64_t *value)
{
    (void)v;
    (void)device;
    (void)size;
    *value = (uint32_t)ratio_ticks(clock_now(), PM_TIMER_HZ) >> 8 * offset;
    return MMIO_HANDLED;
}

static enum mmio_result ignore_write(struct vcpu *v, void *device,
                                     uint64_t offset, unsigned size,
                                     uint64_t value)
{
    (void)v;
    (void)device;
    (void)offset;
    (void)size;
    (void)value;
    return MMIO_HANDLED;
}

/* Bit 2 going up resets; bit 1 says how hard, which is all the same here. */
static enum mmio_result reset_write(struct vcpu *v, void *device,
                                    uint64_t offset, unsigned size,
                                    uint64_t value)
{
    struct power *p = device;
    irqflags_t flags = spin_lock(&p->lock);
    bool rose = (value & RESET_CPU) && !(p->reset_control & RESET_CPU);

    (void)offset;
    (void)size;
    p->reset_control = (uint8_t)value;
    spin_unlock(&p->lock, flags);
    if (rose)
        vm_guest_reset(v, "the reset register");
    return MMIO_HANDLED;
}

static enum mmio_result reset_read(struct vcpu *v, void *device,
                                   uint64_t offset, unsigned size,
                                   uint64_t *value)
{
    struct power *p = device;

    (void)v;
    (void)offset;
    (void)size;
    *value = p->reset_control;
    return MMIO_HANDLED;
}

/* --- life --- */

/* NULL: the VM does not run. */
static struct power *power_of(struct vm *vm)
{
    list_for_each (n, &vm->devices) {
        struct vm_device *d = container_of(n, struct vm_device, node);

        if (d->ops == &power_ops)
            return container_of(d, struct power, device);
    }
    return NULL;
}

void power_press(struct vm *vm)
{
    struct power *p = power_of(vm);
    irqflags_t flags;

    if (!p)
        return;
    flags = spin_lock(&p->lock);
    p->status |= PM1_BUTTON;
    spin_unlock(&p->lock, flags);
    update_sci(p);
}

bool power_listens(struct vm *vm)
{
    struct power *p = power_of(vm);

    return p && (p->enable & PM1_BUTTON);
}

static void power_reset(struct vm_device *d)
{
    struct power *p = container_of(d, struct power, device);
    irqflags_t flags = spin_lock(&p->lock);

    p->status = p->enable = 0;
    /* There is no SMM to hand over from: ACPI is on from the start. */
    p->control = PM1_SCI_ENABLE;
    p->reset_control = 0;
    spin_unlock(&p->lock, flags);
}

static void power_destroy(struct vm_device *d)
{
    kfree(container_of(d, struct power, device));
}

static int add(struct power *p, struct vm_region *r, uint16_t base,
               uint16_t size)
{
    r->base = base;
    r->size = size;
    r->name = "power";
    r->device = p;
    return vm_add_ports(p->device.vm, r);
}

static int power_create(struct vm *vm)
{
    struct power *p = kzalloc(sizeof(*p));

    if (!p)
        return -ENOMEM;
    p->device = (struct vm_device){.ops = &power_ops, .vm = vm};
    power_reset(&p->device);
    vm_add_device(vm, &p->device);
    p->event = (struct vm_region){.read = event_read, .write = event_write};
    p->control_port = (struct vm_region){.read = control_read,
                                         .write = control_write};
    p->timer = (struct vm_region){.read = timer_read, .write = ignore_write};
    p->reset_port = (struct vm_region){.read = reset_read,
                                       .write = reset_write};
    int err = add(p, &p->event, POWER_PM1_EVENT, 4);

    if (!err)
        err = add(p, &p->control_port, POWER_PM1_CONTROL, 2);
    if (!err)
        err = add(p, &p->timer, POWER_PM_TIMER, 4);
    return err ? err : add(p, &p->reset_port, POWER_RESET_PORT, 1);
}

VM_DEVICE_TYPE(power, .create = power_create);
