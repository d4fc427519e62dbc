/*
 * Who runs where. A woken thread prefers the CPU it ran on last when it may run
 * there at once; otherwise it goes to where the least important work is done.
 * Idle CPUs take ready threads from others before they halt; a thread that a
 * better one put aside is offered to the other CPUs. So a CPU never halts, nor
 * runs lesser work, for long while a thread waits elsewhere.
 *
 * Other CPUs are judged by hints that may be stale; what that can cost is a
 * detour, never a thread. Interrupts off in all functions.
 */
#include <stdatomic.h>

#include <rayos/smp.h>

#include "sched.h"

/* Least important work first, then shortest queue. */
static bool less_busy(struct runqueue *a, struct runqueue *b)
{
    if (a->top != b->top)
        return a->top < b->top;
    return a->waiting < b->waiting;
}

struct cpu *balance_choose(struct thread *t)
{
    struct cpu *last = t->cpu, *best = last;

    /* Its registers are not saved yet: only there it can go on. */
    if (t->on_cpu)
        return last;
    if (t->affinity != CPU_ANY)
        return cpu_get(t->affinity);
    if (last->rq->top < t->priority)
        return last;
    for (uint32_t i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_get(i);

        if (c->online && less_busy(c->rq, best->rq))
            best = c;
    }
    return best;
}

static bool may_leave(struct list *node, void *arg)
{
    struct thread *t = thread_of_node(node);

    (void)arg;
    return t->affinity == CPU_ANY && !t->on_cpu;
}

static bool steal_from(struct runqueue *victim, struct runqueue *rq)
{
    struct thread *t = NULL;
    struct list *node;

    spin_lock(&victim->lock);
    node = ready_queue_find(&victim->ready, may_leave, NULL);
    if (node) {
        t = thread_of_node(node);
        runqueue_take(victim, t);
        runqueue_update_top(victim);
        t->cpu = rq->cpu;
    }
    spin_unlock(&victim->lock, 0);
    if (!t)
        return false;
    sched_place_on(rq->cpu, t);
    /* Whoever roused us may have roused us for several. */
    if (victim->stealable)
        balance_rouse(victim);
    return true;
}

bool balance_steal(struct runqueue *rq)
{
    uint32_t cpus = cpu_count();

    /* We are seen as idle before we look: see balance_rouse. */
    atomic_thread_fence(memory_order_seq_cst);
    for (uint32_t i = 1; i < cpus; i++) {
        struct cpu *c = cpu_get((rq->cpu->id + i) % cpus);

        if (c->online && c->rq->stealable && steal_from(c->rq, rq))
            return true;
    }
    return false;
}

void balance_rouse(struct runqueue *rq)
{
    /* Either an idle CPU sees the thread that is in the queue now, or we see
     * the CPU as idle. */
    atomic_thread_fence(memory_order_seq_cst);
    if (!rq->stealable)
        return;
    for (uint32_t i = 0; i < cpu_count(); i++) {
        struct cpu *c = cpu_get(i);

        if (c != rq->cpu && c->online && c->rq->top == PRIO_IDLE) {
            smp_send_reschedule(c->id);
            return;
        }
    }
}

void balance_push_out(struct runqueue *rq, struct thread *prev)
{
    struct cpu *better;

    rq->pushed_out = NULL;
    spin_lock(&rq->lock);
    /* While it was on_cpu nobody could take it away from this CPU, so it is
     * alive; but a change of its priority may be under way, which has it in
     * its hands for a moment and puts it back. */
    prev->on_cpu = false;
    better = list_empty(&prev->run_node) ? rq->cpu : balance_choose(prev);
    if (better != rq->cpu) {
        runqueue_take(rq, prev);
        runqueue_update_top(rq);
        prev->cpu = better;
    }
    spin_unlock(&rq->lock, 0);
    if (better != rq->cpu)
        sched_place_on(better, prev);
}
