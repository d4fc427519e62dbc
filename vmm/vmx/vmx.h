/* Between the files of vmm/vmx/: Intel's VMX as a back end of vmm/vcpu.h. */
#ifndef VMM_VMX_VMX_H
#define VMM_VMX_VMX_H

#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vmx/vmcs.h"
#include "vmm/vmx/vmx_controls.h"

/* What all CPUs have in common; constant after the probe. */
struct vmx_features {
    uint32_t revision; /* of a VMCS region */
    struct vmx_controls controls;
    uint64_t ept_vpid; /* IA32_VMX_EPT_VPID_CAP */
    uint64_t cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
    unsigned timer_shift; /* the preemption timer counts TSC >> this */
    phys_t x2apic_msrs; /* bitmap: those that the CPU does itself do not exit */
};

extern struct vmx_features vmx_features;

struct vmx_vcpu;

/* Of each CPU; its own, interrupts off. */
struct vmx_cpu {
    phys_t vmxon;             /* VMXON region */
    struct vmx_vcpu *loaded;  /* whose VMCS is the current one */
    struct vmx_vcpu *msrs_of; /* whose system call MSRs the CPU holds */
    bool enabled;
};

/*
 * The VMCS is touched on the vCPU's own CPU only, where it stays active for
 * life. What is set from outside is kept here and goes into the VMCS with the
 * next entry.
 */
struct vmx_vcpu {
    phys_t vmcs;
    bool ready;    /* the VMCS was cleared and filled in */
    bool launched; /* VMRESUME from now on */
    bool flush;    /* its translations are stale */
    uint16_t vpid;

    /* cr2, dr6 and the system call MSRs are always right here, kernel_gs_base
     * unless the CPU holds it; the rest when `cached`. */
    struct vcpu_state state;
    bool cached;
    bool dirty;      /* the VMCS has not got it yet */
    bool pdptes;     /* nor PAE's top entries, which are to be read anew */
    bool msrs_dirty; /* nor the CPU the MSRs, should it hold them */
    bool tsc_dirty;

    uint32_t event, event_error; /* to inject with the next entry */
    uint32_t interruptibility;
    uint32_t proc, proc_in; /* primary controls: wanted, in the VMCS */

    /* Hardware APIC: for which MSR_APIC_BASE, 0 for none yet, and with which
     * level-triggered vectors the VMCS is filled in. */
    uint64_t apic_base, eoi_exits[4];
};

/* Of a VM whose local APICs the CPU runs: the frame that lies at their address
 * for guests; accesses to it go to a vCPU's own registers. */
struct vmx_vm {
    phys_t apic_access;
};

/* What the VMCS says about an exit: read while it is loaded. */
struct vmx_raw {
    uint32_t reason, length;
    uint64_t qualification, gpa, gva;
    uint32_t event, error;         /* of an intercepted exception */
    uint32_t idt_event, idt_error; /* that was being delivered */
};

static inline struct vmx_vcpu *vmx_vcpu(const struct vcpu *v)
{
    return v->backend;
}

/* vmx_cpu.c */
int vmx_probe(struct vmm_host *h);
int vmx_cpu_enable(void);
void vmx_cpu_disable(void);
struct vmx_cpu *vmx_this_cpu(void);
/* Make its VMCS the current one, filled in. Its CPU, interrupts off; false: the
 * CPU refused. */
bool vmx_load(struct vcpu *v);
/* Run fn(v) on its CPU, interrupts off there. Thread context. */
void vmx_on_cpu(struct vcpu *v, void (*fn)(struct vcpu *v));
/* No translation of it is kept on this CPU. */
void vmx_invalidate(void);

/* vmx_vcpu.c */
int vmx_vcpu_create(struct vcpu *v);
void vmx_vcpu_destroy(struct vcpu *v);
/* All but its guest's state. Its VMCS is loaded. */
void vmx_vmcs_init(struct vcpu *v);

/* vmx_dump.c: as in the interface */
void vmx_dump(struct vcpu *v, void (*line)(void *arg, const char *text),
              void *arg);

/* vmx_state.c */
void vmx_get_state(struct vcpu *v, struct vcpu_state *out);
void vmx_set_state(struct vcpu *v, const struct vcpu_state *in);
/* What was set goes into the VMCS, which is loaded. */
void vmx_write_state(struct vcpu *v);
/* The MSRs that no VMCS holds. Its CPU, interrupts off. */
void vmx_load_msrs(struct vmx_vcpu *s, struct vmx_cpu *cpu);
/* The CPU's are nobody's then. */
void vmx_drop_msrs(struct vmx_vcpu *s, struct vmx_cpu *cpu);
void vmx_flush_tlb(struct vcpu *v);
void vmx_set_tsc_offset(struct vcpu *v, uint64_t offset);

/* vmx_enter.c */
void vmx_enter(struct vcpu *v, struct vm_exit *out);

/* vmx_exit.c: what the VMCS said, in our words. */
void vmx_decode(struct vcpu *v, const struct vmx_raw *raw, struct vm_exit *out);

/* vmx_apic.c: the local APIC that the CPU runs */
int vmx_vm_create(struct vm *vm);
void vmx_vm_destroy(struct vm *vm);
/* The bitmap in vmx_features. -ENOMEM. */
int vmx_apic_probe(void);
/* Its part of vmx_vmcs_init, and what an entry needs; VMCS loaded. */
void vmx_apic_init(struct vcpu *v);
void vmx_apic_enter(struct vcpu *v);

/* vmx_inject.c */
void vmx_inject(struct vcpu *v, const struct injection *what);
/* An event whose delivery did not complete becomes v->pending again. */
void vmx_take_back(struct vcpu *v, uint32_t event, uint32_t error);
void vmx_irq_window(struct vcpu *v, bool on);
void vmx_nmi_window(struct vcpu *v, bool on);
bool vmx_can_take_irq(struct vcpu *v);
bool vmx_can_take_nmi(struct vcpu *v);
void vmx_skipped(struct vcpu *v);

/*
 * vmx_entry.S. Interrupts off at the call and at the return. All general
 * registers but RSP are exchanged with `gpr`; RSP, RIP and RFLAGS are the
 * VMCS's. false: VMLAUNCH or VMRESUME failed, VMCS_INSTRUCTION_ERROR says why.
 */
bool vmx_run(uint64_t *gpr, bool resume);

#endif
