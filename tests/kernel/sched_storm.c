/* Self-tests: many threads that come, go and wake each other. */
#include <errno.h>

#include <rayos/mm.h>
#include <rayos/sync.h>

#include "selftest.h"

/* --- creation and end --- */

static _Atomic uint32_t lived;

static void live(void *arg)
{
    if ((uintptr_t)arg % 3 == 0)
        thread_yield();
    lived++;
}

static void generation(void)
{
    struct thread *t[20];

    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        t[i] = selftest_thread((uint8_t)(4 + i % 14), CPU_ANY, live, (void *)i);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        selftest_join(t[i]);
}

static void count_thread(struct thread *t, void *arg)
{
    (void)t;
    ++*(uint32_t *)arg;
}

static uint32_t threads_now(void)
{
    uint32_t n = 0;

    thread_for_each(count_thread, &n);
    return n;
}

static uint64_t free_frames(void)
{
    struct frame_stats s;

    frame_get_stats(&s);
    return s.free;
}

#define GENERATIONS 20
/* Other threads of the system live on meanwhile; a leak of one stack in each
 * generation is 160 frames. */
#define FRAME_NOISE 64

SELFTEST(thread_storm, "threads that come and go leave no thread and no memory "
                       "behind")
{
    uint32_t threads = threads_now();
    uint64_t before;

    generation(); /* heaps have grown after it */
    before = free_frames();
    lived = 0;
    for (int i = 0; i < GENERATIONS; i++)
        generation();
    EXPECT_EQ(lived, GENERATIONS * 20);
    EXPECT_SOON(threads_now() <= threads);
    EXPECT_SOON(free_frames() + FRAME_NOISE >= before);
}

SELFTEST(thread_spawn_detached,
         "threads that nobody waits for vanish when they "
         "end")
{
    uint32_t threads = threads_now();

    lived = 0;
    for (uintptr_t i = 0; i < 100; i++) {
        const struct thread_attr attr = {
            .name = "selftest spawned",
            .entry = live,
            .arg = (void *)i,
            .priority = 9,
            .affinity = CPU_ANY,
        };

        EXPECT_EQ(thread_spawn(&attr), 0);
    }
    EXPECT_SOON(lived == 100);
    EXPECT_SOON(threads_now() <= threads);
}

SELFTEST(thread_create_checks, "a thread of an impossible priority or CPU is "
                               "refused")
{
    struct thread_attr attr = {.entry = live, .affinity = CPU_ANY};
    struct thread *t;

    EXPECT_EQ(thread_create(&attr, &t), -EINVAL);
    attr.priority = PRIO_COUNT;
    EXPECT_EQ(thread_create(&attr, &t), -EINVAL);
    attr.priority = 8;
    attr.affinity = cpu_count();
    EXPECT_EQ(thread_create(&attr, &t), -EINVAL);
    attr.affinity = CPU_ANY;
    attr.stack_size = SIZE_MAX;
    EXPECT_EQ(thread_create(&attr, &t), -ENOMEM);
}

/* --- ping-pong --- */

#define RALLIES 1000

struct table {
    struct semaphore ping, pong;
    _Atomic uint32_t rallies;
};

static void player_ping(void *arg)
{
    struct table *t = arg;

    for (int i = 0; i < RALLIES; i++) {
        if (!EXPECT_EQ(sem_wait(&t->ping, selftest_deadline()), 0))
            return;
        t->rallies++;
        sem_post(&t->pong);
    }
}

static void player_pong(void *arg)
{
    struct table *t = arg;

    for (int i = 0; i < RALLIES; i++) {
        sem_post(&t->ping);
        if (!EXPECT_EQ(sem_wait(&t->pong, selftest_deadline()), 0))
            return;
    }
}

static void play(uint32_t cpu_a, uint32_t cpu_b, uint8_t a, uint8_t b)
{
    struct table t = {.rallies = 0};
    struct thread *one, *two;

    sem_init(&t.ping, 0);
    sem_init(&t.pong, 0);
    one = selftest_thread(a, cpu_a, player_ping, &t);
    two = selftest_thread(b, cpu_b, player_pong, &t);
    selftest_join(one);
    selftest_join(two);
    EXPECT_EQ(t.rallies, RALLIES);
}

SELFTEST(wake_ping_pong, "two threads wake each other a thousand times, on one "
                         "CPU and across, without losing one")
{
    uint32_t last = cpu_count() - 1;

    play(0, 0, 8, 8);
    play(0, 0, 8, 9);
    play(0, last, 8, 8);
    play(last, 0, 9, 8);
    play(CPU_ANY, CPU_ANY, 8, 8);
}

/* --- all at once: posts, time-outs and cancellations race --- */

#define STORM_THREADS 8
#define STORM_ROUNDS  300

static struct {
    struct semaphore tokens;
    struct thread *threads[STORM_THREADS];
    _Atomic uint32_t got, timed_out, cancelled;
    _Atomic bool all_there, called_off;
} storm;

static void storm_cancel_somebody(uint32_t i)
{
    thread_cancel(storm.threads[i % STORM_THREADS]);
}

static void storm_main(void *arg)
{
    uint32_t id = (uint32_t)(uintptr_t)arg;

    while (!storm.all_there)
        thread_sleep(NS_PER_MS);
    for (uint32_t i = 0; i < STORM_ROUNDS && !storm.called_off; i++) {
        nstime_t patience = (i * 7 + id) % 40 * 10 * NS_PER_US;

        if (i % 2)
            sem_post(&storm.tokens);
        if (i % 10 == id)
            storm_cancel_somebody(i + id);
        switch (sem_wait(&storm.tokens, clock_now() + patience)) {
        case 0:
            storm.got++;
            break;
        case -ETIMEDOUT:
            storm.timed_out++;
            break;
        case -ECANCELED:
            storm.cancelled++;
            EXPECT(thread_test_and_clear_cancel());
            break;
        default:
            EXPECT(false);
        }
    }
}

SELFTEST(wake_storm, "posts, time-outs and cancellations race on all CPUs and "
                     "no token is lost")
{
    uint32_t posted = STORM_THREADS * STORM_ROUNDS / 2;
    bool all = true;

    storm.got = storm.timed_out = storm.cancelled = 0;
    storm.all_there = false;
    sem_init(&storm.tokens, 0);
    for (uint32_t i = 0; i < STORM_THREADS; i++) {
        storm.threads[i] = selftest_thread((uint8_t)(5 + i % 4), CPU_ANY,
                                           storm_main, (void *)(uintptr_t)i);
        all &= storm.threads[i] != NULL;
    }
    storm.called_off = !all;
    storm.all_there = true;
    for (uint32_t i = 0; i < STORM_THREADS; i++)
        if (storm.threads[i])
            EXPECT_EQ(thread_join(storm.threads[i], selftest_deadline()), 0);
    /* Only now, because they cancel each other. */
    for (uint32_t i = 0; i < STORM_THREADS; i++)
        if (storm.threads[i])
            thread_put(storm.threads[i]);
    if (!all)
        return;
    EXPECT_EQ(storm.got + storm.timed_out + storm.cancelled,
              STORM_THREADS * STORM_ROUNDS);
    EXPECT_EQ(storm.got + storm.tokens.count, posted);
}
