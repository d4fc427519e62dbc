/*
 * Condition variables. Thread context.
 *
 * The condition's lock is held from before the mutex is given up until the
 * waiter is BLOCKED, so a signal given under the mutex cannot slip through.
 */
#include <rayos/sync.h>

void cond_init(struct cond *c)
{
    *c = (struct cond){.lock = SPINLOCK_INIT};
    waitq_init(&c->wq);
}

int cond_wait(struct cond *c, struct mutex *m, nstime_t deadline)
{
    irqflags_t flags = spin_lock(&c->lock);
    int err;

    mutex_unlock(m);
    err = waitq_wait(&c->wq, &c->lock, deadline);
    spin_unlock(&c->lock, flags);
    mutex_lock(m);
    return err;
}

void cond_signal(struct cond *c)
{
    irqflags_t flags = spin_lock(&c->lock);

    waitq_wake_one(&c->wq);
    spin_unlock(&c->lock, flags);
}

void cond_broadcast(struct cond *c)
{
    irqflags_t flags = spin_lock(&c->lock);

    waitq_wake_all(&c->wq);
    spin_unlock(&c->lock, flags);
}
