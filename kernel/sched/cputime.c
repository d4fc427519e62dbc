/*
 * CPU time: round robin slices, the account of each thread, and limits.
 *
 * There is no tick. A CPU's slice timer is armed when an equal of the current
 * thread becomes ready, and left to fire when there is no use for it any more:
 * cheaper than to cancel it at every switch. The limit timer goes the same way.
 * Both handlers therefore look at how things are when they fire.
 */
#include <stdatomic.h>

#include "sched.h"

/* How often a limit that was reached is announced again. */
#define LIMIT_REPEAT_NS (10 * NS_PER_MS)

/* How often a reader tries to get two numbers that belong together. */
#define TIME_TRIES 1000

/* a + b, where TIME_NEVER stays what it is. */
static nstime_t time_add(nstime_t a, nstime_t b)
{
    return b >= TIME_NEVER - a ? TIME_NEVER : a + b;
}

void slice_arm(struct runqueue *rq)
{
    if (rq->slice_armed && rq->slice_timer.deadline <= rq->slice_end)
        return;
    rq->slice_armed = true;
    timer_start(&rq->slice_timer, rq->slice_end);
}

static void slice_expired(struct timer *timer)
{
    struct runqueue *rq = container_of(timer, struct runqueue, slice_timer);

    spin_lock(&rq->lock);
    rq->slice_armed = false;
    if (ready_queue_best(&rq->ready) >= rq->current->priority) {
        if (rq->slice_end <= clock_now())
            rq->cpu->need_resched = true;
        else
            slice_arm(rq);
    }
    spin_unlock(&rq->lock, 0);
}

static nstime_t since(nstime_t start, nstime_t now)
{
    return now > start ? now - start : 0;
}

/*
 * Add the running stretch of `t` (none, when started_at is TIME_NEVER) to its
 * account, and begin another if it goes on; returns the time. Only the thread's
 * CPU writes. Readers elsewhere see an odd number, or a changed one, and try
 * again; the clock is read inside on both sides, so that nobody who has seen a
 * long stretch sees a shorter one later.
 */
static nstime_t account(struct thread *t, bool goes_on)
{
    uint32_t seq = atomic_load_explicit(&t->time_seq, memory_order_relaxed);
    nstime_t now;

    atomic_store_explicit(&t->time_seq, seq + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    now = clock_now();
    t->cpu_time += since(t->started_at, now);
    t->started_at = goes_on ? now : TIME_NEVER;
    atomic_store_explicit(&t->time_seq, seq + 2, memory_order_release);
    return now;
}

nstime_t cputime_update(struct runqueue *rq)
{
    struct thread *t = rq->current;
    nstime_t now = account(t, true);

    if (t == rq->idle)
        rq->cpu->idle_time = t->cpu_time;
    return now;
}

/* Have the timer fire when `t`, running from now on, reaches its limit. */
static void limit_arm(struct runqueue *rq, const struct thread *t, nstime_t now)
{
    nstime_t due;

    if (t->cpu_limit == TIME_NEVER)
        return;
    due = time_add(now, since(t->cpu_time, t->cpu_limit));
    if (due >= rq->limit_armed)
        return;
    rq->limit_armed = due;
    timer_start(&rq->limit_timer, due);
}

static void limit_expired(struct timer *timer)
{
    struct runqueue *rq = container_of(timer, struct runqueue, limit_timer);
    struct thread *t = rq->current;
    nstime_t now = cputime_update(rq);

    rq->limit_armed = TIME_NEVER;
    if (t->cpu_time >= t->cpu_limit) {
        t->cpu_limit = time_add(t->cpu_time, LIMIT_REPEAT_NS);
        if (t->limit_fn)
            t->limit_fn(t);
    }
    limit_arm(rq, t, now);
}

void cputime_init(struct runqueue *rq)
{
    rq->limit_armed = TIME_NEVER;
    timer_init(&rq->slice_timer, slice_expired);
    timer_init(&rq->limit_timer, limit_expired);
}

nstime_t cputime_stop(struct runqueue *rq, struct thread *prev)
{
    nstime_t now = account(prev, false);

    if (prev == rq->idle)
        rq->cpu->idle_time = prev->cpu_time;
    return now;
}

/* One store begins the stretch: whoever reads the account before it sees none,
 * and who reads after it a stretch that grows, so there is no sequence. */
void cputime_start(struct runqueue *rq, struct thread *next, nstime_t now)
{
    __atomic_store_n(&next->started_at, now, __ATOMIC_RELEASE);
    limit_arm(rq, next, now);
}

void thread_set_cpu_limit(nstime_t from_now, void (*fn)(struct thread *t))
{
    irqflags_t flags = arch_irq_save();
    struct runqueue *rq = cpu_self()->rq;
    struct thread *t = rq->current;
    nstime_t now = cputime_update(rq);

    t->limit_fn = fn;
    t->cpu_limit = time_add(t->cpu_time, from_now);
    limit_arm(rq, t, now);
    arch_irq_restore(flags);
}

/* The tries are counted because the reader may be a panic that interrupted the
 * writer. */
nstime_t thread_cpu_time(const struct thread *t)
{
    nstime_t used;
    uint32_t seq;
    int tries = 0;

    do {
        seq = t->time_seq;
        used = __atomic_load_n(&t->cpu_time, __ATOMIC_ACQUIRE);
        used += since(__atomic_load_n(&t->started_at, __ATOMIC_ACQUIRE),
                      clock_now());
        atomic_thread_fence(memory_order_acquire);
    } while ((seq % 2 || seq != t->time_seq) && ++tries < TIME_TRIES);
    return used;
}

nstime_t sched_idle_time(uint32_t id)
{
    struct runqueue *rq = cpu_get(id)->rq;

    return thread_cpu_time(rq->idle);
}
