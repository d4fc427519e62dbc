/*
 * Every driver that has a device loses it and gets it again a hundred times:
 * that must neither fail nor take memory. Whatever drivers there are join by
 * themselves.
 */
#include <string.h>

#include <rayos/clock.h>
#include <rayos/device.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "selftest.h"

#define DEVICES_MAX 64
#define WARM_UP     3 /* caches fill: stacks, spare segments */
#define ROUNDS      100
/* One block, or one frame, lost in every round is at least so much. What
 * others take meanwhile is less, or it is not taken every time. */
#define HEAP_LEAK  (ROUNDS * 16)
#define FRAME_LEAK (ROUNDS * PAGE_SIZE)
#define TIMES      4
/* Reapers and tables' readers finish a little later. */
#define LOOKS 20
#define PAUSE (50 * NS_PER_MS)

struct names {
    size_t count;
    char name[DEVICES_MAX][DEVICE_NAME_MAX];
};

static struct names bound; /* selftests run one at a time */

/* All but the line that carries the test's own result. */
static int collect(struct device *d, void *arg)
{
    struct names *n = arg;

    if (d->state != DEVICE_BOUND || n->count == DEVICES_MAX ||
        strcmp(d->driver->name, "uart16550") == 0)
        return 0;
    memcpy(n->name[n->count++], d->name, DEVICE_NAME_MAX);
    return 0;
}

static bool rebind(const char *name)
{
    int unbound = device_unbind(name);
    int err = unbound ? unbound : device_bind(name, NULL);

    if (err)
        log_error("selftest", "%s: %s failed: error %d", name,
                  unbound ? "unbind" : "bind", err);
    return EXPECT_EQ(err, 0);
}

static bool rebind_many(const char *name, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        if (!rebind(name))
            return false;
    return true;
}

static size_t memory_used(void)
{
    struct frame_stats st;

    frame_get_stats(&st);
    return (st.total - st.free) * PAGE_SIZE;
}

static bool memory_is_back(const char *name, size_t heap, size_t frames)
{
    for (unsigned i = 0; i < LOOKS; i++) {
        if (kheap_used() < heap + HEAP_LEAK &&
            memory_used() < frames + FRAME_LEAK)
            return true;
        thread_sleep(PAUSE);
    }
    log_error("selftest", "%s: heap %zu, was %zu; frames %zu, were %zu", name,
              kheap_used(), heap, memory_used(), frames);
    return false;
}

static void expect_no_leak(const char *name)
{
    for (unsigned i = 0; i < TIMES; i++) {
        size_t heap = kheap_used(), frames = memory_used();

        if (!rebind_many(name, ROUNDS) || memory_is_back(name, heap, frames))
            return;
    }
    EXPECT(!"memory is gone after a hundred rounds, every time");
}

SELFTEST(device_rebind, "every driver can be unbound and bound a hundred times "
                        "and keeps no memory")
{
    bound.count = 0;
    device_for_each(collect, &bound);
    EXPECT(bound.count > 0);
    for (size_t i = 0; i < bound.count; i++) {
        const char *name = bound.name[i];

        if (!rebind_many(name, WARM_UP))
            continue;
        thread_sleep(PAUSE);
        expect_no_leak(name);
    }
}
