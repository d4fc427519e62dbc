/*
 * The small rest of a PC. The keyboard controller has no keyboard behind it
 * (FADT says so); it answers its self test and knows the command that pulses
 * the reset line. vCPU threads.
 */
#include <errno.h>

#include <rayos/mm.h>

#include "vmm/vm.h"

#define PORT_I8042_DATA    0x60
#define PORT_I8042_COMMAND 0x64
#define PORT_DELAY         0x80 /* POST codes; written to pass the time */
#define PORT_A20           0x92

#define I8042_STATUS_FULL   0x01
#define I8042_STATUS_SYSTEM 0x04
#define I8042_SELF_TEST     0xaa
#define I8042_SELF_TEST_OK  0x55
#define I8042_PORT_TEST     0xab
#define I8042_PORT2_TEST    0xa9
#define I8042_NO_PORT       0x01 /* clock line stuck: nothing is plugged in */
#define I8042_READ_CONFIG   0x20
#define I8042_PULSE         0xf0 /* low nibble: lines that stay, bit 0 reset */
#define I8042_CONFIG        0x74 /* both ports off, system flag */
#define A20_ENABLED         0x02
#define A20_RESET           0x01

struct legacy {
    struct vm_device device;
    struct spinlock lock;
    uint8_t answer; /* lock */
    bool full;      /* lock: `answer` waits to be read */
    struct vm_region data, command, delay, a20;
};

static void answer(struct legacy *l, uint8_t value)
{
    l->answer = value;
    l->full = true;
}

/* true: reset. Lock held. */
static bool i8042_command(struct legacy *l, uint8_t command)
{
    if ((command & I8042_PULSE) == I8042_PULSE)
        return !(command & 1);
    if (command == I8042_SELF_TEST)
        answer(l, I8042_SELF_TEST_OK);
    else if (command == I8042_PORT_TEST || command == I8042_PORT2_TEST)
        answer(l, I8042_NO_PORT);
    else if (command == I8042_READ_CONFIG)
        answer(l, I8042_CONFIG);
    return false;
}

static enum mmio_result command_write(struct vcpu *v, void *device,
                                      uint64_t offset, unsigned size,
                                      uint64_t value)
{
    struct legacy *l = device;
    irqflags_t flags = spin_lock(&l->lock);
    bool reset = i8042_command(l, (uint8_t)value);

    (void)offset;
    (void)size;
    spin_unlock(&l->lock, flags);
    if (reset)
        vm_guest_reset(v, "the keyboard controller's pulse");
    return MMIO_HANDLED;
}

static enum mmio_result command_read(struct vcpu *v, void *device,
                                     uint64_t offset, unsigned size,
                                     uint64_t *value)
{
    struct legacy *l = device;

    (void)v;
    (void)offset;
    (void)size;
    *value = I8042_STATUS_SYSTEM | (l->full ? I8042_STATUS_FULL : 0);
    return MMIO_HANDLED;
}

static enum mmio_result data_read(struct vcpu *v, void *device, uint64_t offset,
                                  unsigned size, uint64_t *value)
{
    struct legacy *l = device;
    irqflags_t flags = spin_lock(&l->lock);

    (void)v;
    (void)offset;
    (void)size;
    *value = l->full ? l->answer : 0;
    l->full = false;
    spin_unlock(&l->lock, flags);
    return MMIO_HANDLED;
}

static enum mmio_result swallow(struct vcpu *v, void *device, uint64_t offset,
                                unsigned size, uint64_t value)
{
    (void)v;
    (void)device;
    (void)offset;
    (void)size;
    (void)value;
    return MMIO_HANDLED;
}

static enum mmio_result read_zero(struct vcpu *v, void *device, uint64_t offset,
                                  unsigned size, uint64_t *value)
{
    (void)v;
    (void)device;
    (void)offset;
    (void)size;
    *value = 0;
    return MMIO_HANDLED;
}

static enum mmio_result a20_write(struct vcpu *v, void *device, uint64_t offset,
                                  unsigned size, uint64_t value)
{
    (void)device;
    (void)offset;
    (void)size;
    if (value & A20_RESET)
        vm_guest_reset(v, "port 0x92");
    return MMIO_HANDLED;
}

static enum mmio_result a20_read(struct vcpu *v, void *device, uint64_t offset,
                                 unsigned size, uint64_t *value)
{
    (void)v;
    (void)device;
    (void)offset;
    (void)size;
    *value = A20_ENABLED;
    return MMIO_HANDLED;
}

static void legacy_reset(struct vm_device *d)
{
    container_of(d, struct legacy, device)->full = false;
}

static void legacy_destroy(struct vm_device *d)
{
    kfree(container_of(d, struct legacy, device));
}

static const struct vm_device_ops legacy_ops = {
    .name = "legacy", .reset = legacy_reset, .destroy = legacy_destroy};

static int legacy_create(struct vm *vm)
{
    struct legacy *l = kzalloc(sizeof(*l));
    int err;

    if (!l)
        return -ENOMEM;
    l->device = (struct vm_device){.ops = &legacy_ops, .vm = vm};
    l->data = (struct vm_region){PORT_I8042_DATA, 1,       "i8042",
                                 data_read,       swallow, .device = l};
    l->command = (struct vm_region){
        PORT_I8042_COMMAND, 1,          "i8042", command_read,
        command_write,      .device = l};
    l->delay = (struct vm_region){PORT_DELAY, 1,       "delay",
                                  read_zero,  swallow, .device = l};
    l->a20 = (struct vm_region){PORT_A20, 1,         "a20",
                                a20_read, a20_write, .device = l};
    vm_add_device(vm, &l->device);
    err = vm_add_ports(vm, &l->data);
    if (!err)
        err = vm_add_ports(vm, &l->command);
    if (!err)
        err = vm_add_ports(vm, &l->delay);
    return err ? err : vm_add_ports(vm, &l->a20);
}

VM_DEVICE_TYPE(legacy, .create = legacy_create);
