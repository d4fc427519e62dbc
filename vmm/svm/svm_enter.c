/*
 * One entry and one exit. The vCPU's thread. From CLGI to STGI no interrupt and
 * no NMI reaches this CPU: nothing there may fault or wait.
 */
#include "vmm/svm/svm.h"

#include <stdatomic.h>

#include <arch/cpu.h>
#include <rayos/percpu.h>
#include <rayos/smp.h>

#include "vmm/entry.h"

static void registers_in(struct vcpu *v, struct vmcb_save *save)
{
    save->rax = v->regs.gpr[GPR_RAX];
    save->rsp = v->regs.gpr[GPR_RSP];
    save->rip = v->regs.rip;
    save->rflags = v->regs.rflags;
}

static void registers_out(struct vcpu *v, const struct vmcb_save *save)
{
    v->regs.gpr[GPR_RAX] = save->rax;
    v->regs.gpr[GPR_RSP] = save->rsp;
    v->regs.rip = save->rip;
    v->regs.rflags = save->rflags;
}

/* Work for the thread came in: the event, if one was to be injected, waits. */
static void stay_out(struct vcpu *v, struct svm_vcpu *s, struct vm_exit *out)
{
    uint64_t event = s->vmcb->control.event_injection;

    if (event & EVENT_VALID)
        svm_take_back(v, event);
    s->vmcb->control.event_injection = 0;
    *out = (struct vm_exit){.reason = EXIT_HOST};
}

/* The CPU refused: nothing was loaded, and the VMCB's save area may hold what
 * is ours. */
static void refused(const struct vmcb_control *c, struct vm_exit *out)
{
    *out = (struct vm_exit){
        .reason = EXIT_ENTRY_FAILED,
        .code = (uint32_t)c->exit_code,
        .info1 = c->exit_info1,
        .info2 = c->exit_info2,
    };
}

/* QEMU's VMRUN with a virtual interrupt changes a word of pending interrupts
 * without the lock that its devices hold, and can so forget one for this CPU
 * until the next comes. Writing CR8 what it holds has the APIC look again. */
static void recall_interrupts(void)
{
    __asm__ volatile("movq %0, %%cr8" : : "r"(UINT64_C(0)) : "memory");
}

/* QEMU's VMRUN that injects an interrupt leaves the vector behind as an
 * exception of its own, which it would raise when it next leaves the guest for
 * its own work, not for an exit: a second time, whether the guest takes
 * interrupts or not. An exit before the first instruction, by an interrupt to
 * ourselves that is pending, has it forget that. */
static void settle_injection(const struct vmcb_control *c)
{
    uint64_t event = c->event_injection;

    if (svm_features.injects_twice && (event & EVENT_VALID) &&
        (event >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK) == EVENT_INTR)
        smp_send_reschedule(cpu_id());
}

void svm_enter(struct vcpu *v, struct vm_exit *out)
{
    struct svm_vcpu *s = svm_vcpu(v);
    struct vmcb_control *c = &s->vmcb->control;
    struct svm_cpu *cpu;
    bool valid, enter;
    uint64_t start;

    registers_in(v, &s->vmcb->save);
    __asm__ volatile("clgi" ::: "memory");
    cpu = svm_this_cpu();
    /* In this order: see vcpu_kick. */
    atomic_exchange(&v->inside, true);
    enter = atomic_load_explicit(&v->requests, memory_order_relaxed) == 0;
    if (enter) {
        svm_assign_asid(s, cpu);
        entry_breakpoints(v, s->vmcb->save.dr7);
        entry_xcr0_in(v);
        tsc_aux_load(v);
        settle_injection(c);
        start = arch_tsc();
        svm_run(v->regs.gpr, s->vmcb_phys, cpu->host_phys);
        v->guest_ticks += arch_tsc() - start;
        entry_xcr0_out(v);
        if (s->irq_window)
            recall_interrupts();
        c->clean = svm_features.bits & SVM_CLEAN ? CLEAN_ALL : 0;
    }
    atomic_store_explicit(&v->inside, false, memory_order_relaxed);
    valid = enter && (uint32_t)c->exit_code != SVM_EXIT_INVALID;
    if (valid)
        registers_out(v, &s->vmcb->save);
    else if (enter)
        svm_forget_asids(cpu); /* a flush may have been asked for in vain */
    __asm__ volatile("stgi" ::: "memory"); /* what interrupted us, runs here */
    if (!enter) {
        stay_out(v, s, out);
    } else if (!valid) {
        refused(c, out);
    } else {
        c->event_injection = 0;
        if (c->exit_int_info & EVENT_VALID)
            svm_take_back(v, c->exit_int_info);
        svm_decode(v, out);
    }
}
