/*
 * The scheduler's core: run queues, the switch from thread to thread, wake-ups
 * and the way out of interrupts. Which lock protects what: sched.h.
 *
 * All functions run with interrupts off unless they say otherwise; none blocks.
 */
#include <stdatomic.h>

#include <arch/context.h>
#include <rayos/panic.h>
#include <rayos/smp.h>
#include <rayos/trace.h>

#include "sched.h"

void runqueue_init(struct runqueue *rq, struct cpu *cpu, struct thread *idle)
{
    rq->cpu = cpu;
    rq->idle = rq->current = idle;
    ready_queue_init(&rq->ready);
    cputime_init(rq);
}

struct runqueue *runqueue_lock_of(struct thread *t)
{
    for (;;) {
        struct runqueue *rq = t->cpu->rq;

        spin_lock(&rq->lock);
        if (t->cpu == rq->cpu)
            return rq;
        spin_unlock(&rq->lock, 0);
    }
}

void runqueue_update_top(struct runqueue *rq)
{
    int running = rq->current->priority, best = ready_queue_best(&rq->ready);

    atomic_store_explicit(&rq->top, best > running ? best : running,
                          memory_order_relaxed);
    atomic_store_explicit(&rq->waiting, rq->ready.count, memory_order_relaxed);
}

static void runqueue_put(struct runqueue *rq, struct thread *t, bool front)
{
    if (front)
        ready_queue_push_front(&rq->ready, &t->run_node, t->priority);
    else
        ready_queue_push_back(&rq->ready, &t->run_node, t->priority);
    if (t->affinity == CPU_ANY)
        rq->stealable++;
}

void runqueue_take(struct runqueue *rq, struct thread *t)
{
    ready_queue_remove(&rq->ready, &t->run_node, t->priority);
    if (t->affinity == CPU_ANY)
        rq->stealable--;
}

/* What becomes of a thread that joins a queue. */
enum joined { JOIN_WAITS, JOIN_SHARES, JOIN_PREEMPTS };

/*
 * A ready thread joins the queue; lock held. An equal of the current thread
 * needs the slice timer, which only the CPU itself can arm: another CPU's
 * schedule() does that on its way.
 */
static enum joined runqueue_join(struct runqueue *rq, struct thread *t)
{
    int running = rq->current->priority, mine = t->priority;

    runqueue_put(rq, t, false);
    runqueue_update_top(rq);
    if (mine < running || (mine == running && rq->slice_armed))
        return JOIN_WAITS;
    if (mine == running && rq->cpu == cpu_self()) {
        slice_arm(rq);
        return JOIN_WAITS;
    }
    rq->cpu->need_resched = true;
    return mine == running ? JOIN_SHARES : JOIN_PREEMPTS;
}

void sched_kick(struct cpu *cpu)
{
    /* In an interrupt, sched_interrupt_exit() looks at need_resched, and so
     * does the idle loop. In thread context the interrupt that we send
     * ourselves comes as soon as interrupts are on, that is when the last spin
     * lock is released. */
    if (cpu == cpu_self() && (in_interrupt() || cpu->current == cpu->rq->idle))
        return;
    smp_send_reschedule(cpu->id);
}

void sched_place_on(struct cpu *cpu, struct thread *t)
{
    struct runqueue *rq = cpu->rq;
    enum joined how;

    spin_lock(&rq->lock);
    how = runqueue_join(rq, t);
    spin_unlock(&rq->lock, 0);
    if (how != JOIN_WAITS)
        sched_kick(cpu);
    if (how != JOIN_PREEMPTS)
        balance_rouse(rq);
}

void thread_wake_locked(struct thread *t, int result)
{
    t->wait_result = result;
    t->slice_left = THREAD_SLICE_NS;
    t->cpu = balance_choose(t);
    trace_point(TRACE_SCHED, TRACE_WAKE, t->id, t->cpu->id);
    t->state = THREAD_READY;
    sched_place_on(t->cpu, t);
}

bool thread_wake(struct thread *t, int result)
{
    irqflags_t flags = spin_lock(&t->lock);
    bool blocked = t->state == THREAD_BLOCKED;

    if (blocked)
        thread_wake_locked(t, result);
    spin_unlock(&t->lock, flags);
    return blocked;
}

void sched_change_priority(struct thread *t, uint8_t priority)
{
    irqflags_t flags = spin_lock(&t->lock);
    struct runqueue *rq = runqueue_lock_of(t);
    bool queued = t->state == THREAD_READY && !list_empty(&t->run_node);
    bool kick = false;

    if (queued)
        runqueue_take(rq, t);
    t->priority = priority;
    runqueue_update_top(rq);
    if (queued) {
        t->cpu = balance_choose(t);
    } else if (rq->current == t && ready_queue_best(&rq->ready) >= priority) {
        rq->cpu->need_resched = true;
        kick = true;
    }
    spin_unlock(&rq->lock, 0);
    if (queued)
        sched_place_on(t->cpu, t);
    if (kick)
        sched_kick(rq->cpu);
    spin_unlock(&t->lock, flags);
}

/* The current thread is still willing: back to the queue, to the front while
 * it has something left of its slice. */
static void requeue_current(struct runqueue *rq, nstime_t now)
{
    struct thread *t = rq->current;
    nstime_t left = rq->slice_end > now ? rq->slice_end - now : 0;

    t->state = THREAD_READY;
    t->slice_left = left ? left : THREAD_SLICE_NS;
    runqueue_put(rq, t, left != 0);
}

/* Who runs next, out of the queue and marked as running; lock held. */
static struct thread *take_next(struct runqueue *rq, nstime_t now)
{
    struct list *first = ready_queue_first(&rq->ready);
    struct thread *next = first ? thread_of_node(first) : rq->idle;

    if (first)
        runqueue_take(rq, next);
    next->state = THREAD_RUNNING;
    next->on_cpu = true;
    rq->current = next;
    rq->slice_end = now + next->slice_left;
    if (ready_queue_best(&rq->ready) == next->priority)
        slice_arm(rq);
    runqueue_update_top(rq);
    return next;
}

/*
 * On the stack of the thread that runs now: let go of the one before it. As
 * soon as its on_cpu is clear it may run elsewhere, end and be freed.
 */
static void finish_switch(struct thread *prev)
{
    struct runqueue *rq = cpu_self()->rq;
    bool dead = prev->state == THREAD_DEAD;

    if (rq->pushed_out == prev)
        balance_push_out(rq, prev);
    else
        prev->on_cpu = false;
    if (dead)
        reaper_submit(prev);
    if (rq->stealable)
        balance_rouse(rq);
}

void sched_window(void)
{
    struct cpu *cpu = cpu_self();

    if (cpu->window) /* we are inside an interrupt of one */
        return;
    cpu->window = true;
    arch_irq_window();
    cpu->window = false;
}

static void switch_once(void)
{
    struct cpu *cpu = cpu_self();
    struct runqueue *rq = cpu->rq;
    struct thread *prev = rq->current, *next;
    nstime_t now;
    bool willing;

    spin_lock(&rq->lock);
    /* Locked: behind the end of the last stretch of whoever is next. */
    now = cputime_stop(rq, prev);
    cpu->need_resched = false;
    willing = prev->state == THREAD_RUNNING && prev != rq->idle;
    if (willing)
        requeue_current(rq, now);
    next = take_next(rq, now);
    rq->pushed_out = NULL;
    if (willing && prev->affinity == CPU_ANY && next->priority > prev->priority)
        rq->pushed_out = prev;
    spin_unlock(&rq->lock, 0);
    cputime_start(rq, next, now);
    if (next == prev)
        return;
    next->switches++;
    sched_window();
    trace_point(TRACE_SCHED, TRACE_SWITCH, prev->id, next->id);
    finish_switch(arch_context_switch(prev, next));
}

/* The asynchronous call of the current thread: as if in an interrupt. */
static void run_async(struct cpu *cpu)
{
    struct thread *t = cpu->current;

    if (!t->async_pending || !atomic_exchange(&t->async_pending, false) ||
        !t->async_fn)
        return;
    cpu->irq_depth++;
    t->async_fn(t);
    cpu->irq_depth--;
}

/* The incoming thread's duties before it goes on. true: it should make place
 * for another at once. */
static bool settle(void)
{
    struct cpu *cpu = cpu_self();

    run_async(cpu);
    return cpu->need_resched;
}

void schedule(void)
{
    do
        switch_once();
    while (settle());
}

_Noreturn void sched_thread_begin(struct thread *prev)
{
    struct thread *t = thread_current();

    finish_switch(prev);
    if (settle())
        schedule();
    arch_irq_enable();
    t->entry(t->arg);
    thread_exit();
}

void sched_interrupt_exit(void)
{
    struct cpu *cpu = cpu_self();

    if (!cpu->rq || cpu->window) /* before sched_init */
        return;
    if (!settle())
        return;
    sched_window();
    schedule();
}

/*
 * Either the target's switch-in comes after our critical section, then it sees
 * the mark; or it came before, then we see it as current and send an interrupt.
 */
void thread_post_async(struct thread *t)
{
    irqflags_t flags = arch_irq_save();
    struct runqueue *rq;
    bool running;

    if (!atomic_exchange(&t->async_pending, true)) {
        rq = runqueue_lock_of(t);
        running = rq->current == t;
        spin_unlock(&rq->lock, 0);
        if (running)
            sched_kick(rq->cpu);
    }
    arch_irq_restore(flags);
}

void thread_yield(void)
{
    irqflags_t flags = arch_irq_save();

    cpu_self()->rq->slice_end = 0; /* to the end of the queue */
    schedule();
    arch_irq_restore(flags);
}
