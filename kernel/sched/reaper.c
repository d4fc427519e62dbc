/*
 * The reaper: a thread that gives back what ended threads cannot give back
 * themselves, above all the stack that they stood on. Its priority is high so
 * that a storm of short-lived threads does not pile up memory.
 */
#include <rayos/panic.h>

#include "sched.h"

static struct {
    struct spinlock lock;
    struct list dead; /* run_nodes; lock */
    struct waitq wq;  /* lock */
} reaper;

void reaper_submit(struct thread *t)
{
    irqflags_t flags = spin_lock(&reaper.lock);

    list_push_back(&reaper.dead, &t->run_node);
    waitq_wake_one(&reaper.wq);
    spin_unlock(&reaper.lock, flags);
}

static struct thread *next_dead(void)
{
    irqflags_t flags = spin_lock(&reaper.lock);
    struct list *n;

    while (list_empty(&reaper.dead))
        waitq_wait_uncancellable(&reaper.wq, &reaper.lock, TIME_NEVER);
    n = list_pop_front(&reaper.dead);
    spin_unlock(&reaper.lock, flags);
    return thread_of_node(n);
}

static void reaper_main(void *arg)
{
    (void)arg;
    for (;;)
        thread_reap(next_dead());
}

void reaper_init(void)
{
    const struct thread_attr attr = {
        .name = "reaper",
        .entry = reaper_main,
        .priority = PRIO_INTERRUPT,
        .affinity = CPU_ANY,
    };

    list_init(&reaper.dead);
    waitq_init(&reaper.wq);
    if (thread_spawn(&attr))
        panic("no memory for the reaper thread");
}
