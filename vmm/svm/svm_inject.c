/*
 * Events into the guest: EVENTINJ, the interrupt window by a virtual interrupt
 * that is intercepted, the NMI window by IRET. The vCPU's thread.
 */
#include "vmm/svm/svm.h"

#define EXCEPTION_BP    3
#define EXCEPTION_OF    4
#define RFLAGS_GUEST_IF (UINT64_C(1) << 9)

void svm_inject(struct vcpu *v, const struct injection *what)
{
    static const uint64_t types[] = {
        [INJECT_IRQ] = EVENT_INTR,
        [INJECT_NMI] = EVENT_NMI,
        [INJECT_EXCEPTION] = EVENT_EXCEPTION,
    };
    struct svm_vcpu *s = svm_vcpu(v);
    uint64_t event = EVENT_VALID | what->vector |
                     types[what->kind] << EVENT_TYPE_SHIFT;

    if (what->kind == INJECT_EXCEPTION && what->has_error)
        event |= EVENT_HAS_ERROR | (uint64_t)what->error << EVENT_ERROR_SHIFT;
    if (what->kind == INJECT_NMI) {
        s->nmi_masked = true;
        s->vmcb->control.intercept[3] |= INTERCEPT_IRET;
        svm_touch(s, CLEAN_INTERCEPTS);
    }
    s->vmcb->control.event_injection = event;
}

/* EXITINTINFO, or EVENTINJ of an entry that was not made. */
void svm_take_back(struct vcpu *v, uint64_t event)
{
    struct injection *p = &v->pending;
    uint8_t vector = event & EVENT_VECTOR;

    switch (event >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK) {
    case EVENT_INTR:
        *p = (struct injection){.kind = INJECT_IRQ, .vector = vector};
        return;
    case EVENT_NMI:
        *p = (struct injection){.kind = INJECT_NMI, .vector = 2};
        return;
    case EVENT_EXCEPTION:
        /* INT3 and INTO are run again: RIP is still theirs. */
        if (vector == EXCEPTION_BP || vector == EXCEPTION_OF)
            return;
        *p = (struct injection){
            .kind = INJECT_EXCEPTION,
            .vector = vector,
            .has_error = event & EVENT_HAS_ERROR,
            .error = (uint32_t)(event >> EVENT_ERROR_SHIFT),
        };
        return;
    default: /* INT n: run again */
        return;
    }
}

void svm_irq_window(struct vcpu *v, bool on)
{
    struct svm_vcpu *s = svm_vcpu(v);
    struct vmcb_control *c = &s->vmcb->control;

    if (s->irq_window == on)
        return;
    s->irq_window = on;
    if (on) {
        c->intercept[3] |= INTERCEPT_VINTR;
        c->v_intr |= V_IRQ | V_IGNORE_TPR | V_PRIORITY_MAX;
    } else {
        c->intercept[3] &= ~INTERCEPT_VINTR;
        c->v_intr &= ~(V_IRQ | V_IGNORE_TPR | V_PRIORITY_MAX);
    }
    svm_touch(s, CLEAN_INTERCEPTS | CLEAN_V_INTR);
}

void svm_nmi_window(struct vcpu *v, bool on)
{
    /* IRET exits whenever an NMI is being handled. */
    svm_vcpu(v)->nmi_window = on;
}

bool svm_can_take_irq(struct vcpu *v)
{
    const struct vmcb_control *c = &svm_vcpu(v)->vmcb->control;

    return (v->regs.rflags & RFLAGS_GUEST_IF) &&
           !(c->interrupt_shadow & INTERRUPT_SHADOW) &&
           !(c->event_injection & EVENT_VALID);
}

bool svm_can_take_nmi(struct vcpu *v)
{
    const struct svm_vcpu *s = svm_vcpu(v);
    const struct vmcb_control *c = &s->vmcb->control;

    return !s->nmi_masked && v->regs.rip != s->iret_rip &&
           !(c->interrupt_shadow & INTERRUPT_SHADOW) &&
           !(c->event_injection & EVENT_VALID);
}

void svm_skipped(struct vcpu *v)
{
    svm_vcpu(v)->vmcb->control.interrupt_shadow = 0;
}
