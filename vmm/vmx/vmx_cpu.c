/* VMX on the CPUs: what they have, switching it on and off, the current VMCS.
 */
#include <errno.h>
#include <string.h>

#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/trap.h>
#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/smp.h>

#include "vmm/vmx/vmx.h"

#define CR4_VMXE (UINT64_C(1) << 13)

struct vmx_features vmx_features;
uint32_t vmcs_refused, vmcs_refused_field;

static struct vmx_cpu cpus[MAX_CPUS];

struct vmx_cpu *vmx_this_cpu(void)
{
    return &cpus[cpu_id()];
}

/* --- what there is --- */

static int refuse(struct vmm_host *h, int err, const char *what,
                  const char *detail)
{
    fmt_snprintf(h->reason, sizeof(h->reason), "%s%s", what, detail);
    return err;
}

static int check_firmware(struct vmm_host *h)
{
    uint64_t control;

    if (!arch_rdmsr_safe(MSR_FEATURE_CONTROL, &control))
        return refuse(h, -ENODEV, "the CPU has no IA32_FEATURE_CONTROL", "");
    /* What is not locked is allowed by vmx_cpu_enable. */
    if ((control & FEATURE_CONTROL_LOCK) && !(control & FEATURE_CONTROL_VMX))
        return refuse(h, -EACCES,
                      "VMX is switched off and locked by the firmware: "
                      "allow \"VT-x\" or \"virtualization\" in its setup",
                      "");
    return 0;
}

static int check_controls(struct vmm_host *h)
{
    struct vmx_capabilities caps = {0};
    const char *missing = "";
    uint64_t basic = arch_rdmsr(MSR_VMX_BASIC);

    if (!(basic & BASIC_TRUE))
        return refuse(h, -ENODEV, "the CPU's VMX has no TRUE controls", "");
    caps.pin = arch_rdmsr(MSR_VMX_TRUE_PIN);
    caps.proc = arch_rdmsr(MSR_VMX_TRUE_PROC);
    caps.exit = arch_rdmsr(MSR_VMX_TRUE_EXIT);
    caps.entry = arch_rdmsr(MSR_VMX_TRUE_ENTRY);
    if (!arch_rdmsr_safe(MSR_VMX_PROC2, &caps.proc2) ||
        !arch_rdmsr_safe(MSR_VMX_EPT_VPID_CAP, &caps.ept_vpid))
        return refuse(h, -ENODEV, "the CPU's VMX has no EPT", "");
    if (!vmx_controls_make(&caps, &vmx_features.controls, &missing))
        return refuse(h, -ENODEV, "the CPU's VMX lacks ", missing);
    vmx_features.revision = (uint32_t)(basic & BASIC_REVISION);
    vmx_features.ept_vpid = caps.ept_vpid;
    vmx_features.cr0_fixed0 = arch_rdmsr(MSR_VMX_CR0_FIXED0);
    vmx_features.cr0_fixed1 = arch_rdmsr(MSR_VMX_CR0_FIXED1);
    vmx_features.cr4_fixed0 = arch_rdmsr(MSR_VMX_CR4_FIXED0);
    vmx_features.cr4_fixed1 = arch_rdmsr(MSR_VMX_CR4_FIXED1);
    vmx_features.timer_shift = (unsigned)(arch_rdmsr(MSR_VMX_MISC) &
                                          MISC_TIMER_SHIFT);
    return 0;
}

static int allocate(void)
{
    for (uint32_t i = 0; i < cpu_count(); i++) {
        uint32_t *region;

        cpus[i].vmxon = frame_alloc(0, FRAME_ZERO);
        if (cpus[i].vmxon == FRAME_NONE)
            return -ENOMEM;
        region = phys_to_virt(cpus[i].vmxon);
        *region = vmx_features.revision;
    }
    return 0;
}

/* Of a VMCS in Bochs 2.7. There an interrupt of ours that comes while the guest
 * runs with interrupts off and has a virtual one waiting does not exit: the
 * virtual one is delivered. */
#define REVISION_BOCHS 0x2b

int vmx_probe(struct vmm_host *h)
{
    const struct vmx_controls *c = &vmx_features.controls;
    int err;

    if (!arch_cpu_info()->vmx)
        return refuse(h, -ENODEV, "the CPU has no VMX", "");
    err = check_firmware(h);
    if (!err)
        err = check_controls(h);
    if (err)
        return err;
    if (allocate() || vmx_apic_probe())
        return refuse(h, -ENOMEM, "not enough memory", "");
    h->vendor = "vmx";
    h->nested_paging = true;
    h->unrestricted = true;
    h->next_rip = true;
    h->decode_assists = true;
    h->vpid_or_asid = c->proc2 & PROC2_VPID;
    h->preemption_timer = c->pin & PIN_TIMER;
    h->tpr_shadow = h->apic_registers = h->virtual_interrupts = c->apic.proc;
    h->virtual_x2apic = c->apic.proc_x2apic;
    h->virtual_interrupts_erratum = vmx_features.revision == REVISION_BOCHS;
    h->tsc_deadline = arch_cpu_info()->tsc_deadline;
    h->x2apic = arch_cpu_info()->x2apic;
    return 0;
}

/* --- on and off --- */

static uint64_t read_cr0(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr0, %0" : "=r"(value));
    return value;
}

static uint64_t read_cr4(void)
{
    uint64_t value;

    __asm__ volatile("movq %%cr4, %0" : "=r"(value));
    return value;
}

static void write_cr4(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr4" ::"r"(value) : "memory");
}

static bool vmxon(uint64_t phys)
{
    bool failed;

    __asm__ volatile("vmxon %1" : "=@ccna"(failed) : "m"(phys) : "memory");
    return !failed;
}

int vmx_cpu_enable(void)
{
    struct vmx_cpu *cpu = vmx_this_cpu();
    uint64_t control, cr0 = read_cr0();

    if (cpu->enabled)
        return 0;
    if (!arch_rdmsr_safe(MSR_FEATURE_CONTROL, &control))
        return -ENODEV;
    if (!(control & FEATURE_CONTROL_LOCK) &&
        !arch_wrmsr_safe(MSR_FEATURE_CONTROL,
                         control | FEATURE_CONTROL_LOCK | FEATURE_CONTROL_VMX))
        return -EACCES;
    if ((cr0 & vmx_features.cr0_fixed0) != vmx_features.cr0_fixed0)
        __asm__ volatile("movq %0, %%cr0" ::"r"(cr0 | vmx_features.cr0_fixed0)
                         : "memory");
    write_cr4(read_cr4() | CR4_VMXE);
    if (!vmxon(cpu->vmxon)) {
        write_cr4(read_cr4() & ~CR4_VMXE);
        return -EACCES;
    }
    cpu->enabled = true;
    vmx_invalidate(); /* what a former owner left */
    return 0;
}

void vmx_cpu_disable(void)
{
    struct vmx_cpu *cpu = vmx_this_cpu();

    if (!cpu->enabled)
        return;
    cpu->enabled = false;
    cpu->loaded = cpu->msrs_of = NULL;
    __asm__ volatile("vmxoff" ::: "memory", "cc");
    write_cr4(read_cr4() & ~CR4_VMXE);
}

/* --- translations, 28.3.3 --- */

void vmx_invalidate(void)
{
    const uint64_t descriptor[2] = {0, 0};

    __asm__ volatile("invept %0, %1" ::"m"(descriptor),
                     "r"((uint64_t)INVALIDATE_ALL)
                     : "memory", "cc");
    if (vmx_features.controls.proc2 & PROC2_VPID)
        __asm__ volatile("invvpid %0, %1" ::"m"(descriptor),
                         "r"((uint64_t)INVALIDATE_ALL)
                         : "memory", "cc");
}

/* --- the current VMCS --- */

bool vmx_load(struct vcpu *v)
{
    struct vmx_vcpu *s = vmx_vcpu(v);
    struct vmx_cpu *cpu = vmx_this_cpu();

    if (cpu->loaded == s)
        return true;
    if (!s->ready && !vmcs_clear(s->vmcs))
        return false;
    if (!vmcs_load(s->vmcs))
        return false;
    cpu->loaded = s;
    if (!s->ready) {
        vmx_vmcs_init(v);
        s->ready = true;
    }
    return true;
}

struct errand {
    struct vcpu *v;
    void (*fn)(struct vcpu *v);
};

static void on_each(void *arg)
{
    const struct errand *e = arg;

    if (cpu_id() == e->v->cpu)
        e->fn(e->v);
}

void vmx_on_cpu(struct vcpu *v, void (*fn)(struct vcpu *v))
{
    struct errand e = {v, fn};
    uint64_t flags = arch_irq_save();
    bool here = cpu_id() == v->cpu;

    if (here)
        fn(v);
    arch_irq_restore(flags);
    if (!here)
        smp_call_all(on_each, &e);
}
