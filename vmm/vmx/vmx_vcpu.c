/* A vCPU's VMCS: controls and the host's state. */
#include <errno.h>
#include <stdatomic.h>

#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/gdt.h>
#include <arch/trap.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>

#include "vmm/vmx/vmx.h"

#define EXCEPTION(n)   (1u << (n))
#define EXCEPTION_DB   1
#define EXCEPTION_AC   17
#define EXCEPTION_MC   18
#define CR0_NE         (UINT64_C(1) << 5)
#define CR0_NW         (UINT64_C(1) << 29)
#define CR0_CD         (UINT64_C(1) << 30)
#define MSR_PAT        0x277
#define MSR_EFER_VALUE 0xc0000080
#define MSR_FS_BASE    0xc0000100
#define MSR_GS_BASE    0xc0000101

int vmx_vcpu_create(struct vcpu *v)
{
    static _Atomic uint16_t last_vpid;
    struct vmx_vcpu *s = kzalloc(sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->vmcs = frame_alloc(0, FRAME_ZERO);
    if (s->vmcs == FRAME_NONE) {
        kfree(s);
        return -ENOMEM;
    }
    *(uint32_t *)phys_to_virt(s->vmcs) = vmx_features.revision;
    /* 0 is the host's. Two of a VM with the same one are 65,535 apart, and
     * another VM has other tables, which the CPU tells apart as well. */
    do
        s->vpid = atomic_fetch_add(&last_vpid, 1) + 1;
    while (!s->vpid);
    s->flush = true;
    s->cached = true;
    s->proc = vmx_features.controls.proc & ~(PROC_IRQ_WINDOW | PROC_NMI_WINDOW);
    if (v->hardware_apic)
        s->proc = (s->proc & ~(PROC_CR8_LOAD | PROC_CR8_STORE)) |
                  vmx_features.controls.apic.proc;
    v->backend = s;
    return 0;
}

/* The CPU may have parts of the VMCS in itself. */
static void forget(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_vcpu(v);
    struct vmx_cpu *cpu = vmx_this_cpu();

    if (!cpu->enabled)
        return;
    if (s->ready)
        vmcs_clear(s->vmcs);
    if (cpu->loaded == s)
        cpu->loaded = NULL;
    vmx_drop_msrs(s, cpu);
}

void vmx_vcpu_destroy(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_vcpu(v);

    vmx_on_cpu(v, forget);
    v->backend = NULL;
    frame_free(s->vmcs, 0);
    kfree(s);
}

/* --- filling it in --- */

static void init_controls(struct vcpu *v)
{
    const struct vmx_controls *c = &vmx_features.controls;
    struct vmx_vcpu *s = vmx_vcpu(v);

    vmcs_write(VMCS_PIN, c->pin);
    vmcs_write(VMCS_PROC, s->proc);
    s->proc_in = s->proc;
    vmcs_write(VMCS_PROC2, c->proc2);
    vmcs_write(VMCS_EXIT, c->exit);
    vmcs_write(VMCS_ENTRY, c->entry & ~ENTRY_GUEST_64);
    /* The CPU can be kept busy for ever by delivering the first two. */
    vmcs_write(VMCS_EXCEPTIONS, EXCEPTION(EXCEPTION_DB) |
                                    EXCEPTION(EXCEPTION_AC) |
                                    EXCEPTION(EXCEPTION_MC));
    vmcs_write(VMCS_PF_MASK, 0);
    vmcs_write(VMCS_PF_MATCH, 0);
    vmcs_write(VMCS_CR3_TARGETS, 0);
    vmcs_write(VMCS_EXIT_STORE_COUNT, 0);
    vmcs_write(VMCS_EXIT_LOAD_COUNT, 0);
    vmcs_write(VMCS_ENTRY_LOAD_COUNT, 0);
    vmcs_write(VMCS_ENTRY_EVENT, 0);
    vmcs_write(VMCS_LINK_POINTER, UINT64_MAX);
    vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
    vmcs_write(VMCS_GUEST_ACTIVITY, 0);
    vmcs_write(VMCS_GUEST_PENDING_DEBUG, 0);
    vmcs_write(VMCS_EPT_POINTER, guest_memory_root(v->vm->memory) |
                                     EPTP_WRITE_BACK | EPTP_FOUR_LEVEL);
    if (c->proc2 & PROC2_VPID)
        vmcs_write(VMCS_VPID, s->vpid);
    /* CR0: numeric errors, and caches that stay on; every bit of CR4. */
    vmcs_write(VMCS_CR0_MASK, CR0_NE | CR0_NW | CR0_CD);
    vmcs_write(VMCS_CR4_MASK, UINT64_MAX);
}

struct table {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

static void init_host_tables(void)
{
    struct table gdtr, idtr;

    __asm__ volatile("sgdt %0" : "=m"(gdtr));
    __asm__ volatile("sidt %0" : "=m"(idtr));
    vmcs_write(VMCS_HOST_GDTR_BASE, gdtr.base);
    vmcs_write(VMCS_HOST_IDTR_BASE, idtr.base);
}

/* Constant on a CPU, where the vCPU stays. */
static void init_host(void)
{
    uint64_t cr0, cr4;

    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    vmcs_write(VMCS_HOST_CR0, cr0);
    vmcs_write(VMCS_HOST_CR3, arch_read_cr3());
    vmcs_write(VMCS_HOST_CR4, cr4);
    vmcs_write(VMCS_HOST_CS, KERNEL_CS);
    vmcs_write(VMCS_HOST_SS, KERNEL_DS);
    vmcs_write(VMCS_HOST_DS, KERNEL_DS);
    vmcs_write(VMCS_HOST_ES, KERNEL_DS);
    vmcs_write(VMCS_HOST_FS, 0);
    vmcs_write(VMCS_HOST_GS, 0);
    vmcs_write(VMCS_HOST_TR, KERNEL_TSS);
    vmcs_write(VMCS_HOST_FS_BASE, arch_rdmsr(MSR_FS_BASE));
    vmcs_write(VMCS_HOST_GS_BASE, arch_rdmsr(MSR_GS_BASE));
    vmcs_write(VMCS_HOST_TR_BASE, (uintptr_t)&cpu_self()->arch->tss);
    init_host_tables();
    vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
    vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
    vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
    vmcs_write(VMCS_HOST_PAT, arch_rdmsr(MSR_PAT));
    vmcs_write(VMCS_HOST_EFER, arch_rdmsr(MSR_EFER_VALUE));
}

void vmx_vmcs_init(struct vcpu *v)
{
    init_controls(v);
    vmx_apic_init(v);
    init_host();
}
