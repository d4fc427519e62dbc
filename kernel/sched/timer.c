/*
 * Timers: a heap per CPU under its own lock, and one hardware event for the
 * earliest. A timer lives in the queue of the CPU that armed it; other CPUs may
 * cancel it, or take it over by arming it themselves.
 *
 * t->cpu changes only under the lock of the queue that it leaves, so a look at
 * it, a lock, and a second look find the right queue. Handlers run without the
 * lock. Any context but NMI, unless timer.h says otherwise.
 */
#include <stdatomic.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/spinlock.h>
#include <rayos/timer.h>

#include "sched.h"
#include "timer_heap.h"

/* Handlers run in one interrupt; with more due, others get a chance between. */
#define TIMER_BATCH 64

struct timer_queue {
    struct spinlock lock;
    struct timer_heap heap;
    struct timer *running; /* whose handler runs; compared, never followed */
    nstime_t hardware;     /* when the interrupt comes, TIME_NEVER: not; own
                              CPU */
};

struct timer_queue *timer_queue_create(void)
{
    struct timer_queue *q = kzalloc(sizeof(*q));

    if (q)
        q->hardware = TIME_NEVER;
    return q;
}

void timer_init(struct timer *t, void (*fn)(struct timer *t))
{
    *t = (struct timer){.fn = fn};
}

/* An interrupt that comes too early does no harm, so one that is set for an
 * earlier time is left alone: most timers are cancelled before they fire. */
static void hardware_arm(struct timer_queue *q)
{
    nstime_t first = q->heap.root ? q->heap.root->deadline : TIME_NEVER;

    if (first >= q->hardware)
        return;
    q->hardware = first;
    clock_event_arm(first);
}

/* The queue of `t`, locked; NULL when it was never in one. */
static struct timer_queue *queue_lock_of(struct timer *t)
{
    for (;;) {
        struct cpu *at = t->cpu;

        if (!at)
            return NULL;
        spin_lock(&at->timers->lock);
        if (t->cpu == at)
            return at->timers;
        spin_unlock(&at->timers->lock, 0);
    }
}

static void queue_drop(struct timer_queue *q, struct timer *t)
{
    if (timer_heap_has(t))
        timer_heap_remove(&q->heap, t);
}

/*
 * Lock the queue of this CPU with `t` belonging to it and not armed. While its
 * handler runs on another CPU it stays with that one, which looks at its queue
 * again after the handler: so it cannot run on two CPUs at once.
 */
static struct timer_queue *queue_claim(struct timer *t, struct cpu *me)
{
    for (;;) {
        struct timer_queue *q = queue_lock_of(t);
        struct cpu *none = NULL;

        if (!q) {
            atomic_compare_exchange_strong(&t->cpu, &none, me);
            continue;
        }
        queue_drop(q, t);
        if (q == me->timers || q->running == t)
            return q;
        t->cpu = me;
        spin_unlock(&q->lock, 0);
    }
}

void timer_start(struct timer *t, nstime_t deadline)
{
    irqflags_t flags = arch_irq_save();
    struct cpu *me = cpu_self();
    struct timer_queue *q = queue_claim(t, me);

    t->deadline = deadline;
    if (deadline != TIME_NEVER)
        timer_heap_insert(&q->heap, t);
    if (q == me->timers && !q->running)
        hardware_arm(q);
    spin_unlock(&q->lock, flags);
}

bool timer_cancel(struct timer *t)
{
    irqflags_t flags = arch_irq_save();
    struct timer_queue *q = queue_lock_of(t);
    bool pending = false;

    if (q) {
        pending = timer_heap_has(t);
        queue_drop(q, t);
        spin_unlock(&q->lock, 0);
    }
    arch_irq_restore(flags);
    return pending;
}

/* Is its handler running on another CPU? If on this one, then it is the caller.
 */
static bool runs_elsewhere(struct timer *t)
{
    irqflags_t flags = arch_irq_save();
    struct timer_queue *q = queue_lock_of(t);
    bool runs = false;

    if (q) {
        queue_drop(q, t);
        runs = q->running == t && q != cpu_self()->timers;
        spin_unlock(&q->lock, 0);
    }
    arch_irq_restore(flags);
    return runs;
}

void timer_cancel_sync(struct timer *t)
{
    while (runs_elsewhere(t))
        arch_pause();
}

/* Run the first one if it is due; lock held, released for the handler. */
static bool run_first(struct timer_queue *q)
{
    struct timer *t = q->heap.root;
    void (*fn)(struct timer *) = t ? t->fn : NULL;

    if (!t || t->deadline > clock_now())
        return false;
    timer_heap_remove(&q->heap, t);
    q->running = t;
    spin_unlock(&q->lock, 0);
    fn(t);
    spin_lock(&q->lock);
    q->running = NULL;
    return true;
}

void timer_before_halt(nstime_t now)
{
    struct timer_queue *q = cpu_self()->timers;

    if (q->hardware <= now)
        clock_event_arm(q->hardware);
}

void timer_interrupt(void)
{
    struct timer_queue *q = cpu_self()->timers;

    if (!q) /* before sched_init */
        return;
    spin_lock(&q->lock);
    for (int i = 0; i < TIMER_BATCH && run_first(q); i++)
        ;
    q->hardware = TIME_NEVER;
    hardware_arm(q);
    spin_unlock(&q->lock, 0);
}
