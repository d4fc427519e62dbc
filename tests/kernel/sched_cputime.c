/* Self-tests: CPU time accounts and limits, asynchronous calls. */
#include <rayos/sync.h>

#include "selftest.h"

/* --- accounts --- */

static _Atomic bool stop;

static void spin(void *arg)
{
    nstime_t end = selftest_deadline();

    (void)arg;
    while (!stop && clock_now() < end)
        arch_pause();
}

static void sleep_to_stop(void *arg)
{
    (void)arg;
    EXPECT_SOON(stop);
}

SELFTEST(cputime_accounts, "CPU time counts for who runs, grows while it runs, "
                           "and never exceeds the clock")
{
    nstime_t start = clock_now(), used, earlier = 0;
    struct thread *busy, *lazy;

    stop = false;
    busy = selftest_thread(8, CPU_ANY, spin, NULL);
    lazy = selftest_thread(8, CPU_ANY, sleep_to_stop, NULL);
    if (busy && lazy) {
        EXPECT_SOON(thread_cpu_time(busy) > 50 * NS_PER_MS);
        for (int i = 0; i < 1000; i++) {
            used = thread_cpu_time(busy);
            EXPECT(used >= earlier);
            EXPECT(used <= clock_now() - start);
            earlier = used;
        }
        EXPECT(thread_cpu_time(lazy) < thread_cpu_time(busy));
    }
    stop = true;
    selftest_join(busy);
    selftest_join(lazy);
}

SELFTEST(cputime_idle, "an idle CPU's time is accounted as idle")
{
    nstime_t before = 0, after = 0, start = clock_now(), wall;

    for (uint32_t i = 0; i < cpu_count(); i++)
        before += sched_idle_time(i);
    thread_sleep(50 * NS_PER_MS);
    for (uint32_t i = 0; i < cpu_count(); i++)
        after += sched_idle_time(i);
    wall = clock_now() - start;
    EXPECT(after > before);
    EXPECT(after - before <= wall * cpu_count());
}

/* --- limits --- */

#define LIMIT (25 * NS_PER_MS)

struct limited {
    struct thread *self;
    _Atomic uint32_t calls;
    _Atomic bool right_place, too_early;
    nstime_t at; /* CPU time at which the first is due */
};

static struct limited limited;

static void limit_reached(struct thread *t)
{
    nstime_t used = thread_cpu_time(t);

    limited.right_place = t == limited.self && t == thread_current() &&
                          in_interrupt() && !arch_irq_enabled();
    /* 10 ms apart, each counted from a moment before this function looks, which
     * a busy host may make a long one: only their sum is certain. */
    if (used < limited.at + limited.calls * 9 * NS_PER_MS)
        limited.too_early = true;
    limited.calls++;
}

static void limited_main(void *arg)
{
    nstime_t end = selftest_deadline();
    uint32_t calls;

    (void)arg;
    limited.self = thread_current();
    limited.at = thread_cpu_time(limited.self) + LIMIT;
    thread_set_cpu_limit(LIMIT, limit_reached);
    thread_sleep(2 * LIMIT); /* does not count */
    EXPECT_EQ(limited.calls, 0);
    while (limited.calls < 3 && clock_now() < end)
        arch_pause();
    EXPECT(limited.calls >= 3);
    thread_set_cpu_limit(TIME_NEVER, NULL);
    calls = limited.calls;
    end = clock_now() + 3 * LIMIT;
    while (clock_now() < end)
        arch_pause();
    EXPECT_EQ(limited.calls, calls);
}

SELFTEST(cputime_limit, "a CPU time limit is announced on the thread itself, "
                        "again and again, and never too early")
{
    struct thread *rival;

    limited = (struct limited){.self = NULL};
    stop = false;
    rival = selftest_thread(7, 0, spin, NULL);
    selftest_join(selftest_thread(7, 0, limited_main, NULL));
    stop = true;
    selftest_join(rival);
    EXPECT(limited.right_place);
    EXPECT(!limited.too_early);
}

/* --- asynchronous calls --- */

struct called {
    _Atomic uint32_t calls;
    _Atomic bool ready, wrong_place;
    struct semaphore s;
};

static struct called called;

static void async_note(struct thread *t)
{
    if (t != thread_current() || !in_interrupt() || arch_irq_enabled())
        called.wrong_place = true;
    called.calls++;
}

static void called_reset(void)
{
    called = (struct called){.calls = 0};
    sem_init(&called.s, 0);
    stop = false;
}

static void async_spin(void *arg)
{
    thread_current()->async_fn = async_note;
    called.ready = true;
    spin(arg);
}

static void async_block(void *arg)
{
    (void)arg;
    thread_current()->async_fn = async_note;
    called.ready = true;
    EXPECT_EQ(sem_wait(&called.s, selftest_deadline()), 0);
    /* Called on the way back, before this line. */
    EXPECT_EQ(called.calls, 1);
}

SELFTEST(async_running, "an asynchronous call interrupts a running thread on "
                        "whatever CPU it is")
{
    for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
        struct thread *t;

        called_reset();
        t = selftest_thread(8, cpu, async_spin, NULL);
        EXPECT_SOON(called.ready);
        for (uint32_t i = 1; t && i <= 20; i++) {
            thread_post_async(t);
            EXPECT_SOON(called.calls == i);
        }
        stop = true;
        selftest_join(t);
        EXPECT(!called.wrong_place);
    }
}

SELFTEST(async_blocked, "an asynchronous call to a blocked thread waits until "
                        "it runs, and calls coalesce")
{
    struct thread *t;

    called_reset();
    t = selftest_thread(8, CPU_ANY, async_block, NULL);
    EXPECT_SOON(called.ready && t->state == THREAD_BLOCKED && !t->on_cpu);
    if (t) {
        thread_post_async(t);
        thread_post_async(t);
        thread_sleep(5 * NS_PER_MS);
        EXPECT_EQ(called.calls, 0);
    }
    sem_post(&called.s);
    selftest_join(t);
    EXPECT_EQ(called.calls, 1);
    EXPECT(!called.wrong_place);
}

SELFTEST(async_ready, "an asynchronous call to a ready thread happens when it "
                      "gets its CPU")
{
    struct thread *t, *hog;

    called_reset();
    t = selftest_thread(6, 0, async_spin, NULL);
    EXPECT_SOON(called.ready);
    hog = selftest_thread(12, 0, spin, NULL);
    EXPECT_SOON(t && t->state == THREAD_READY && !t->on_cpu);
    if (t) {
        thread_post_async(t);
        thread_sleep(5 * NS_PER_MS);
        EXPECT_EQ(called.calls, 0);
    }
    stop = true;
    selftest_join(hog);
    selftest_join(t);
    EXPECT_EQ(called.calls, 1);
    EXPECT(!called.wrong_place);
}

SELFTEST(async_itself, "a thread may post an asynchronous call to itself")
{
    struct thread *me = thread_current();

    called_reset();
    me->async_fn = async_note;
    thread_post_async(me);
    EXPECT_SOON(called.calls == 1);
    EXPECT(!called.wrong_place);
    me->async_fn = NULL;
}
