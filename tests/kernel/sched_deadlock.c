/*
 * Three threads that wait for each other's mutexes: the last one that starts to
 * wait must find the circle and panic. No self-test of the list, since it does
 * not come back; sys.test.crash("deadlock") calls it.
 */
#include <rayos/sync.h>

#include "selftest.h"

#define CORNERS 3

static struct mutex corners[CORNERS];
static _Atomic unsigned holding;

static void hold_and_want(void *arg)
{
    unsigned mine = (unsigned)(uintptr_t)arg;

    mutex_lock(&corners[mine]);
    holding++;
    /* Each has one before any wants another's. */
    while (holding < CORNERS)
        thread_sleep(NS_PER_MS);
    mutex_lock(&corners[(mine + 1) % CORNERS]);
}

void selftest_deadlock(void)
{
    static const char *const names[CORNERS] = {"one", "two", "three"};

    holding = 0;
    for (unsigned i = 0; i < CORNERS; i++)
        mutex_init(&corners[i]);
    for (unsigned i = 0; i < CORNERS; i++) {
        const struct thread_attr attr = {
            .name = names[i],
            .entry = hold_and_want,
            .arg = (void *)(uintptr_t)i,
            .priority = SELFTEST_PRIORITY,
            .affinity = CPU_ANY,
        };

        if (thread_spawn(&attr))
            return;
    }
    thread_sleep(2 * NS_PER_SEC);
}
