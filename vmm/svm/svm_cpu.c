/*
 * SVM on the CPUs: what they have, switching it on and off, ASIDs, and the
 * permission maps that all guests share.
 */
#include "vmm/svm/svm.h"

#include <errno.h>
#include <string.h>

#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/trap.h>
#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>

#define IO_MAP_ORDER  2 /* 12 KiB are used, APM 2 15.10.1 */
#define MSR_MAP_ORDER 1 /* 8 KiB, APM 2 15.11 */

struct svm_features svm_features;

static struct svm_cpu cpus[MAX_CPUS];
static phys_t io_map = FRAME_NONE, msr_map = FRAME_NONE; /* kept for good */

phys_t svm_io_map(void)
{
    return io_map;
}

phys_t svm_msr_map(void)
{
    return msr_map;
}

struct svm_cpu *svm_this_cpu(void)
{
    return &cpus[cpu_id()];
}

/* --- what there is --- */

static int refuse(struct vmm_host *h, int err, const char *why)
{
    fmt_snprintf(h->reason, sizeof(h->reason), "%s", why);
    return err;
}

static int check(struct vmm_host *h)
{
    const struct arch_cpu_info *info = arch_cpu_info();
    struct cpuid_regs r;
    uint64_t vm_cr;

    if (!info->svm || info->max_ext_leaf < CPUID_SVM)
        return refuse(h, -ENODEV, "the CPU has no SVM");
    if (!arch_rdmsr_safe(MSR_VM_CR, &vm_cr))
        vm_cr = 0;
    /* What is disabled and not locked is enabled by svm_cpu_enable. */
    if ((vm_cr & VM_CR_SVMDIS) && (vm_cr & VM_CR_LOCK))
        return refuse(h, -EACCES,
                      "SVM is switched off and locked by the firmware: "
                      "allow \"SVM\" or \"virtualization\" in its setup");
    r = arch_cpuid(CPUID_SVM, 0);
    svm_features.bits = r.edx;
    svm_features.asids = r.ebx;
    svm_features.injects_twice = strcmp(arch_cpu_info()->hypervisor,
                                        "TCGTCGTCGTCG") == 0;
    if (!(r.edx & SVM_NPT))
        return refuse(h, -ENODEV, "the CPU's SVM has no nested paging");
    if (r.ebx < 2)
        return refuse(h, -ENODEV, "the CPU's SVM has no ASID for a guest");
    return 0;
}

/* The maps, and for each CPU its save areas: allocated here, because enabling
 * runs with interrupts off and must not fail half-way. */
static int allocate(void)
{
    io_map = frame_alloc(IO_MAP_ORDER, 0);
    msr_map = frame_alloc(MSR_MAP_ORDER, 0);
    if (io_map == FRAME_NONE || msr_map == FRAME_NONE)
        return -ENOMEM;
    memset(phys_to_virt(io_map), 0xff, PAGE_SIZE << IO_MAP_ORDER);
    memset(phys_to_virt(msr_map), 0xff, PAGE_SIZE << MSR_MAP_ORDER);
    for (uint32_t i = 0; i < cpu_count(); i++) {
        cpus[i].hsave = frame_alloc(0, FRAME_ZERO);
        cpus[i].host_phys = frame_alloc(0, FRAME_ZERO);
        if (cpus[i].hsave == FRAME_NONE || cpus[i].host_phys == FRAME_NONE)
            return -ENOMEM;
    }
    return 0;
}

int svm_probe(struct vmm_host *h)
{
    int err = check(h);
    uint32_t bits = svm_features.bits;

    if (err)
        return err;
    err = allocate();
    if (err)
        return refuse(h, err, "not enough memory");
    h->vendor = "svm";
    h->nested_paging = true;
    h->vpid_or_asid = true;
    h->unrestricted = true;
    h->asids = svm_features.asids;
    h->next_rip = bits & SVM_NEXT_RIP;
    h->decode_assists = bits & SVM_DECODE_ASSISTS;
    h->flush_by_asid = bits & SVM_FLUSH_ASID;
    h->tsc_scaling = bits & SVM_TSC_RATE;
    h->tsc_deadline = arch_cpu_info()->tsc_deadline;
    h->x2apic = arch_cpu_info()->x2apic;
    return 0;
}

void svm_forget_asids(struct svm_cpu *cpu)
{
    cpu->asid_generation++;
    cpu->next_asid = svm_features.asids;
}

/* --- on and off --- */

int svm_cpu_enable(void)
{
    struct svm_cpu *cpu = svm_this_cpu();
    uint64_t vm_cr;

    if (cpu->enabled)
        return 0;
    if (arch_rdmsr_safe(MSR_VM_CR, &vm_cr) && (vm_cr & VM_CR_SVMDIS)) {
        if (!arch_wrmsr_safe(MSR_VM_CR, vm_cr & ~VM_CR_SVMDIS))
            return -EACCES;
    }
    if (!arch_wrmsr_safe(MSR_EFER, arch_rdmsr(MSR_EFER) | EFER_SVME))
        return -EACCES;
    if (!arch_wrmsr_safe(MSR_VM_HSAVE_PA, cpu->hsave)) {
        arch_wrmsr(MSR_EFER, arch_rdmsr(MSR_EFER) & ~EFER_SVME);
        return -EACCES;
    }
    __asm__ volatile("vmsave %%rax" ::"a"(cpu->host_phys) : "memory");
    /* Translations that firmware or a former owner left are not known to us:
     * the first guest flushes them all. */
    svm_forget_asids(cpu);
    cpu->enabled = true;
    return 0;
}

void svm_cpu_disable(void)
{
    struct svm_cpu *cpu = svm_this_cpu();

    if (!cpu->enabled)
        return;
    cpu->enabled = false;
    /* GIF must be 1 when SVME goes, or it stays 0 for good (APM 2 15.17). */
    __asm__ volatile("stgi" ::: "memory");
    arch_wrmsr(MSR_VM_HSAVE_PA, 0);
    arch_wrmsr(MSR_EFER, arch_rdmsr(MSR_EFER) & ~EFER_SVME);
}

/* --- ASIDs, APM 2 15.16 --- */

/*
 * An ASID that was given out in this generation belongs to one vCPU alone. When
 * they are used up a new generation begins with a flush of everything, so no
 * translation of a former owner is ever met.
 */
void svm_assign_asid(struct svm_vcpu *s, struct svm_cpu *cpu)
{
    struct vmcb_control *c = &s->vmcb->control;

    c->tlb_control = TLB_KEEP;
    if (s->asid_generation == cpu->asid_generation && !s->flush)
        return;
    if (s->asid_generation == cpu->asid_generation &&
        (svm_features.bits & SVM_FLUSH_ASID)) {
        c->tlb_control = TLB_FLUSH_ASID;
        s->flush = false;
        return;
    }
    /* Without flush-by-ASID a fresh number is a flush of one's own. */
    if (cpu->next_asid >= svm_features.asids) {
        cpu->asid_generation++;
        cpu->next_asid = 1;
        c->tlb_control = TLB_FLUSH_ALL;
    }
    c->asid = cpu->next_asid++;
    s->asid_generation = cpu->asid_generation;
    s->flush = false;
    svm_touch(s, CLEAN_ASID);
}
