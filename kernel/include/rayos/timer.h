/* One-shot timers on the CPU that started them; no periodic tick exists. */
#ifndef RAYOS_TIMER_H
#define RAYOS_TIMER_H

#include <rayos/types.h>

struct cpu;

struct timer {
    nstime_t deadline;
    /* Interrupt context, interrupts off, not re-entered. */
    void (*fn)(struct timer *t);

    /* The queue's own; lock: the queue's. */
    uint64_t order;                     /* first armed, first run */
    struct timer *child, *next, **slot; /* see kernel/sched/timer_heap.h */
    struct cpu *_Atomic cpu;            /* whose queue; NULL: none yet */
};

void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* (Re)arm on this CPU. Any context but NMI. */
void timer_start(struct timer *t, nstime_t deadline);
/* true: it was pending and will not run. Does not wait for a handler that is
 * running on another CPU. */
bool timer_cancel(struct timer *t);
/* The same, and on return no handler runs any more. Thread context, or
 * interrupt context of the same CPU. */
void timer_cancel_sync(struct timer *t);

/* --- called by the arch timer interrupt, interrupts off: run what is due and
 * arm the next. --- */
void timer_interrupt(void);

#endif
