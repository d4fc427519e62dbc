/*
 * The local APIC that the CPU runs itself (Intel SDM 3C chapter 29), on the
 * page of registers of vmm/devices/lapic.h: with an exit for what it leaves to
 * us only. RVI, SVI and the bitmap of ends that we must see are made from that
 * page at each entry, so that nothing is kept twice.
 */
#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "vmm/devices/lapic.h"
#include "vmm/vmx/vmx.h"

static uint32_t msr_of(enum lapic_register r)
{
    return MSR_X2APIC_FIRST + (uint32_t)r / 16;
}

/* What it does by itself, and does right without us (29.5). */
int vmx_apic_probe(void)
{
    static const enum lapic_register written[] = {LAPIC_TPR, LAPIC_EOI,
                                                  LAPIC_SELF_IPI};
    uint8_t *bits;

    if (!vmx_features.controls.apic.proc_x2apic)
        return 0;
    vmx_features.x2apic_msrs = frame_alloc(0, 0);
    if (vmx_features.x2apic_msrs == FRAME_NONE)
        return -ENOMEM;
    bits = phys_to_virt(vmx_features.x2apic_msrs);
    memset(bits, 0xff, PAGE_SIZE);
    bits[msr_of(LAPIC_TPR) / 8] &= (uint8_t) ~(1u << msr_of(LAPIC_TPR) % 8);
    for (unsigned i = 0; i < sizeof(written) / sizeof(*written); i++)
        bits[MSR_BITMAP_WRITES + msr_of(written[i]) / 8] &= (uint8_t) ~(
            1u << msr_of(written[i]) % 8);
    return 0;
}

/* Where there is no page, accesses are EPT violations, and our model answers
 * them as well, from the same registers. */
static int map_access(struct vm *vm, bool on)
{
    const struct vmx_vm *x = vm->backend;

    return guest_memory_map_host(vm->memory, LAPIC_BASE, x->apic_access,
                                 LAPIC_SIZE,
                                 on ? NESTED_READ | NESTED_WRITE : 0);
}

int vmx_vm_create(struct vm *vm)
{
    struct vmx_vm *x;
    int err;

    vm->backend = NULL;
    if (!vmm_runs_apic(&vm->config))
        return 0;
    x = kzalloc(sizeof(*x));
    if (!x)
        return -ENOMEM;
    x->apic_access = frame_alloc(0, FRAME_ZERO);
    vm->backend = x;
    err = x->apic_access == FRAME_NONE ? -ENOMEM : map_access(vm, true);
    if (err)
        vmx_vm_destroy(vm);
    return err;
}

void vmx_vm_destroy(struct vm *vm)
{
    struct vmx_vm *x = vm->backend;

    if (!x)
        return;
    if (x->apic_access != FRAME_NONE)
        frame_free(x->apic_access, 0);
    kfree(x);
    vm->backend = NULL;
}

void vmx_apic_init(struct vcpu *v)
{
    const struct vmx_vm *x = v->vm->backend;

    if (!v->hardware_apic)
        return;
    vmcs_write(VMCS_VIRTUAL_APIC, v->lapic->page_phys);
    vmcs_write(VMCS_APIC_ACCESS, x->apic_access);
    vmcs_write(VMCS_TPR_THRESHOLD, 0);
    if (vmx_features.controls.apic.proc_x2apic)
        vmcs_write(VMCS_MSR_BITMAP, vmx_features.x2apic_msrs);
    for (unsigned i = 0; i < ARRAY_SIZE(vmx_vcpu(v)->eoi_exits); i++)
        vmcs_write(VMCS_EOI_EXIT + i * VMCS_STEP, 0);
}

static bool is_by_mmio(const struct vcpu *v)
{
    return (v->lapic->base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) ==
           APIC_BASE_ENABLE;
}

/* One that is off or has MSRs must not find memory there; the page is common to
 * all. Translations that others keep of it are good for them. */
static void show_access(struct vm *vm)
{
    bool all = true;

    for (uint32_t i = 0; i < vm->vcpu_count; i++)
        all = all && is_by_mmio(vm->vcpus[i]);
    map_access(vm, all);
}

/* Off, by MMIO, or by MSRs; the CPU may keep translations of the APIC's page
 * that were made in another mode (28.3.3.4). */
static void set_mode(struct vcpu *v, struct vmx_vcpu *s)
{
    const struct vmx_controls *c = &vmx_features.controls;
    uint32_t proc2 = c->proc2 | c->apic.proc2;

    s->apic_base = v->lapic->base;
    s->proc &= ~c->apic.proc_x2apic;
    if (lapic_is_x2apic(v->lapic)) {
        s->proc |= c->apic.proc_x2apic;
        proc2 |= c->apic.proc2_x2apic;
    } else if (is_by_mmio(v)) {
        proc2 |= c->apic.proc2_xapic;
    }
    vmcs_write(VMCS_PROC2, proc2);
    show_access(v->vm);
    s->flush = true;
}

void vmx_apic_enter(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_vcpu(v);
    uint8_t requested, in_service;

    if (s->apic_base != v->lapic->base)
        set_mode(v, s);
    lapic_guest_vectors(v->lapic, &requested, &in_service);
    vmcs_write(VMCS_GUEST_INTERRUPT_STATUS,
               requested | (uint32_t)in_service << STATUS_SVI_SHIFT);
    for (unsigned i = 0; i < ARRAY_SIZE(s->eoi_exits); i++) {
        uint64_t level = lapic_level_vectors(v->lapic, i);

        if (level != s->eoi_exits[i])
            vmcs_write(VMCS_EOI_EXIT + i * VMCS_STEP, level);
        s->eoi_exits[i] = level;
    }
}
