/*
 * Before each entry: which event the guest gets. Exceptions first, then NMIs,
 * then interrupts, as the processor would choose (Intel SDM 3A 6.9). The vCPU's
 * thread.
 */
#include <rayos/clock.h>
#include <rayos/cmdline.h>

#include "vmm/devices/irqchip.h"
#include "vmm/vm.h"

#define VECTOR_NMI 2

static void retry_due(struct timer *t)
{
    struct vcpu *v = container_of(t, struct vcpu, retry_timer);

    vcpu_kick(v, VCPU_REQ_INTERRUPT);
}

void vcpu_deliver_init(struct vcpu *v)
{
    retry_init(&v->retry);
    timer_init(&v->retry_timer, retry_due);
}

/* `inject_fail=N` of a test: N attempts in a row fail, then one succeeds. */
static bool forced_failure(const struct vcpu *v)
{
    static uint32_t failures = UINT32_MAX;

    if (failures == UINT32_MAX)
        failures = cmdline_has("testhooks")
                       ? (uint32_t)cmdline_number("inject_fail", 0)
                       : 0;
    return v->retry.attempts < failures;
}

/* The attempt failed: later, by a timer that makes the guest exit; or never,
 * which is reported, as the guest would wait for it for ever. */
static void put_off(struct vcpu *v)
{
    if (retry_not_delivered(&v->retry, clock_now()) == RETRY_LATER) {
        timer_start(&v->retry_timer, v->retry.due);
        return;
    }
    vm_crash(v, "event %u could not be delivered in %u attempts",
             v->pending.vector, RETRY_ATTEMPTS_MAX);
}

/* The event in v->pending can be delivered at once, as it is the guest's own
 * instruction that causes it, or its delivery had begun already. */
static void deliver_pending(struct vcpu *v)
{
    if (!retry_may_try(&v->retry, clock_now()))
        return;
    /* While it was put off, the guest may have gone on. */
    if (v->pending.kind == INJECT_IRQ && !vmm_backend()->can_take_irq(v)) {
        vmm_backend()->irq_window(v, true);
        return;
    }
    if (forced_failure(v)) {
        put_off(v);
        return;
    }
    vmm_backend()->inject(v, &v->pending);
    v->pending.kind = INJECT_NONE;
    retry_delivered(&v->retry);
}

static void deliver_nmi(struct vcpu *v)
{
    const struct vmm_backend *b = vmm_backend();

    if (!b->can_take_nmi(v)) {
        b->nmi_window(v, true);
        return;
    }
    b->nmi_window(v, false);
    v->nmi_pending = false;
    v->pending = (struct injection){.kind = INJECT_NMI, .vector = VECTOR_NMI};
    deliver_pending(v);
}

static void deliver_irq(struct vcpu *v)
{
    const struct vmm_backend *b = vmm_backend();
    int vector;

    if (!b->can_take_irq(v)) {
        b->irq_window(v, true);
        return;
    }
    vector = irqchip_take_irq(v);
    if (vector < 0)
        return;
    v->pending = (struct injection){
        .kind = INJECT_IRQ,
        .vector = (uint8_t)vector,
    };
    deliver_pending(v);
}

void vcpu_deliver(struct vcpu *v)
{
    bool first = true;

    if (v->pending.kind != INJECT_NONE)
        deliver_pending(v);
    else if (v->nmi_pending)
        deliver_nmi(v);
    else
        first = false;
    if (!v->vm->irqchip || !irqchip_must_inject(v))
        return;
    /* Behind another event, or behind the interrupt of one controller the one
     * of the other: as soon as the guest takes it. */
    if (!first)
        deliver_irq(v);
    if (first || irqchip_must_inject(v))
        vmm_backend()->irq_window(v, true);
}
