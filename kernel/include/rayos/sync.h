/* Sleeping locks: mutexes with priority inheritance, semaphores, condition
 * variables. Thread context unless said. */
#ifndef RAYOS_SYNC_H
#define RAYOS_SYNC_H

#include <rayos/waitq.h>

struct thread;

/*
 * A holder runs with the highest priority of those who wait, through chains of
 * mutexes. Not recursive: locking one's own mutex panics, as does unlocking
 * another's.
 */
struct mutex {
    /* The owner's address, 0: free; bit 0: somebody waits. Uncontended paths
     * are one compare-and-swap. */
    _Atomic uintptr_t owner;
    struct waitq wq;       /* lock: pi_lock */
    struct list held_node; /* in owner->held_mutexes while there are waiters;
                              lock: pi_lock */
};

#define MUTEX_INIT(m)                                                   \
    {                                                                   \
        .wq = WAITQ_INIT((m).wq), .held_node = LIST_INIT((m).held_node) \
    }

void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m); /* not cancellable */
/* 0, -ETIMEDOUT, -ECANCELED */
int mutex_lock_until(struct mutex *m, nstime_t deadline);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);

struct semaphore {
    struct spinlock lock;
    uint32_t count; /* lock */
    struct waitq wq;
};

void sem_init(struct semaphore *s, uint32_t count);
/* 0, -ETIMEDOUT, -ECANCELED */
int sem_wait(struct semaphore *s, nstime_t deadline);
/* Any context but NMI. */
void sem_post(struct semaphore *s);

struct cond {
    struct spinlock lock;
    struct waitq wq; /* lock */
};

void cond_init(struct cond *c);
/* Releases m while it sleeps. 0, -ETIMEDOUT, -ECANCELED; m is held again in
 * every case. */
int cond_wait(struct cond *c, struct mutex *m, nstime_t deadline);
void cond_signal(struct cond *c);
void cond_broadcast(struct cond *c);

#endif
