/*
 * The guest's interval timer on its bus: three channels, the interrupt of
 * channel 0, gate and output of channel 2 at port 0x61. Interrupts come from a
 * host timer that is set for each edge of the output, by the clock and not by
 * exits. One lock; vCPU threads and interrupt context.
 */
#include <errno.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/timer.h>

#include "vmm/devices/pit_channel.h"
#include "vmm/vm.h"

#define PORT_CHANNEL0 0x40
#define PORT_CONTROL  3 /* from there */
#define PORT_SPEAKER  0x61

#define CHANNELS       3
#define CONTROL_BACK   3 /* "channel" 3: the read-back command */
#define BACK_NO_COUNT  0x20
#define BACK_NO_STATUS 0x10

#define SPEAKER_GATE    0x01
#define SPEAKER_DATA    0x02
#define SPEAKER_REFRESH 0x10
#define SPEAKER_OUTPUT  0x20
#define REFRESH_NS      15085 /* the memory refresh of the first PCs */

#define GSI 0
/* More ticks than that are of use to nobody. */
#define PERIOD_MIN (20 * NS_PER_US)

struct pit {
    struct vm_device device;
    struct spinlock lock;
    struct pit_channel channel[CHANNELS]; /* lock */
    uint8_t speaker;                      /* lock: bits 0 and 1 of port 0x61 */
    struct timer timer;
    nstime_t edge;   /* lock: when channel 0 rises; TIME_NEVER */
    nstime_t paused; /* lock: when the VM was paused; 0: it runs */
    struct vm_region ports, speaker_port;
};

/* Set the host's timer for channel 0's next edge. Lock held. */
static void arm(struct pit *p, nstime_t now)
{
    p->edge = pit_channel_next_edge(&p->channel[0], now);
    if (p->edge != TIME_NEVER)
        timer_start(&p->timer,
                    p->edge < now + PERIOD_MIN ? now + PERIOD_MIN : p->edge);
    else
        timer_cancel(&p->timer);
}

/* Interrupt context. An old timer that lost the race finds nothing due. */
static void pit_edge(struct timer *t)
{
    struct pit *p = container_of(t, struct pit, timer);
    irqflags_t flags = spin_lock(&p->lock);
    nstime_t now = clock_now();
    bool due = !p->paused && p->edge <= now;

    if (due)
        arm(p, now);
    spin_unlock(&p->lock, flags);
    if (due) {
        vm_set_irq(p->device.vm, GSI, true);
        vm_set_irq(p->device.vm, GSI, false);
    }
}

/* --- ports --- */

static void read_back(struct pit *p, uint8_t value, nstime_t now)
{
    for (unsigned i = 0; i < CHANNELS; i++) {
        if (!(value & 2u << i))
            continue;
        if (!(value & BACK_NO_COUNT))
            pit_channel_latch_count(&p->channel[i], now);
        if (!(value & BACK_NO_STATUS))
            pit_channel_latch_status(&p->channel[i], now);
    }
}

static void control(struct pit *p, uint8_t value, nstime_t now)
{
    unsigned i = value >> 6;

    if (i == CONTROL_BACK) {
        read_back(p, value, now);
    } else if (!(value & 0x30)) {
        pit_channel_latch_count(&p->channel[i], now);
    } else {
        pit_channel_set_mode(&p->channel[i], value & 0x3f, now);
        if (i == 0)
            arm(p, now);
    }
}

static enum mmio_result pit_write(struct vcpu *v, void *device, uint64_t offset,
                                  unsigned size, uint64_t value)
{
    struct pit *p = device;
    irqflags_t flags = spin_lock(&p->lock);
    nstime_t now = clock_now();

    (void)v;
    (void)size;
    if (offset == PORT_CONTROL)
        control(p, (uint8_t)value, now);
    else if (pit_channel_write(&p->channel[offset], (uint8_t)value, now) &&
             offset == 0)
        arm(p, now);
    spin_unlock(&p->lock, flags);
    return MMIO_HANDLED;
}

static enum mmio_result pit_read(struct vcpu *v, void *device, uint64_t offset,
                                 unsigned size, uint64_t *value)
{
    struct pit *p = device;
    irqflags_t flags = spin_lock(&p->lock);

    (void)v;
    (void)size;
    *value = offset == PORT_CONTROL
                 ? 0xff
                 : pit_channel_read(&p->channel[offset], clock_now());
    spin_unlock(&p->lock, flags);
    return MMIO_HANDLED;
}

static enum mmio_result speaker_write(struct vcpu *v, void *device,
                                      uint64_t offset, unsigned size,
                                      uint64_t value)
{
    struct pit *p = device;
    irqflags_t flags = spin_lock(&p->lock);

    (void)v;
    (void)offset;
    (void)size;
    p->speaker = value & (SPEAKER_GATE | SPEAKER_DATA);
    pit_channel_set_gate(&p->channel[2], value & SPEAKER_GATE, clock_now());
    spin_unlock(&p->lock, flags);
    return MMIO_HANDLED;
}

static enum mmio_result speaker_read(struct vcpu *v, void *device,
                                     uint64_t offset, unsigned size,
                                     uint64_t *value)
{
    struct pit *p = device;
    irqflags_t flags = spin_lock(&p->lock);
    nstime_t now = clock_now();

    (void)v;
    (void)offset;
    (void)size;
    *value = p->speaker;
    if (pit_channel_output(&p->channel[2], now))
        *value |= SPEAKER_OUTPUT;
    if (now / REFRESH_NS & 1)
        *value |= SPEAKER_REFRESH;
    spin_unlock(&p->lock, flags);
    return MMIO_HANDLED;
}

/* --- life --- */

static void pit_reset(struct vm_device *d)
{
    struct pit *p = container_of(d, struct pit, device);
    irqflags_t flags = spin_lock(&p->lock);

    for (unsigned i = 0; i < CHANNELS; i++)
        pit_channel_reset(&p->channel[i], i != 2);
    p->speaker = 0;
    p->paused = 0;
    p->edge = TIME_NEVER;
    timer_cancel(&p->timer);
    spin_unlock(&p->lock, flags);
}

/* The counters stand still: afterwards they have counted as much as before. */
static void pit_pause(struct vm_device *d, bool paused)
{
    struct pit *p = container_of(d, struct pit, device);
    irqflags_t flags = spin_lock(&p->lock);
    nstime_t now = clock_now();

    if (paused) {
        p->paused = now;
        timer_cancel(&p->timer);
    } else if (p->paused) {
        for (unsigned i = 0; i < CHANNELS; i++)
            p->channel[i].start += now - p->paused;
        p->paused = 0;
        arm(p, now);
    }
    spin_unlock(&p->lock, flags);
}

static void pit_destroy(struct vm_device *d)
{
    struct pit *p = container_of(d, struct pit, device);

    timer_cancel_sync(&p->timer);
    kfree(p);
}

static const struct vm_device_ops pit_ops = {
    .name = "pit",
    .reset = pit_reset,
    .destroy = pit_destroy,
    .pause = pit_pause,
};

static int pit_create(struct vm *vm)
{
    struct pit *p = kzalloc(sizeof(*p));
    int err;

    if (!p)
        return -ENOMEM;
    p->device = (struct vm_device){.ops = &pit_ops, .vm = vm};
    timer_init(&p->timer, pit_edge);
    pit_reset(&p->device);
    p->ports = (struct vm_region){.base = PORT_CHANNEL0,
                                  .size = CHANNELS + 1,
                                  .name = "pit",
                                  .read = pit_read,
                                  .write = pit_write,
                                  .device = p};
    p->speaker_port = (struct vm_region){.base = PORT_SPEAKER,
                                         .size = 1,
                                         .name = "pit",
                                         .read = speaker_read,
                                         .write = speaker_write,
                                         .device = p};
    vm_add_device(vm, &p->device);
    err = vm_add_ports(vm, &p->ports);
    return err ? err : vm_add_ports(vm, &p->speaker_port);
}

VM_DEVICE_TYPE(pit, .create = pit_create);
