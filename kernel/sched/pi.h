/* Priority inheritance, between mutex.c and pi.c. */
#ifndef SCHED_PI_H
#define SCHED_PI_H

#include <rayos/sync.h>
#include <rayos/thread.h>

/* Of mutex->owner. */
#define MUTEX_WAITERS ((uintptr_t)1)

/* Protects every mutex's queue, owner changes of contended mutexes, who is
 * blocked on what, and every thread's priorities. */
extern struct spinlock pi_lock;

static inline struct thread *mutex_owner(const struct mutex *m)
{
    return (struct thread *)(m->owner & ~MUTEX_WAITERS);
}

/* All with pi_lock held. */

/* The current thread is going to wait for `wanted` for good: panic when that
 * can never end. */
void pi_check_deadlock(const struct mutex *wanted);
/* Somebody joined or left the queue of a mutex that `t` holds, or its own
 * priority changed: recompute, and pass it on along the chain. */
void pi_update(struct thread *t);

#endif
