/*
 * The lines between a VM's interrupt controllers, and their places on its
 * buses. One spin lock protects PIC and I/O APIC; delivery to local APICs
 * happens under it and takes no further lock. Any context but NMI, unless
 * irqchip.h says otherwise.
 */
#include <errno.h>

#include <rayos/mm.h>
#include <rayos/spinlock.h>

#include "vmm/devices/irqchip.h"
#include "vmm/devices/kvmclock.h"
#include "vmm/devices/lapic.h"
#include "vmm/devices/pic.h"

#define PORT_REGIONS 3
#define MSI_BASE     UINT64_C(0xfee00000)
#define MSI_DEST     12
#define MSI_LOGICAL  (UINT64_C(1) << 2)
#define MSI_MODE     8
#define MSI_LEVEL    (1u << 15)
#define ALL_ONES     UINT64_MAX

struct irqchip {
    struct vm *vm;
    struct spinlock lock;
    struct pic pic;          /* lock */
    struct ioapic ioapic;    /* lock */
    _Atomic bool pic_output; /* written under the lock, read without */
    uint32_t next_lowest;    /* lock: rotates lowest priority */
    struct vm_region ports[PORT_REGIONS], ioapic_mmio, lapic_mmio;
};

/* --- delivery --- */

static void deliver_lowest(struct vm *vm, const struct apic_message *m)
{
    struct irqchip *chip = vm->irqchip;
    uint32_t n = __atomic_fetch_add(&chip->next_lowest, 1, __ATOMIC_RELAXED);

    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        struct lapic *l = vm->vcpus[(n + i) % vm->vcpu_count]->lapic;

        if (lapic_matches(l, m->destination, m->logical)) {
            lapic_deliver(l, m);
            return;
        }
    }
}

void irqchip_deliver(struct vm *vm, const struct apic_message *m)
{
    if (m->mode == APIC_LOWEST) {
        deliver_lowest(vm, m);
        return;
    }
    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        struct lapic *l = vm->vcpus[i]->lapic;

        if (lapic_matches(l, m->destination, m->logical))
            lapic_deliver(l, m);
    }
}

static void ioapic_delivers(void *arg, const struct apic_message *m)
{
    irqchip_deliver(arg, m);
}

/* Tell the boot processor when the 8259s begin to ask. Lock held. */
static void pic_changed(struct irqchip *chip)
{
    bool now = pic_output(&chip->pic);
    bool before = __atomic_exchange_n((bool *)&chip->pic_output, now,
                                      __ATOMIC_RELEASE);

    if (now && !before)
        vcpu_kick(chip->vm->vcpus[0], VCPU_REQ_INTERRUPT);
}

void vm_set_irq(struct vm *vm, uint32_t gsi, bool level)
{
    struct irqchip *chip = vm->irqchip;
    irqflags_t flags = spin_lock(&chip->lock);

    if (gsi < PIC_LINES) {
        pic_set_line(&chip->pic, gsi, level);
        pic_changed(chip);
    }
    if (gsi != IRQCHIP_PIT_PIN)
        ioapic_set_line(&chip->ioapic, gsi ? gsi : IRQCHIP_PIT_PIN, level);
    spin_unlock(&chip->lock, flags);
}

/* Intel SDM 3A 11.11 */
void vm_send_msi(struct vm *vm, uint64_t address, uint32_t data)
{
    const struct apic_message m = {
        .destination = (uint32_t)(address >> MSI_DEST & 0xff),
        .logical = address & MSI_LOGICAL,
        .level = data & MSI_LEVEL,
        .mode = (enum apic_mode)(data >> MSI_MODE & 7),
        .vector = (uint8_t)data,
    };

    if ((address & ~(uint64_t)0xfffff) == MSI_BASE)
        irqchip_deliver(vm, &m);
}

void irqchip_eoi(struct vm *vm, uint8_t vector)
{
    struct irqchip *chip = vm->irqchip;
    irqflags_t flags = spin_lock(&chip->lock);

    ioapic_eoi(&chip->ioapic, vector);
    spin_unlock(&chip->lock, flags);
}

bool irqchip_wants_eoi(struct vm *vm, uint8_t vector)
{
    struct irqchip *chip = vm->irqchip;
    irqflags_t flags = spin_lock(&chip->lock);
    bool wants = ioapic_wants_eoi(&chip->ioapic, vector);

    spin_unlock(&chip->lock, flags);
    return wants;
}

/* --- before an entry --- */

static bool pic_asks(struct vcpu *v)
{
    const struct irqchip *chip = v->vm->irqchip;

    return v->index == 0 &&
           __atomic_load_n((const bool *)&chip->pic_output, __ATOMIC_ACQUIRE) &&
           lapic_passes_pic(v->lapic);
}

bool irqchip_has_irq(struct vcpu *v)
{
    return pic_asks(v) || lapic_next(v->lapic) >= 0;
}

bool irqchip_must_inject(struct vcpu *v)
{
    return pic_asks(v) || (!v->hardware_apic && lapic_next(v->lapic) >= 0);
}

int irqchip_take_irq(struct vcpu *v)
{
    struct irqchip *chip = v->vm->irqchip;
    int vector = -1;

    if (pic_asks(v)) {
        irqflags_t flags = spin_lock(&chip->lock);

        if (pic_output(&chip->pic))
            vector = pic_acknowledge(&chip->pic);
        pic_changed(chip);
        spin_unlock(&chip->lock, flags);
    }
    if (vector < 0 && !v->hardware_apic) {
        vector = lapic_next(v->lapic);
        if (vector >= 0)
            lapic_accept(v->lapic, (uint8_t)vector);
    }
    return vector;
}

void irqchip_offer_eoi(struct vcpu *v)
{
    if (!v->hardware_apic && kvmclock_wants_eoi(v->clock) &&
        lapic_ends_unseen(v->lapic))
        v->lapic->eoi_offered = kvmclock_offer_eoi(v, v->clock);
}

void irqchip_settle_eoi(struct vcpu *v)
{
    if (!v->lapic->eoi_offered)
        return;
    v->lapic->eoi_offered = false;
    if (kvmclock_took_eoi(v, v->clock))
        lapic_eoi(v->lapic);
}

/* --- places on the buses --- */

static enum mmio_result pic_port_read(struct vcpu *v, void *device,
                                      uint64_t offset, unsigned size,
                                      uint64_t *value)
{
    struct vm_region *r = device;
    struct irqchip *chip = v->vm->irqchip;

    *value = 0;
    for (unsigned i = 0; i < size; i++) {
        irqflags_t flags = spin_lock(&chip->lock);

        *value |=
            (uint64_t)pic_read(&chip->pic, (uint16_t)(r->base + offset + i))
            << 8 * i;
        pic_changed(chip); /* a poll takes */
        spin_unlock(&chip->lock, flags);
    }
    return MMIO_HANDLED;
}

static enum mmio_result pic_port_write(struct vcpu *v, void *device,
                                       uint64_t offset, unsigned size,
                                       uint64_t value)
{
    struct vm_region *r = device;
    struct irqchip *chip = v->vm->irqchip;

    for (unsigned i = 0; i < size; i++) {
        irqflags_t flags = spin_lock(&chip->lock);

        pic_write(&chip->pic, (uint16_t)(r->base + offset + i),
                  (uint8_t)(value >> 8 * i));
        pic_changed(chip);
        spin_unlock(&chip->lock, flags);
    }
    return MMIO_HANDLED;
}

static enum mmio_result ioapic_mmio_read(struct vcpu *v, void *device,
                                         uint64_t offset, unsigned size,
                                         uint64_t *value)
{
    struct irqchip *chip = device;
    irqflags_t flags = spin_lock(&chip->lock);

    (void)v;
    /* Registers are read whole; a part of one is cut from it. */
    *value = ioapic_read(&chip->ioapic, offset & ~(uint64_t)3) >>
             8 * (offset & 3);
    (void)size;
    spin_unlock(&chip->lock, flags);
    return MMIO_HANDLED;
}

static enum mmio_result ioapic_mmio_write(struct vcpu *v, void *device,
                                          uint64_t offset, unsigned size,
                                          uint64_t value)
{
    struct irqchip *chip = device;
    irqflags_t flags;

    (void)v;
    /* The select register is one byte; the window takes whole words only. */
    if (offset & 3 || (offset && size < 4))
        return MMIO_HANDLED;
    flags = spin_lock(&chip->lock);
    ioapic_write(&chip->ioapic, offset, (uint32_t)value);
    spin_unlock(&chip->lock, flags);
    return MMIO_HANDLED;
}

/* Registers are 16 bytes apart; what lies between, and sizes other than 4, are
 * undefined (Intel SDM 3A 11.4.1): reads of a part get that part. */
static enum mmio_result lapic_mmio_read(struct vcpu *v, void *device,
                                        uint64_t offset, unsigned size,
                                        uint64_t *value)
{
    struct lapic *l = v->lapic;

    (void)device;
    (void)size;
    if (!(l->base & APIC_BASE_ENABLE) || lapic_is_x2apic(l)) {
        *value = ALL_ONES;
        return MMIO_HANDLED;
    }
    *value = 0;
    if ((offset & 0xf) < 4)
        *value = lapic_read(l, (uint32_t)offset & ~0xfu) >> 8 * (offset & 3);
    return MMIO_HANDLED;
}

static enum mmio_result lapic_mmio_write(struct vcpu *v, void *device,
                                         uint64_t offset, unsigned size,
                                         uint64_t value)
{
    struct lapic *l = v->lapic;

    (void)device;
    if ((l->base & APIC_BASE_ENABLE) && !lapic_is_x2apic(l) &&
        !(offset & 0xf) && size >= 4)
        lapic_write(l, (uint32_t)offset, (uint32_t)value);
    return MMIO_HANDLED;
}

static int add_regions(struct irqchip *chip)
{
    static const uint16_t bases[PORT_REGIONS] = {0x20, 0xa0, 0x4d0};
    struct vm *vm = chip->vm;
    int err = 0;

    for (unsigned i = 0; i < PORT_REGIONS && !err; i++) {
        chip->ports[i] = (struct vm_region){.base = bases[i],
                                            .size = 2,
                                            .name = "pic",
                                            .read = pic_port_read,
                                            .write = pic_port_write,
                                            .device = &chip->ports[i]};
        err = vm_add_ports(vm, &chip->ports[i]);
    }
    chip->ioapic_mmio = (struct vm_region){.base = IOAPIC_BASE,
                                           .size = IOAPIC_SIZE,
                                           .name = "ioapic",
                                           .read = ioapic_mmio_read,
                                           .write = ioapic_mmio_write,
                                           .device = chip};
    chip->lapic_mmio = (struct vm_region){.base = LAPIC_BASE,
                                          .size = LAPIC_SIZE,
                                          .name = "lapic",
                                          .read = lapic_mmio_read,
                                          .write = lapic_mmio_write,
                                          .device = chip};
    if (!err)
        err = vm_add_mmio(vm, &chip->ioapic_mmio);
    return err ? err : vm_add_mmio(vm, &chip->lapic_mmio);
}

/* --- birth, reset, end: thread context, the VM does not run --- */

int irqchip_create(struct vm *vm)
{
    struct irqchip *chip = kzalloc(sizeof(*chip));
    int err = chip ? 0 : -ENOMEM;

    if (err)
        return err;
    chip->vm = vm;
    chip->ioapic.deliver = ioapic_delivers;
    chip->ioapic.arg = vm;
    vm->irqchip = chip;
    for (uint32_t i = 0; i < vm->vcpu_count && !err; i++) {
        err = lapic_create(vm->vcpus[i], &vm->vcpus[i]->lapic);
        vm->vcpus[i]->clock = kzalloc(sizeof(*vm->vcpus[i]->clock));
        if (!vm->vcpus[i]->clock)
            err = -ENOMEM;
    }
    if (!err)
        err = add_regions(chip);
    if (err) {
        irqchip_destroy(vm);
        return err;
    }
    irqchip_reset(vm);
    return 0;
}

void irqchip_destroy(struct vm *vm)
{
    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        if (vm->vcpus[i]->lapic)
            lapic_destroy(vm->vcpus[i]->lapic);
        vm->vcpus[i]->lapic = NULL;
        kfree(vm->vcpus[i]->clock);
        vm->vcpus[i]->clock = NULL;
    }
    kfree(vm->irqchip);
    vm->irqchip = NULL;
}

void irqchip_reset(struct vm *vm)
{
    struct irqchip *chip = vm->irqchip;
    irqflags_t flags = spin_lock(&chip->lock);

    pic_reset(&chip->pic);
    ioapic_reset(&chip->ioapic);
    __atomic_store_n((bool *)&chip->pic_output, false, __ATOMIC_RELAXED);
    spin_unlock(&chip->lock, flags);
    for (uint32_t i = 0; i < vm->vcpu_count; i++)
        irqchip_reset_vcpu(vm->vcpus[i]);
}

void irqchip_reset_vcpu(struct vcpu *v)
{
    lapic_reset(v->lapic);
    kvmclock_reset(v->clock);
}

void irqchip_pause(struct vm *vm, bool paused)
{
    for (uint32_t i = 0; i < vm->vcpu_count; i++)
        lapic_pause(vm->vcpus[i]->lapic, paused);
}
