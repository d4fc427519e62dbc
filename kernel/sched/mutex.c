/*
 * Mutexes with priority inheritance. Thread context.
 *
 * owner holds the owner's address; bit 0 says that somebody waits, and then
 * every change goes through pi_lock. Unlocking a contended mutex hands it to
 * the best waiter (it never is free in between), so nobody can be starved by
 * those who come later.
 */
#include <errno.h>
#include <stdatomic.h>

#include <rayos/panic.h>
#include <rayos/sync.h>

#include "pi.h"
#include "sched.h"
#include "wait.h"

void mutex_init(struct mutex *m)
{
    m->owner = 0;
    waitq_init(&m->wq);
    list_init(&m->held_node);
}

static bool owner_swap(struct mutex *m, uintptr_t *expected, uintptr_t desired)
{
    return atomic_compare_exchange_strong(&m->owner, expected, desired);
}

bool mutex_trylock(struct mutex *m)
{
    struct thread *me = thread_current();
    uintptr_t free = 0;

    if (!owner_swap(m, &free, (uintptr_t)me))
        return false;
    me->mutexes_held++;
    return true;
}

/* Take it if it is free, else mark it as contended; pi_lock held. */
static bool take_or_mark(struct mutex *m, struct thread *me)
{
    uintptr_t owner = m->owner;

    for (;;) {
        if (!owner) {
            if (owner_swap(m, &owner, (uintptr_t)me))
                return true;
        } else if (owner & MUTEX_WAITERS ||
                   owner_swap(m, &owner, owner | MUTEX_WAITERS)) {
            return false;
        }
    }
}

/* The mutex and its owner stop or start to have to do with each other's
 * priorities; pi_lock held. */
static void owner_follows_waiters(struct mutex *m, struct thread *owner)
{
    list_remove(&m->held_node);
    if (wait_first(&m->wq))
        list_push_back(&owner->held_mutexes, &m->held_node);
    else
        m->owner = (uintptr_t)owner;
    pi_update(owner);
}

/* Wait until it is handed over; pi_lock held. */
static int wait_for_handover(struct mutex *m, struct thread *me,
                             nstime_t deadline, bool cancellable)
{
    struct wait_node n;
    int err = 0;

    me->blocked_on = m;
    wait_enqueue(&m->wq, &n);
    owner_follows_waiters(m, mutex_owner(m));
    while (mutex_owner(m) != me && !err)
        err = wait_sleep(&pi_lock, deadline, cancellable);
    wait_dequeue(&n);
    if (mutex_owner(m) == me)
        return 0;
    me->blocked_on = NULL;
    owner_follows_waiters(m, mutex_owner(m));
    return err;
}

static int lock_slowly(struct mutex *m, nstime_t deadline, bool cancellable)
{
    struct thread *me = thread_current();
    irqflags_t flags;
    int err = 0;

    KASSERT(!in_interrupt() && arch_irq_enabled());
    if (mutex_owner(m) == me)
        panic("%s locks a mutex that it holds", me->name);
    flags = spin_lock(&pi_lock);
    if (take_or_mark(m, me)) {
        me->mutexes_held++;
    } else {
        me->wait_cancellable = cancellable;
        if (!cancellable)
            pi_check_deadlock(m);
        err = wait_for_handover(m, me, deadline, cancellable);
    }
    spin_unlock(&pi_lock, flags);
    return err;
}

void mutex_lock(struct mutex *m)
{
    if (!mutex_trylock(m))
        lock_slowly(m, TIME_NEVER, false);
}

int mutex_lock_until(struct mutex *m, nstime_t deadline)
{
    return mutex_trylock(m) ? 0 : lock_slowly(m, deadline, true);
}

/*
 * To the best waiter, or to nobody when the last one has just gone; pi_lock
 * held. The waiter gets it even if its time has run out meanwhile: it will see
 * that the mutex is its own. After the change of owner `m` may vanish.
 */
static void hand_over(struct mutex *m, struct thread *me)
{
    struct wait_node *n = wait_first(&m->wq);
    struct thread *next;

    list_remove(&m->held_node);
    if (!n) {
        m->owner = 0;
        return;
    }
    next = n->thread;
    list_remove(&n->node);
    next->blocked_on = NULL;
    next->mutexes_held++;
    m->owner = (uintptr_t)next | MUTEX_WAITERS;
    owner_follows_waiters(m, next);
    thread_wake(next, 0);
    pi_update(me);
}

void mutex_unlock(struct mutex *m)
{
    struct thread *me = thread_current();
    uintptr_t mine = (uintptr_t)me;
    irqflags_t flags;

    if (mutex_owner(m) != me)
        panic("%s unlocks a mutex that it does not hold", me->name);
    me->mutexes_held--;
    if (owner_swap(m, &mine, 0))
        return;
    flags = spin_lock(&pi_lock);
    hand_over(m, me);
    spin_unlock(&pi_lock, flags);
}
