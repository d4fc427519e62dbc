/*
 * newlib's locks ("retargetable locking"): mutexes of ours, with a depth for
 * the recursive ones. Before there are threads they do nothing. Streams have no
 * locks (streams.c), so what is left protects the library's few static tables.
 * Thread context.
 */
#include <sys/lock.h>

#include <stdlib.h>

#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/percpu.h>
#include <rayos/sync.h>

struct __lock {
    struct mutex mutex;
    struct thread *_Atomic holder; /* of a recursive lock */
    uint32_t depth; /* the holder's: how often it has it more than once */
};

#define STATIC_LOCK(name)      \
    extern struct __lock name; \
    struct __lock name = {.mutex = MUTEX_INIT(name.mutex)}

/* Every lock that newlib names (its misc/lock.c). */
STATIC_LOCK(__lock___sinit_recursive_mutex);
STATIC_LOCK(__lock___sfp_recursive_mutex);
STATIC_LOCK(__lock___atexit_recursive_mutex);
STATIC_LOCK(__lock___at_quick_exit_mutex);
STATIC_LOCK(__lock___malloc_recursive_mutex);
STATIC_LOCK(__lock___env_recursive_mutex);
STATIC_LOCK(__lock___tz_mutex);
STATIC_LOCK(__lock___dd_hash_mutex);
STATIC_LOCK(__lock___arc4random_mutex);

void __retarget_lock_init(_LOCK_T *lock)
{
    *lock = kzalloc(sizeof(**lock));
    if (!*lock)
        panic("libc: no memory for a lock");
    mutex_init(&(*lock)->mutex);
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    __retarget_lock_init(lock);
}

/* NULL: the lock of a stream, which has none. */
void __retarget_lock_close(_LOCK_T lock)
{
    kfree(lock);
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    kfree(lock);
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    if (lock && thread_current())
        mutex_lock(&lock->mutex);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    return !lock || !thread_current() || mutex_trylock(&lock->mutex);
}

void __retarget_lock_release(_LOCK_T lock)
{
    if (lock && thread_current())
        mutex_unlock(&lock->mutex);
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    struct thread *me = thread_current();

    if (!lock || !me)
        return;
    /* Only the holder can find itself there, so the test needs no lock. */
    if (lock->holder == me) {
        lock->depth++;
        return;
    }
    mutex_lock(&lock->mutex);
    lock->holder = me;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    struct thread *me = thread_current();

    if (!lock || !me)
        return 1;
    if (lock->holder == me) {
        lock->depth++;
        return 1;
    }
    if (!mutex_trylock(&lock->mutex))
        return 0;
    lock->holder = me;
    return 1;
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    if (!lock || !thread_current())
        return;
    if (lock->depth > 0) {
        lock->depth--;
        return;
    }
    lock->holder = NULL;
    mutex_unlock(&lock->mutex);
}
