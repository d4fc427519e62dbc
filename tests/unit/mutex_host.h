/*
 * Mutexes of the kernel on the host, for tests with one thread or several: who
 * locks what he holds already is seen instead of hanging. Include it in one
 * file of a program.
 */
#ifndef RAYOS_TEST_MUTEX_HOST_H
#define RAYOS_TEST_MUTEX_HOST_H

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <rayos/sync.h>

static _Thread_local char mutex_host_self; /* its address names the thread */
static _Thread_local unsigned mutex_host_held;

void mutex_init(struct mutex *m)
{
    atomic_store(&m->owner, 0);
}

void mutex_lock(struct mutex *m)
{
    uintptr_t me = (uintptr_t)&mutex_host_self, nobody = 0;

    if (atomic_load(&m->owner) == me) {
        fprintf(stderr, "# a mutex is locked twice by one thread\n");
        abort();
    }
    while (!atomic_compare_exchange_weak(&m->owner, &nobody, me)) {
        nobody = 0;
        sched_yield();
    }
    mutex_host_held++;
}

void mutex_unlock(struct mutex *m)
{
    if (atomic_load(&m->owner) != (uintptr_t)&mutex_host_self) {
        fprintf(stderr, "# a mutex is unlocked by another thread\n");
        abort();
    }
    mutex_host_held--;
    atomic_store(&m->owner, 0);
}

#endif
