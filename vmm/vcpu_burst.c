/*
 * A vCPU thread outranks the display and the control plane, so that a guest
 * answers at once after it has waited for something. One that computes without
 * ever waiting would keep them from its CPU for good: after BURST of that it
 * goes on as one of the control plane's equals, until it halts. Called on the
 * vCPU's own thread; the timer runs on the same CPU.
 */
#include <rayos/clock.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>

#include "vmm/vcpu.h"

#define BURST (20 * NS_PER_MS)

static void arm(struct vcpu_burst *b)
{
    b->armed = true;
    b->rests_seen = b->rests;
    timer_start(&b->timer, clock_now() + BURST);
}

static void burst_over(struct timer *t)
{
    struct vcpu_burst *b = container_of(t, struct vcpu_burst, timer);

    b->armed = false;
    if (b->resting)
        return; /* the next burst arms it */
    if (b->rests != b->rests_seen) {
        arm(b);
        return;
    }
    b->demoted = true;
    thread_set_priority(b->thread, PRIO_CONTROL);
}

void vcpu_burst_init(struct vcpu_burst *b)
{
    timer_init(&b->timer, burst_over);
}

void vcpu_burst_begin(struct vcpu_burst *b)
{
    b->thread = thread_current();
    b->rests++;
    b->resting = false;
    if (b->demoted) {
        b->demoted = false;
        thread_set_priority(b->thread, PRIO_VCPU);
    }
    if (!b->armed)
        arm(b);
}

void vcpu_burst_rest(struct vcpu_burst *b)
{
    b->resting = true;
}

void vcpu_burst_end(struct vcpu_burst *b)
{
    timer_cancel_sync(&b->timer);
}
