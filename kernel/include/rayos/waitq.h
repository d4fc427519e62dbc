/*
 * Wait queues. A queue is protected by the spin lock of the object it belongs
 *to:
 *
 *	flags = spin_lock(&obj->lock);
 *	while (!obj->ready && !err)
 *		err = waitq_wait(&obj->wq, &obj->lock, deadline);
 *	spin_unlock(&obj->lock, flags);
 */
#ifndef RAYOS_WAITQ_H
#define RAYOS_WAITQ_H

#include <rayos/list.h>
#include <rayos/spinlock.h>

struct waitq {
    /* In order of the priority that each had when it came, then of arrival;
     * for mutexes, of the priority that it has. */
    struct list waiters;
};

#define WAITQ_INIT(wq)          \
    {                           \
        LIST_INIT((wq).waiters) \
    }

void waitq_init(struct waitq *wq);
/* Sleep with `lock` released until woken; it is held again on return. 0,
 * -ETIMEDOUT, -ECANCELED. A wake-up may be spurious: test the condition again.
 * Thread context. */
int waitq_wait(struct waitq *wq, struct spinlock *lock, nstime_t deadline);
/* As waitq_wait, but thread_cancel does not end it. */
int waitq_wait_uncancellable(struct waitq *wq, struct spinlock *lock,
                             nstime_t deadline);
/* Wake the first / all. `lock` held. Any context but NMI. true: somebody was
 * woken. */
bool waitq_wake_one(struct waitq *wq);
bool waitq_wake_all(struct waitq *wq);

#endif
