/*
 * The local APIC's timer (Intel SDM 3A 11.5.4): one-shot, periodic, TSC
 * deadline. Its bus clock is 1 GHz, so a tick is a nanosecond of our clock and
 * guest time follows that clock, not exits. Registers are written on the vCPU's
 * thread; the expiry comes in interrupt context of the same CPU.
 */
#include <rayos/clock.h>

#include "vmm/devices/lapic.h"
#include "vmm/vcpu.h"

/* A guest that asks for more interrupts than that harms itself only, but they
 * would be worth nothing to it. */
#define PERIOD_MIN (20 * NS_PER_US)

enum timer_mode { MODE_ONE_SHOT, MODE_PERIODIC, MODE_DEADLINE };

static enum timer_mode mode_of(uint32_t lvt)
{
    unsigned mode = lvt >> LVT_TIMER_SHIFT & 3;

    return mode > MODE_DEADLINE ? MODE_ONE_SHOT : (enum timer_mode)mode;
}

/* Intel SDM 3A figure 11-10: bits 0, 1 and 3; 0b111 divides by 1. */
static uint32_t divisor(const struct lapic *l)
{
    uint32_t v = lapic_get(l, LAPIC_TIMER_DIVIDE);
    uint32_t code = (v & 3) | (v >> 1 & 4);

    return code == 7 ? 1 : 2u << code;
}

/* Of the initial count, at the divisor that is set: not so short that the host
 * would do nothing else. */
static nstime_t period_of(const struct lapic *l)
{
    nstime_t length = (nstime_t)lapic_get(l, LAPIC_TIMER_INITIAL) * divisor(l);

    return length && length < PERIOD_MIN ? PERIOD_MIN : length;
}

static void arm(struct lapic *l, nstime_t deadline)
{
    l->timer_deadline = deadline;
    timer_start(&l->timer, deadline);
}

/* Interrupt context. */
static void expired(struct timer *t)
{
    struct lapic *l = container_of(t, struct lapic, timer);
    nstime_t now = clock_now();

    l->timer_fired++;
    if (l->timer_period) {
        nstime_t next = l->timer_deadline + l->timer_period;

        /* Keep the phase, whatever was missed. */
        if (next <= now)
            next = now + l->timer_period -
                   (now - l->timer_deadline) % l->timer_period;
        arm(l, next);
    } else {
        l->timer_deadline = TIME_NEVER;
        l->tsc_deadline = 0;
    }
    lapic_local(l, LAPIC_LVT_TIMER);
}

void lapic_timer_init(struct lapic *l)
{
    timer_init(&l->timer, expired);
    l->timer_deadline = TIME_NEVER;
}

void lapic_timer_stop(struct lapic *l)
{
    timer_cancel_sync(&l->timer);
    l->timer_deadline = TIME_NEVER;
    l->timer_period = 0;
    l->tsc_deadline = 0;
}

/* Count down from INITIAL, from now. */
static void start_count(struct lapic *l)
{
    uint64_t ticks = lapic_get(l, LAPIC_TIMER_INITIAL);
    bool periodic = mode_of(lapic_get(l, LAPIC_LVT_TIMER)) == MODE_PERIODIC;
    nstime_t length = periodic ? period_of(l) : ticks * divisor(l);

    l->timer_period = periodic ? length : 0;
    if (length)
        arm(l, clock_now() + length);
}

void lapic_timer_set_initial(struct lapic *l, uint32_t count)
{
    if (mode_of(lapic_get(l, LAPIC_LVT_TIMER)) == MODE_DEADLINE)
        return; /* ignored there */
    lapic_timer_stop(l);
    lapic_set(l, LAPIC_TIMER_INITIAL, count);
    start_count(l);
}

uint32_t lapic_timer_current(const struct lapic *l)
{
    nstime_t now = clock_now(), deadline = l->timer_deadline;

    if (deadline == TIME_NEVER || deadline <= now ||
        mode_of(lapic_get(l, LAPIC_LVT_TIMER)) == MODE_DEADLINE)
        return 0;
    return (uint32_t)((deadline - now) / divisor(l));
}

void lapic_timer_set_mode(struct lapic *l, uint32_t lvt)
{
    enum timer_mode before = mode_of(lapic_get(l, LAPIC_LVT_TIMER));
    enum timer_mode after = mode_of(lvt);

    if (before == after)
        return;
    if (before == MODE_DEADLINE || after == MODE_DEADLINE) {
        lapic_timer_stop(l);
        lapic_set(l, LAPIC_TIMER_INITIAL, 0);
        return;
    }
    /* A count that runs goes on, and then stops or starts again. */
    if (l->timer_deadline != TIME_NEVER)
        l->timer_period = after == MODE_PERIODIC ? period_of(l) : 0;
}

void lapic_timer_set_divide(struct lapic *l, uint32_t value)
{
    uint32_t left = lapic_timer_current(l);
    bool running = l->timer_deadline != TIME_NEVER &&
                   mode_of(lapic_get(l, LAPIC_LVT_TIMER)) != MODE_DEADLINE;

    lapic_set(l, LAPIC_TIMER_DIVIDE, value & 0xb);
    if (!running)
        return;
    /* What is left to count goes at the new rate. */
    timer_cancel_sync(&l->timer);
    if (l->timer_period)
        l->timer_period = period_of(l);
    arm(l, clock_now() + (nstime_t)left * divisor(l));
}

void lapic_timer_set_deadline(struct lapic *l, uint64_t guest_tsc)
{
    if (mode_of(lapic_get(l, LAPIC_LVT_TIMER)) != MODE_DEADLINE)
        return;
    lapic_timer_stop(l);
    if (!guest_tsc)
        return;
    l->tsc_deadline = guest_tsc;
    arm(l, clock_from_tsc(guest_tsc - l->vcpu->tsc_offset));
}

void lapic_pause(struct lapic *l, bool paused)
{
    nstime_t now = clock_now();

    if (l->timer_deadline == TIME_NEVER)
        return;
    /* While paused, timer_deadline holds what was left. */
    if (paused) {
        timer_cancel_sync(&l->timer);
        l->timer_deadline = l->timer_deadline > now ? l->timer_deadline - now
                                                    : 0;
    } else {
        arm(l, now + l->timer_deadline);
    }
}
