/* One-shot timers on the CPU that started them; no periodic tick exists. */
#ifndef RAYOS_TIMER_H
#define RAYOS_TIMER_H

#include <rayos/types.h>

struct timer {
    nstime_t deadline;
    void (*fn)(struct timer
                   *t);  /* interrupt context, interrupts off, not re-entered */
    uint32_t heap_index; /* place in the queue + 1, 0: not queued; lock: the
                            queue's */
    struct cpu *cpu;     /* whose queue; lock: that queue's */
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
