/*
 * Runs the kernel's benchmarks, one at a time, each on a thread of its own that
 * little else can disturb. Thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/cmdline.h>
#include <rayos/percpu.h>
#include <rayos/sync.h>

#include "bench.h"

extern const struct bench __start_rayos_benches[], __stop_rayos_benches[];

struct job {
    const struct bench *bench;
    uint32_t rounds;
    struct bench_result result;
    int err;
};

static struct mutex running = MUTEX_INIT(running);

const struct bench *bench_at(size_t i)
{
    size_t count = (size_t)(__stop_rayos_benches - __start_rayos_benches);

    return i < count ? &__start_rayos_benches[i] : NULL;
}

static const struct bench *find(const char *name)
{
    const struct bench *b;

    for (size_t i = 0; (b = bench_at(i)); i++)
        if (strcmp(b->name, name) == 0)
            return b;
    return NULL;
}

static void runner(void *arg)
{
    struct job *job = arg;

    job->err = job->bench->run(job->rounds, &job->result);
}

/* The end is waited for even when the caller is cancelled: the thread works on
 * our memory, and its rounds are limited. */
static int run_on_thread(struct job *job)
{
    const struct thread_attr attr = {
        .name = "bench",
        .entry = runner,
        .arg = job,
        .priority = BENCH_PRIORITY,
        .affinity = 0,
    };
    struct thread *t;
    int err = thread_create(&attr, &t), joined;
    bool cancelled = false;

    if (err)
        return err;
    while ((joined = thread_join(t, TIME_NEVER)) == -ECANCELED) {
        cancelled = true;
        thread_test_and_clear_cancel();
    }
    thread_put(t);
    if (cancelled)
        thread_cancel(thread_current());
    return joined ? joined : job->err;
}

int bench_run(const char *name, uint32_t rounds, struct bench_result *result)
{
    struct job job = {.bench = find(name), .rounds = rounds};
    int err;

    if (!cmdline_has("testhooks"))
        return -EPERM;
    if (!job.bench)
        return -ENOENT;
    if (!rounds || rounds > BENCH_ROUNDS_MAX)
        return -EINVAL;
    err = mutex_lock_until(&running, TIME_NEVER);
    if (err)
        return err;
    err = run_on_thread(&job);
    mutex_unlock(&running);
    *result = job.result;
    return err;
}
