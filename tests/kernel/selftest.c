/*
 * Runs self-tests, one at a time, each on a thread of its own. Thread context;
 * the expectations may fail in any context but NMI.
 */
#include <errno.h>
#include <string.h>

#include <rayos/cmdline.h>
#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/sync.h>

#include "selftest.h"

#define SELFTEST_STACK (64 * 1024)
#define FAILURE_MAX    200

extern const struct selftest __start_rayos_selftests[],
    __stop_rayos_selftests[];

static struct mutex running = MUTEX_INIT(running);
static struct spinlock lock = SPINLOCK_INIT;
static uint32_t failures;               /* lock */
static char first_failure[FAILURE_MAX]; /* lock */

const struct selftest *selftest_at(size_t i)
{
    size_t count = (size_t)(__stop_rayos_selftests - __start_rayos_selftests);

    return i < count ? &__start_rayos_selftests[i] : NULL;
}

static const struct selftest *find(const char *name)
{
    const struct selftest *t;

    for (size_t i = 0; (t = selftest_at(i)); i++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

static void record(const char *file, int line, const char *text)
{
    irqflags_t flags = spin_lock(&lock);

    if (!failures++)
        fmt_snprintf(first_failure, sizeof(first_failure), "%s:%d: %s", file,
                     line, text);
    spin_unlock(&lock, flags);
    log_warn("selftest", "%s:%d: %s", file, line, text);
}

bool selftest_expect(bool so, const char *what, const char *file, int line)
{
    char text[FAILURE_MAX];

    if (!so) {
        fmt_snprintf(text, sizeof(text), "not so: %s", what);
        record(file, line, text);
    }
    return so;
}

bool selftest_expect_eq(int64_t a, int64_t b, const char *what,
                        const char *file, int line)
{
    char text[FAILURE_MAX];

    if (a != b) {
        fmt_snprintf(text, sizeof(text), "not so: %s (%lld and %lld)", what,
                     (long long)a, (long long)b);
        record(file, line, text);
    }
    return a == b;
}

struct thread *selftest_thread(uint8_t priority, uint32_t cpu,
                               void (*entry)(void *arg), void *arg)
{
    const struct thread_attr attr = {
        .name = "selftest helper",
        .entry = entry,
        .arg = arg,
        .priority = priority,
        .affinity = cpu,
    };
    struct thread *t = NULL;

    EXPECT_EQ(thread_create(&attr, &t), 0);
    return t;
}

void selftest_join(struct thread *t)
{
    if (!t)
        return;
    EXPECT_EQ(thread_join(t, selftest_deadline()), 0);
    thread_put(t);
}

static void runner(void *arg)
{
    const struct selftest *test = arg;

    test->run();
}

/* The thread's end is waited for without limit: it works on our memory, and
 * its own waits are limited. */
static int run_on_thread(const struct selftest *test)
{
    const struct thread_attr attr = {
        .name = "selftest",
        .entry = runner,
        .arg = (void *)test,
        .priority = SELFTEST_PRIORITY,
        .affinity = CPU_ANY,
        .stack_size = SELFTEST_STACK,
    };
    struct thread *t;
    int err = thread_create(&attr, &t);

    if (err)
        return err;
    err = thread_join(t, TIME_NEVER);
    if (err)
        thread_cancel(t);
    thread_put(t);
    return err;
}

int selftest_run(const char *name, char *why, size_t size)
{
    const struct selftest *test = find(name);
    int err;

    if (size)
        why[0] = '\0';
    if (!cmdline_has("testhooks"))
        return -EPERM;
    if (!test)
        return -ENOENT;
    err = mutex_lock_until(&running, TIME_NEVER);
    if (err)
        return err;
    failures = 0;
    err = run_on_thread(test);
    if (!err && failures) {
        fmt_snprintf(why, size, "%s (%u in all)", first_failure, failures);
        err = -EIO;
    }
    mutex_unlock(&running);
    return err;
}
