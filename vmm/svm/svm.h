/* Between the files of vmm/svm/: AMD's SVM as a back end of vmm/vcpu.h. */
#ifndef VMM_SVM_SVM_H
#define VMM_SVM_SVM_H

#include "vmm/svm/vmcb.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"

/* What the CPU has, of CPUID 8000_000A EDX; constant after the probe. */
struct svm_features {
    uint32_t bits;      /* SVM_NPT, ... */
    uint32_t asids;     /* numbers 1 .. asids-1 are for guests */
    bool injects_twice; /* see svm_enter.c */
};

extern struct svm_features svm_features;

/* Of each CPU; its own, but `host_phys` is constant after the enable. */
struct svm_cpu {
    phys_t hsave;     /* VM_HSAVE_PA: what VMRUN itself saves of the host */
    phys_t host_phys; /* a VMCB of our FS, GS, TR, ..., for VMLOAD at an exit */
    uint64_t asid_generation;
    uint32_t next_asid;
    bool enabled;
};

struct svm_vcpu {
    struct vmcb *vmcb;
    phys_t vmcb_phys;
    uint64_t asid_generation; /* 0: it has no ASID */
    bool flush;               /* its translations are stale */
    bool nmi_masked;          /* from the injection of an NMI to the IRET */
    uint64_t iret_rip; /* of an IRET that ends an NMI, not yet executed */
    bool nmi_window;
    bool irq_window;
};

static inline struct svm_vcpu *svm_vcpu(const struct vcpu *v)
{
    return v->backend;
}

/* A field of the VMCB was changed that this bit covers. */
static inline void svm_touch(struct svm_vcpu *s, uint32_t clean_bit)
{
    s->vmcb->control.clean &= ~clean_bit;
}

/* svm_cpu.c */
int svm_probe(struct vmm_host *h);
int svm_cpu_enable(void);
void svm_cpu_disable(void);
struct svm_cpu *svm_this_cpu(void);
/* Give the vCPU an ASID of this CPU, and the flush that goes with it.
 * Interrupts off. */
void svm_assign_asid(struct svm_vcpu *s, struct svm_cpu *cpu);
/* Nobody has an ASID any more, and the next entry flushes. Interrupts off. */
void svm_forget_asids(struct svm_cpu *cpu);
/* All ones: every port and every MSR exits. */
phys_t svm_io_map(void);
phys_t svm_msr_map(void);

/* svm_vcpu.c */
int svm_vcpu_create(struct vcpu *v);
void svm_vcpu_destroy(struct vcpu *v);
void svm_get_state(struct vcpu *v, struct vcpu_state *out);
void svm_set_state(struct vcpu *v, const struct vcpu_state *in);
void svm_flush_tlb(struct vcpu *v);
void svm_set_tsc_offset(struct vcpu *v, uint64_t offset);
void svm_dump(struct vcpu *v, void (*line)(void *arg, const char *text),
              void *arg);

/* svm_enter.c */
void svm_enter(struct vcpu *v, struct vm_exit *out);

/* svm_exit.c: what the VMCB says, in our words. */
void svm_decode(struct vcpu *v, struct vm_exit *out);

/* svm_inject.c */
void svm_inject(struct vcpu *v, const struct injection *what);
/* An event whose delivery did not complete becomes v->pending again. */
void svm_take_back(struct vcpu *v, uint64_t event);
void svm_irq_window(struct vcpu *v, bool on);
void svm_nmi_window(struct vcpu *v, bool on);
bool svm_can_take_irq(struct vcpu *v);
bool svm_can_take_nmi(struct vcpu *v);
void svm_skipped(struct vcpu *v);

/*
 * svm_entry.S. GIF is 0 at the call and at the return, RFLAGS.IF is 1 inside:
 * an interrupt of the host ends the guest and stays pending until STGI. All
 * general registers but RAX and RSP are exchanged with `gpr`; these two are the
 * VMCB's. On return FS, GS, TR and LDTR are ours again, from `host`.
 */
void svm_run(uint64_t *gpr, phys_t guest, phys_t host);

#endif
