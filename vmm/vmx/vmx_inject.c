/* Events into the guest, and the windows in which it takes them. The vCPU's
 * thread. */
#include "vmm/vmx/vmx.h"

#define GUEST_IF   (UINT64_C(1) << 9)
#define VECTOR_NMI 2

void vmx_inject(struct vcpu *v, const struct injection *what)
{
    static const uint32_t types[] = {
        [INJECT_IRQ] = EVENT_EXTERNAL,
        [INJECT_NMI] = EVENT_NMI,
        [INJECT_EXCEPTION] = EVENT_EXCEPTION,
    };
    struct vmx_vcpu *s = vmx_vcpu(v);

    s->event = EVENT_VALID | what->vector |
               types[what->kind] << EVENT_TYPE_SHIFT;
    s->event_error = 0;
    if (what->kind == INJECT_EXCEPTION && what->has_error) {
        s->event |= EVENT_HAS_ERROR;
        s->event_error = what->error;
    }
}

/* IDT-vectoring information, or an event of an entry that was not made. */
void vmx_take_back(struct vcpu *v, uint32_t event, uint32_t error)
{
    struct injection *p = &v->pending;
    uint8_t vector = event & EVENT_VECTOR;

    switch (event >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK) {
    case EVENT_EXTERNAL:
        *p = (struct injection){.kind = INJECT_IRQ, .vector = vector};
        return;
    case EVENT_NMI: /* its delivery had begun to block the next one */
        vmx_vcpu(v)->interruptibility &= ~BLOCKED_BY_NMI;
        *p = (struct injection){.kind = INJECT_NMI, .vector = VECTOR_NMI};
        return;
    case EVENT_EXCEPTION:
        *p = (struct injection){
            .kind = INJECT_EXCEPTION,
            .vector = vector,
            .has_error = event & EVENT_HAS_ERROR,
            .error = error,
        };
        return;
    default: /* INT n, INT3, INTO: run again, RIP is still theirs */
        return;
    }
}

void vmx_irq_window(struct vcpu *v, bool on)
{
    if (on)
        vmx_vcpu(v)->proc |= PROC_IRQ_WINDOW;
    else
        vmx_vcpu(v)->proc &= ~PROC_IRQ_WINDOW;
}

void vmx_nmi_window(struct vcpu *v, bool on)
{
    if (on)
        vmx_vcpu(v)->proc |= PROC_NMI_WINDOW;
    else
        vmx_vcpu(v)->proc &= ~PROC_NMI_WINDOW;
}

bool vmx_can_take_irq(struct vcpu *v)
{
    const struct vmx_vcpu *s = vmx_vcpu(v);

    return (v->regs.rflags & GUEST_IF) && !(s->event & EVENT_VALID) &&
           !(s->interruptibility & (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS));
}

bool vmx_can_take_nmi(struct vcpu *v)
{
    const struct vmx_vcpu *s = vmx_vcpu(v);

    return !(s->event & EVENT_VALID) &&
           !(s->interruptibility &
             (BLOCKED_BY_STI | BLOCKED_BY_MOV_SS | BLOCKED_BY_NMI));
}

void vmx_skipped(struct vcpu *v)
{
    vmx_vcpu(v)->interruptibility &= ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);
}
