/*
 * Wait queues, sleeping and cancellation. Thread context, except for the
 * functions that wake or cancel: any context but NMI.
 *
 * No wake-up is lost: the waiter is in the queue and BLOCKED before it lets go
 * of the object's lock, and wakers hold that lock. A waker may find in the
 * queue a thread whose wait ended otherwise (time-out, cancellation) and which
 * is about to take the lock and leave: thread_wake says so, and the next one is
 * taken. A thread that is BLOCKED while its node is in a locked queue waits for
 * that queue, because it cannot begin another wait before it has left this one.
 */
#include <errno.h>
#include <stdatomic.h>

#include <rayos/panic.h>
#include <rayos/waitq.h>

#include "sched.h"
#include "wait.h"

void waitq_init(struct waitq *wq)
{
    list_init(&wq->waiters);
}

static void insert_by_priority(struct waitq *wq, struct wait_node *n)
{
    struct list *pos = wq->waiters.prev;

    n->priority = n->thread->priority;
    /* From the end: most waiters are equals. */
    while (pos != &wq->waiters &&
           container_of(pos, struct wait_node, node)->priority < n->priority)
        pos = pos->prev;
    list_push_front(pos, &n->node);
}

void wait_enqueue(struct waitq *wq, struct wait_node *n)
{
    n->thread = thread_current();
    n->thread->wait_node = n;
    insert_by_priority(wq, n);
}

void wait_reposition(struct waitq *wq, struct wait_node *n)
{
    list_remove(&n->node);
    insert_by_priority(wq, n);
}

void wait_dequeue(struct wait_node *n)
{
    list_remove(&n->node);
    n->thread->wait_node = NULL;
}

void wait_timer_expired(struct timer *timer)
{
    thread_wake(container_of(timer, struct thread, wait_timer), -ETIMEDOUT);
}

/* Become BLOCKED, unless the wait has ended before it began: then its result.
 * Interrupts off. */
static int become_blocked(struct thread *t, nstime_t deadline, bool cancellable)
{
    int result = 0;

    spin_lock(&t->lock);
    if (cancellable && t->cancelled) {
        result = -ECANCELED;
    } else if (deadline != TIME_NEVER && deadline <= clock_now()) {
        result = -ETIMEDOUT;
    } else {
        t->wait_cancellable = cancellable;
        t->wait_result = 0;
        t->state = THREAD_BLOCKED;
    }
    spin_unlock(&t->lock, 0);
    return result;
}

int wait_sleep(struct spinlock *lock, nstime_t deadline, bool cancellable)
{
    struct thread *t = thread_current();
    int result;

    KASSERT(!in_interrupt() && t->priority != PRIO_IDLE);
    result = become_blocked(t, deadline, cancellable);
    if (result)
        return result;
    if (deadline != TIME_NEVER)
        timer_start(&t->wait_timer, deadline);
    spin_unlock(lock, 0); /* interrupts stay off until the switch is done */
    sched_window();
    schedule();
    /* Its handler must not end the next wait. */
    if (deadline != TIME_NEVER)
        timer_cancel_sync(&t->wait_timer);
    spin_lock(lock);
    return t->wait_result;
}

static int wait_on(struct waitq *wq, struct spinlock *lock, nstime_t deadline,
                   bool cancellable)
{
    struct wait_node n;
    int result;

    wait_enqueue(wq, &n);
    result = wait_sleep(lock, deadline, cancellable);
    wait_dequeue(&n);
    return result;
}

int waitq_wait(struct waitq *wq, struct spinlock *lock, nstime_t deadline)
{
    return wait_on(wq, lock, deadline, true);
}

int waitq_wait_uncancellable(struct waitq *wq, struct spinlock *lock,
                             nstime_t deadline)
{
    return wait_on(wq, lock, deadline, false);
}

bool waitq_wake_one(struct waitq *wq)
{
    struct wait_node *n;

    while ((n = wait_first(wq))) {
        list_remove(&n->node);
        if (thread_wake(n->thread, 0))
            return true;
    }
    return false;
}

bool waitq_wake_all(struct waitq *wq)
{
    bool any = false;

    while (waitq_wake_one(wq))
        any = true;
    return any;
}

int thread_sleep_until(nstime_t deadline)
{
    struct spinlock lock = SPINLOCK_INIT;
    struct waitq nobody;
    irqflags_t flags;
    int err;

    waitq_init(&nobody);
    flags = spin_lock(&lock);
    err = waitq_wait(&nobody, &lock, deadline);
    spin_unlock(&lock, flags);
    return err == -ETIMEDOUT ? 0 : err;
}

void thread_cancel(struct thread *t)
{
    irqflags_t flags = spin_lock(&t->lock);

    /* The mark and the wake-up are one: else the thread might see the mark,
     * clear it, and have its next wait ended too. */
    t->cancelled = true;
    if (t->state == THREAD_BLOCKED && t->wait_cancellable)
        thread_wake_locked(t, -ECANCELED);
    spin_unlock(&t->lock, flags);
}

bool thread_test_and_clear_cancel(void)
{
    return atomic_exchange(&thread_current()->cancelled, false);
}
