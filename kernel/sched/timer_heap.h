/*
 * The order of armed timers: an intrusive pairing heap, so that a timer costs
 * no memory beyond itself and there is no limit to their number. Pure: no
 * locks, no clock. Arming is constant time, taking one out is logarithmic on
 * average (Fredman et al., "The pairing heap", Algorithmica 1, 1986).
 *
 * Shape: a timer's `child` is its first child, `next` its right sibling, `slot`
 * the pointer that points at it (the root, its parent's `child` or its left
 * sibling's `next`); a timer with a NULL slot is in no heap.
 */
#ifndef SCHED_TIMER_HEAP_H
#define SCHED_TIMER_HEAP_H

#include <rayos/timer.h>

struct timer_heap {
    struct timer *root; /* the earliest; NULL: empty */
    uint64_t armed;     /* how many were put in so far: gives them an order */
};

static inline bool timer_heap_has(const struct timer *t)
{
    return t->slot != NULL;
}

/* By t->deadline, behind those with the same one. `t` is in no heap. */
void timer_heap_insert(struct timer_heap *h, struct timer *t);
/* `t` is in this heap. */
void timer_heap_remove(struct timer_heap *h, struct timer *t);

#endif
