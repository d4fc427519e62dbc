/*
 * What to do about each kind of exit. One table; whatever it does not name
 * stops that VM, with a dump. The vCPU's thread.
 */
#include "vmm/devices/lapic.h"
#include "vmm/vm.h"

#define VECTOR_UD       6
#define VECTOR_MC       18
#define RFLAGS_IF_GUEST (UINT64_C(1) << 9)

static const char *const names[EXIT_REASONS] = {
    [EXIT_HOST] = "host",
    [EXIT_CPUID] = "cpuid",
    [EXIT_HLT] = "hlt",
    [EXIT_IO] = "io",
    [EXIT_RDMSR] = "rdmsr",
    [EXIT_WRMSR] = "wrmsr",
    [EXIT_MEMORY] = "memory",
    [EXIT_EXCEPTION] = "exception",
    [EXIT_IRQ_WINDOW] = "irq_window",
    [EXIT_NMI_WINDOW] = "nmi_window",
    [EXIT_CR] = "cr",
    [EXIT_DR] = "dr",
    [EXIT_XSETBV] = "xsetbv",
    [EXIT_RDTSC] = "rdtsc",
    [EXIT_INVLPG] = "invlpg",
    [EXIT_CACHE] = "cache",
    [EXIT_PAUSE] = "pause",
    [EXIT_MWAIT] = "mwait",
    [EXIT_HYPERCALL] = "hypercall",
    [EXIT_VIRTUALIZATION] = "virtualization",
    [EXIT_TASK_SWITCH] = "task_switch",
    [EXIT_SHUTDOWN] = "shutdown",
    [EXIT_INIT] = "init",
    [EXIT_APIC_ACCESS] = "apic_access",
    [EXIT_APIC_WRITE] = "apic_write",
    [EXIT_EOI] = "eoi",
    [EXIT_TIMER] = "timer",
    [EXIT_ENTRY_FAILED] = "entry_failed",
    [EXIT_UNKNOWN] = "unknown",
};

const char *exit_reason_name(enum exit_reason r)
{
    return r < EXIT_REASONS ? names[r] : "?";
}

/* vmm/deliver.c looks before the next entry. */
static void exit_irq_window(struct vcpu *v, const struct vm_exit *e)
{
    (void)e;
    v->window_open = true;
}

static void exit_nothing(struct vcpu *v, const struct vm_exit *e)
{
    (void)v;
    (void)e;
}

/* Every CPU that has been started waits, and none will take an interrupt:
 * nothing can happen in this guest any more. */
static bool all_are_dead(const struct vm *vm)
{
    for (uint32_t i = 0; i < vm->vcpu_count; i++) {
        const struct vcpu *v = vm->vcpus[i];

        if (v->run_state == VCPU_RUNNABLE ||
            (v->run_state == VCPU_HALTED && !v->halted_for_good))
            return false;
    }
    return true;
}

static void exit_hlt(struct vcpu *v, const struct vm_exit *e)
{
    vcpu_skip(v, e);
    v->halted_for_good = !(v->regs.rflags & RFLAGS_IF_GUEST);
    v->run_state = VCPU_HALTED;
    if (v->halted_for_good && !v->nmi_pending && all_are_dead(v->vm))
        vm_request_end(v->vm, VM_END_HALTED);
}

/* #DB and #AC are intercepted so that a guest cannot keep the CPU busy with
 * their delivery; then it gets them. */
static void exit_exception(struct vcpu *v, const struct vm_exit *e)
{
    if (e->exception.vector == VECTOR_MC)
        vm_crash(v, "machine check");
    else
        vcpu_fault(v, e->exception.vector, e->exception.has_error,
                   e->exception.error);
}

static void exit_undefined(struct vcpu *v, const struct vm_exit *e)
{
    (void)e;
    vcpu_fault(v, VECTOR_UD, false, 0);
}

/* VMCALL and VMMCALL: no hypercall is offered. */
static void exit_hypercall(struct vcpu *v, const struct vm_exit *e)
{
    v->regs.gpr[GPR_RAX] = UINT64_MAX;
    vcpu_skip(v, e);
}

static void exit_apic_write(struct vcpu *v, const struct vm_exit *e)
{
    lapic_written(v->lapic, e->apic_offset);
}

static void exit_eoi(struct vcpu *v, const struct vm_exit *e)
{
    lapic_ended(v->lapic, e->vector);
}

static void exit_shutdown(struct vcpu *v, const struct vm_exit *e)
{
    (void)e;
    vm_crash(v, "triple fault");
}

static void exit_entry_failed(struct vcpu *v, const struct vm_exit *e)
{
    vm_crash(v, "the CPU refused the guest's state (%#x, %#llx)", e->code,
             (unsigned long long)e->info1);
}

static void exit_unknown(struct vcpu *v, const struct vm_exit *e)
{
    vm_crash(v, "exit \"%s\" %#x that nobody handles (%#llx, %#llx)",
             exit_reason_name(e->reason), e->code, (unsigned long long)e->info1,
             (unsigned long long)e->info2);
}

static void (*const handlers[EXIT_REASONS])(struct vcpu *v,
                                            const struct vm_exit *e) = {
    [EXIT_HOST] = exit_nothing,
    [EXIT_CPUID] = exit_cpuid,
    [EXIT_HLT] = exit_hlt,
    [EXIT_IO] = exit_io,
    [EXIT_RDMSR] = exit_rdmsr,
    [EXIT_WRMSR] = exit_wrmsr,
    [EXIT_MEMORY] = exit_memory,
    [EXIT_EXCEPTION] = exit_exception,
    [EXIT_IRQ_WINDOW] = exit_irq_window,
    [EXIT_NMI_WINDOW] = exit_nothing,
    [EXIT_CR] = exit_cr,
    [EXIT_DR] = exit_dr,
    [EXIT_XSETBV] = exit_xsetbv,
    [EXIT_CACHE] = exit_cache,
    [EXIT_MWAIT] = exit_undefined, /* CPUID does not offer it */
    [EXIT_HYPERCALL] = exit_hypercall,
    [EXIT_VIRTUALIZATION] = exit_undefined,
    [EXIT_SHUTDOWN] = exit_shutdown,
    [EXIT_INIT] = exit_nothing,
    [EXIT_APIC_ACCESS] = exit_memory,
    [EXIT_APIC_WRITE] = exit_apic_write,
    [EXIT_EOI] = exit_eoi,
    [EXIT_TIMER] = exit_nothing,
    [EXIT_ENTRY_FAILED] = exit_entry_failed,
};

void vcpu_dispatch(struct vcpu *v, const struct vm_exit *e)
{
    if (handlers[e->reason])
        handlers[e->reason](v, e);
    else
        exit_unknown(v, e);
}
