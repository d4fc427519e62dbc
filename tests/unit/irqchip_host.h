/*
 * The interrupt controllers of a VM with three vCPUs on the host, under a clock
 * that the test moves. Include it in one file of a program.
 */
#ifndef RAYOS_TEST_IRQCHIP_HOST_H
#define RAYOS_TEST_IRQCHIP_HOST_H

#include <stdlib.h>

#include <rayos/clock.h>
#include <rayos/mm.h>

#include "vmm/devices/irqchip.h"
#include "vmm/devices/kvmclock.h"
#include "vmm/devices/lapic.h"

#define CPUS 3

/* --- the kernel that they stand on --- */

static nstime_t now;
static struct timer *armed[CPUS];
static struct vm_region *mmio[8];
static unsigned mmio_count;
static struct vm_region *ports[8];
static unsigned port_count;
static unsigned fired; /* timers */

nstime_t clock_now(void)
{
    return now;
}

nstime_t clock_from_tsc(uint64_t tsc)
{
    return tsc / 2; /* 2 GHz */
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.fn = fn};
}

void timer_start(struct timer *t, nstime_t deadline)
{
    struct lapic *l = container_of(t, struct lapic, timer);

    t->deadline = deadline;
    armed[l->id] = t;
}

void timer_cancel_sync(struct timer *t)
{
    for (unsigned i = 0; i < CPUS; i++)
        if (armed[i] == t)
            armed[i] = NULL;
}

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

phys_t frame_alloc(unsigned order, unsigned flags)
{
    (void)order;
    (void)flags;
    return virt_to_phys(aligned_alloc(PAGE_SIZE, PAGE_SIZE));
}

void frame_free(phys_t frame, unsigned order)
{
    (void)order;
    free(phys_to_virt(frame));
}

void vcpu_kick(struct vcpu *v, uint32_t requests)
{
    v->requests |= requests;
}

void kvmclock_reset(struct kvmclock *k)
{
    memset(k, 0, sizeof(*k));
}

/* The flag in the guest's memory. */
static uint32_t eoi_flag;

bool kvmclock_wants_eoi(const struct kvmclock *k)
{
    return k->pv_eoi & 1;
}

bool kvmclock_offer_eoi(struct vcpu *v, struct kvmclock *k)
{
    (void)v;
    (void)k;
    eoi_flag = 1;
    return true;
}

bool kvmclock_took_eoi(struct vcpu *v, struct kvmclock *k)
{
    bool took = !eoi_flag;

    (void)v;
    (void)k;
    eoi_flag = 0;
    return took;
}

int vm_add_ports(struct vm *vm, struct vm_region *r)
{
    (void)vm;
    ports[port_count++] = r;
    return 0;
}

int vm_add_mmio(struct vm *vm, struct vm_region *r)
{
    (void)vm;
    mmio[mmio_count++] = r;
    return 0;
}

/* --- the machine under test --- */

static struct vm vm;
static struct vcpu vcpus[CPUS];

static struct lapic *apic(unsigned i)
{
    return vcpus[i].lapic;
}

/* Fresh, every local APIC enabled by software. */
static void begin(void)
{
    if (vm.irqchip)
        irqchip_destroy(&vm);
    memset(&vm, 0, sizeof(vm));
    memset(vcpus, 0, sizeof(vcpus));
    memset(armed, 0, sizeof(armed));
    mmio_count = port_count = fired = 0;
    now = 1000000;
    vm.vcpu_count = CPUS;
    for (unsigned i = 0; i < CPUS; i++) {
        vcpus[i].vm = &vm;
        vcpus[i].index = i;
        vm.vcpus[i] = &vcpus[i];
    }
    if (irqchip_create(&vm))
        abort();
    for (unsigned i = 0; i < CPUS; i++)
        lapic_write(apic(i), LAPIC_SVR, 0x1ff);
}

static void advance(nstime_t ns)
{
    nstime_t end = now + ns;

    for (;;) {
        struct timer *first = NULL;

        for (unsigned i = 0; i < CPUS; i++)
            if (armed[i] && armed[i]->deadline <= end &&
                (!first || armed[i]->deadline < first->deadline))
                first = armed[i];
        if (!first)
            break;
        if (first->deadline > now)
            now = first->deadline;
        timer_cancel_sync(first);
        fired++;
        first->fn(first);
    }
    now = end;
}

#endif
