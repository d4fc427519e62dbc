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

/* Of tests: `NAME=N` has N attempts in a row fail, then one succeed. */
struct forced {
    const char *name;
    uint32_t failures; /* UINT32_MAX: not known yet */
};

static struct forced inject_fails = {"inject_fail", UINT32_MAX};
static struct forced window_fails = {"window_fail", UINT32_MAX};

static bool forced_failure(const struct vcpu *v, struct forced *f)
{
    if (f->failures == UINT32_MAX)
        f->failures = cmdline_has("testhooks")
                          ? (uint32_t)cmdline_number(f->name, 0)
                          : 0;
    return v->retry.attempts < f->failures;
}

/* No delivery is put off to a later time. */
static bool may_try(const struct vcpu *v)
{
    return !v->retry.attempts || retry_may_try(&v->retry, clock_now());
}

/* The attempt failed: later, by a timer that makes the guest exit; or never,
 * which is reported, as the guest would wait for it for ever. */
static void put_off(struct vcpu *v)
{
    if (retry_not_delivered(&v->retry, clock_now()) == RETRY_LATER)
        timer_start(&v->retry_timer, v->retry.due);
    else if (v->pending.kind == INJECT_NONE)
        vm_crash(v, "no interrupt could be delivered in %u windows",
                 RETRY_ATTEMPTS_MAX);
    else
        vm_crash(v, "event %u could not be delivered in %u attempts",
                 v->pending.vector, RETRY_ATTEMPTS_MAX);
}

/* The event in v->pending can be delivered at once, as it is the guest's own
 * instruction that causes it, or its delivery had begun already. */
static void deliver_pending(struct vcpu *v)
{
    if (!may_try(v))
        return;
    /* While it was put off, the guest may have gone on. */
    if (v->pending.kind == INJECT_IRQ && !vmm_backend()->can_take_irq(v)) {
        vmm_backend()->irq_window(v, true);
        return;
    }
    if (forced_failure(v, &inject_fails)) {
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

/* If it does not now, it exits as soon as it does. One that has (`open`), and
 * does not, is asked again later: it would exit for ever. */
static bool takes_irq(struct vcpu *v, bool open)
{
    const struct vmm_backend *b = vmm_backend();

    if (!may_try(v))
        return false;
    if (b->can_take_irq(v) && !forced_failure(v, &window_fails))
        return true;
    if (open)
        put_off(v);
    else
        b->irq_window(v, true);
    return false;
}

static void deliver_irq(struct vcpu *v, bool open)
{
    int vector;

    if (!takes_irq(v, open))
        return;
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
    bool first = true, open = v->window_open;

    v->window_open = false;
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
        deliver_irq(v, open);
    if (may_try(v) && (first || irqchip_must_inject(v)))
        vmm_backend()->irq_window(v, true);
}
