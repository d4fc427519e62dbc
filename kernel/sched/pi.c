/*
 * Priority inheritance. A thread runs with the highest of its own priority and
 * those of the threads that wait for mutexes it holds; when it waits for a
 * mutex itself, that mutex's owner inherits in turn, and so on. One spin lock
 * covers the whole graph: it is taken on contended paths only, and walks are
 * bounded. Any context but NMI.
 */
#include <string.h>

#include <rayos/panic.h>

#include "pi.h"
#include "sched.h"
#include "wait.h"

/* Longest chain of "waits for a mutex of" that is followed. Nobody nests that
 * deep on purpose; beyond it inheritance is incomplete, not wrong. */
#define PI_CHAIN_MAX 64

struct spinlock pi_lock = SPINLOCK_INIT;

static uint8_t priority_due(const struct thread *t)
{
    uint8_t due = t->base_priority;

    list_for_each (n, (struct list *)&t->held_mutexes) {
        struct mutex *m = container_of(n, struct mutex, held_node);
        struct wait_node *first = wait_first(&m->wq);

        if (first && first->priority > due)
            due = first->priority;
    }
    return due;
}

void pi_update(struct thread *t)
{
    for (int i = 0; t && i < PI_CHAIN_MAX; i++) {
        struct mutex *m = t->blocked_on;
        uint8_t due = priority_due(t);

        if (due == t->priority)
            return;
        sched_change_priority(t, due);
        if (!m)
            return;
        wait_reposition(&m->wq, t->wait_node);
        t = mutex_owner(m);
    }
}

/* Room for a few names: who reads more has found the circle already. */
#define DEADLOCK_NAMES 6

static _Noreturn void panic_deadlock(const struct mutex *wanted)
{
    char text[DEADLOCK_NAMES * (THREAD_NAME_MAX + 4)] = "";
    const struct thread *me = thread_current(), *t = mutex_owner(wanted);

    for (int i = 0; i < DEADLOCK_NAMES && t != me; i++) {
        strcat(text, t->name);
        strcat(text, " -> ");
        t = mutex_owner(t->blocked_on);
    }
    panic("deadlock on mutexes: %s -> %s%s", me->name, text,
          t == me ? me->name : "...");
}

void pi_check_deadlock(const struct mutex *wanted)
{
    const struct thread *me = thread_current();
    const struct mutex *m = wanted;

    for (int i = 0; m && i < PI_CHAIN_MAX; i++) {
        const struct thread *t = mutex_owner(m);

        if (t == me)
            panic_deadlock(wanted);
        /* A wait that can be cancelled or times out opens the circle. */
        if (t->wait_cancellable)
            return;
        m = t->blocked_on;
    }
}

void thread_set_priority(struct thread *t, uint8_t priority)
{
    irqflags_t flags;

    KASSERT(priority > PRIO_IDLE && priority < PRIO_COUNT);
    flags = spin_lock(&pi_lock);
    t->base_priority = priority;
    pi_update(t);
    spin_unlock(&pi_lock, flags);
}
