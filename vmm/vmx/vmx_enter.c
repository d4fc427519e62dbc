/*
 * One entry and one exit. The vCPU's thread; interrupts are off from the last
 * look at its requests until the exit has been read.
 */
#include <stdatomic.h>

#include <arch/cpu.h>
#include <rayos/clock.h>

#include "vmm/entry.h"
#include "vmm/vmx/vmx.h"

/* How long a guest runs at most without an exit. External interrupts end it in
 * any case, but in one emulator not while the guest has them off. */
#define TIMER_NS  NS_PER_MS
#define TIMER_MAX UINT32_MAX
#define CR0_PE    UINT64_C(1)

static void cr2_write(uint64_t value)
{
    __asm__ volatile("movq %0, %%cr2" ::"r"(value));
}

/* The CPU insists on an error code in protected mode, and on none in real mode
 * (26.2.1.3). */
static void write_event(struct vmx_vcpu *s)
{
    uint32_t event = s->event;

    if (!(event & EVENT_VALID))
        return;
    if ((event & EVENT_HAS_ERROR) && !(vmcs_read(VMCS_GUEST_CR0) & CR0_PE))
        event &= ~EVENT_HAS_ERROR;
    vmcs_write(VMCS_ENTRY_EVENT, event);
    vmcs_write(VMCS_ENTRY_ERROR, s->event_error);
    vmcs_write(VMCS_ENTRY_LENGTH, 0);
}

static uint32_t timer_value(void)
{
    uint64_t ticks = (clock_to_tsc(TIMER_NS) - clock_to_tsc(0)) >>
                     vmx_features.timer_shift;

    return ticks < TIMER_MAX ? (uint32_t)ticks : TIMER_MAX;
}

/* All that changed since the last exit. */
static void prepare(struct vcpu *v, struct vmx_vcpu *s, struct vmx_cpu *cpu)
{
    static uint32_t timer;

    if (s->dirty)
        vmx_write_state(v);
    if (v->hardware_apic)
        vmx_apic_enter(v);
    vmcs_write(VMCS_GUEST_RIP, v->regs.rip);
    vmcs_write(VMCS_GUEST_RSP, v->regs.gpr[GPR_RSP]);
    vmcs_write(VMCS_GUEST_RFLAGS, v->regs.rflags);
    vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, s->interruptibility);
    if (s->proc != s->proc_in)
        vmcs_write(VMCS_PROC, s->proc);
    s->proc_in = s->proc;
    if (s->tsc_dirty)
        vmcs_write(VMCS_TSC_OFFSET, v->tsc_offset);
    s->tsc_dirty = false;
    write_event(s);
    if (s->flush)
        vmx_invalidate();
    s->flush = false;
    if (!timer)
        timer = timer_value();
    if (vmx_features.controls.pin & PIN_TIMER)
        vmcs_write(VMCS_PREEMPTION_TIMER, timer);
    vmx_load_msrs(s, cpu);
    entry_breakpoints(v, s->state.dr7);
}

static void read_exit(struct vcpu *v, struct vmx_vcpu *s, struct vmx_raw *raw)
{
    *raw = (struct vmx_raw){
        .reason = (uint32_t)vmcs_read(VMCS_EXIT_REASON),
        .length = (uint32_t)vmcs_read(VMCS_EXIT_LENGTH),
        .qualification = vmcs_read(VMCS_QUALIFICATION),
        .idt_event = (uint32_t)vmcs_read(VMCS_IDT_EVENT),
    };
    if (raw->reason == VMX_EPT_VIOLATION ||
        raw->reason == VMX_EPT_MISCONFIGURED) {
        raw->gpa = vmcs_read(VMCS_GUEST_PHYSICAL);
        raw->gva = vmcs_read(VMCS_GUEST_LINEAR);
    }
    if (raw->reason == VMX_EXCEPTION) {
        raw->event = (uint32_t)vmcs_read(VMCS_EXIT_EVENT);
        raw->error = (uint32_t)vmcs_read(VMCS_EXIT_ERROR);
    }
    if (raw->idt_event & EVENT_HAS_ERROR)
        raw->idt_error = (uint32_t)vmcs_read(VMCS_IDT_ERROR);
    v->regs.rip = vmcs_read(VMCS_GUEST_RIP);
    v->regs.gpr[GPR_RSP] = vmcs_read(VMCS_GUEST_RSP);
    v->regs.rflags = vmcs_read(VMCS_GUEST_RFLAGS);
    s->interruptibility = (uint32_t)vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);
    s->cached = false;
    s->event = 0;
}

/* false: the CPU did not even try; the VMCS says why. */
static bool run(struct vcpu *v, struct vmx_vcpu *s, struct vmx_raw *raw)
{
    uint64_t start;
    bool entered;

    prepare(v, s, vmx_this_cpu());
    entry_xcr0_in(v);
    tsc_aux_load(v);
    cr2_write(s->state.cr2);
    start = arch_tsc();
    entered = vmx_run(v->regs.gpr, s->launched);
    s->state.cr2 = arch_read_cr2();
    v->guest_ticks += arch_tsc() - start;
    entry_xcr0_out(v);
    if (!entered) {
        raw->reason = (uint32_t)vmcs_read(VMCS_INSTRUCTION_ERROR);
        return false;
    }
    read_exit(v, s, raw);
    if (!(raw->reason & REASON_ENTRY_FAILED))
        s->launched = true;
    /* The host's own, which the exit has only told of. */
    if (raw->reason == VMX_EXCEPTION &&
        (raw->event >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK) == EVENT_NMI)
        __asm__ volatile("int $2");
    return true;
}

/* Work for the thread came in: the event, if one was to be injected, waits. */
static void stay_out(struct vcpu *v, struct vmx_vcpu *s, struct vm_exit *out)
{
    if (s->event & EVENT_VALID)
        vmx_take_back(v, s->event, s->event_error);
    s->event = 0;
    *out = (struct vm_exit){.reason = EXIT_HOST};
}

void vmx_enter(struct vcpu *v, struct vm_exit *out)
{
    struct vmx_vcpu *s = vmx_vcpu(v);
    struct vmx_raw raw = {0};
    bool enter, entered = false;

    arch_irq_disable();
    /* In this order: see vcpu_kick. */
    atomic_exchange(&v->inside, true);
    enter = atomic_load_explicit(&v->requests, memory_order_relaxed) == 0;
    if (enter)
        entered = vmx_load(v) && run(v, s, &raw);
    atomic_store_explicit(&v->inside, false, memory_order_relaxed);
    arch_irq_enable(); /* what interrupted the guest runs here */
    if (!enter) {
        stay_out(v, s, out);
    } else if (!entered) {
        *out = (struct vm_exit){.reason = EXIT_ENTRY_FAILED,
                                .code = raw.reason};
    } else {
        if (raw.idt_event & EVENT_VALID)
            vmx_take_back(v, raw.idt_event, raw.idt_error);
        vmx_decode(v, &raw, out);
    }
}
