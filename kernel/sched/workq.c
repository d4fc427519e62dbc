/*
 * Work queues: a FIFO of functions and one thread that calls them. Submitting:
 * any context but NMI; all else thread context.
 */
#include <errno.h>

#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/workq.h>

#include "sched.h"

struct workq {
    struct spinlock lock;
    struct list works; /* all fields below and `works`: lock */
    struct waitq ready;
    struct waitq progress;
    uint64_t submitted, done; /* works so far */
    bool ends;
    struct thread *thread; /* constant */
};

static struct workq *system_queue;

void work_init(struct work *w, void (*fn)(struct work *w))
{
    *w = (struct work){.fn = fn};
    list_init(&w->node);
}

/* The next work, NULL at the end of all; waits. */
static struct work *next_work(struct workq *q)
{
    irqflags_t flags = spin_lock(&q->lock);
    struct work *w = NULL;
    struct list *n;

    while (list_empty(&q->works) && !q->ends)
        waitq_wait_uncancellable(&q->ready, &q->lock, TIME_NEVER);
    n = list_pop_front(&q->works);
    if (n) {
        w = container_of(n, struct work, node);
        w->queued = false;
    }
    spin_unlock(&q->lock, flags);
    return w;
}

static void count_done(struct workq *q)
{
    irqflags_t flags = spin_lock(&q->lock);

    q->done++;
    waitq_wake_all(&q->progress);
    spin_unlock(&q->lock, flags);
}

static void workq_main(void *arg)
{
    struct workq *q = arg;
    struct work *w;

    while ((w = next_work(q))) {
        w->fn(w); /* may free or submit it */
        count_done(q);
    }
}

int workq_create(const char *name, uint8_t priority, struct workq **out)
{
    struct workq *q = kzalloc(sizeof(*q));
    const struct thread_attr attr = {
        .name = name,
        .entry = workq_main,
        .arg = q,
        .priority = priority,
        .affinity = CPU_ANY,
    };
    int err;

    if (!q)
        return -ENOMEM;
    list_init(&q->works);
    waitq_init(&q->ready);
    waitq_init(&q->progress);
    err = thread_create(&attr, &q->thread);
    if (err) {
        kfree(q);
        return err;
    }
    *out = q;
    return 0;
}

void workq_destroy(struct workq *q)
{
    irqflags_t flags;

    KASSERT(q != system_queue);
    flags = spin_lock(&q->lock);
    q->ends = true;
    waitq_wake_all(&q->ready);
    spin_unlock(&q->lock, flags);
    thread_join_uncancellable(q->thread);
    thread_put(q->thread);
    kfree(q);
}

bool work_submit(struct workq *q, struct work *w)
{
    irqflags_t flags = spin_lock(&q->lock);
    bool fresh = !w->queued;

    if (fresh) {
        w->queued = true;
        q->submitted++;
        list_push_back(&q->works, &w->node);
        waitq_wake_one(&q->ready);
    }
    spin_unlock(&q->lock, flags);
    return fresh;
}

void workq_flush(struct workq *q)
{
    irqflags_t flags;
    uint64_t goal;

    KASSERT(thread_current() != q->thread);
    flags = spin_lock(&q->lock);
    goal = q->submitted;
    while (q->done < goal)
        waitq_wait_uncancellable(&q->progress, &q->lock, TIME_NEVER);
    spin_unlock(&q->lock, flags);
}

struct workq *workq_system(void)
{
    return system_queue;
}

void workq_init(void)
{
    if (workq_create("work", PRIO_IO, &system_queue))
        panic("no memory for the system work queue");
}
