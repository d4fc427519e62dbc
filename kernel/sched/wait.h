/* Waiting in steps, for mutexes, which look at who waits for them. */
#ifndef SCHED_WAIT_H
#define SCHED_WAIT_H

#include <rayos/thread.h>
#include <rayos/waitq.h>

/* One waiter, on its own stack; lock: the wait queue's. */
struct wait_node {
    struct list node; /* empty: not queued any more */
    struct thread *thread;
    uint8_t priority; /* where in the queue it stands */
};

static inline struct wait_node *wait_first(struct waitq *wq)
{
    if (list_empty(&wq->waiters))
        return NULL;
    return container_of(wq->waiters.next, struct wait_node, node);
}

/* The current thread takes its place in the queue. The queue's lock is held. */
void wait_enqueue(struct waitq *wq, struct wait_node *n);
/* Move it to where its thread's priority belongs. The queue's lock is held. */
void wait_reposition(struct waitq *wq, struct wait_node *n);
/* Sleep with `lock` released; it is held again on return, and the node is where
 * the others left it. 0, -ETIMEDOUT, -ECANCELED. */
int wait_sleep(struct spinlock *lock, nstime_t deadline, bool cancellable);
/* Leave the queue; harmless when taken out already. The queue's lock is held.
 */
void wait_dequeue(struct wait_node *n);

#endif
