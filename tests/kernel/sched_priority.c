/* Self-tests: who runs, where, and for how long. */
#include <rayos/percpu.h>
#include <rayos/sync.h>

#include "selftest.h"

/* Busy, not asleep, until the mark is set. false: out of patience. */
static bool spin_until(const _Atomic bool *mark)
{
    nstime_t end = selftest_deadline();

    while (!*mark && clock_now() < end)
        arch_pause();
    return *mark;
}

/* --- preemption --- */

struct preempt {
    struct semaphore go;
    _Atomic bool high_ran, done;
    bool by_wake, by_timer;
};

static void preempt_high(void *arg)
{
    struct preempt *p = arg;

    EXPECT_EQ(sem_wait(&p->go, selftest_deadline()), 0);
    p->high_ran = true;
    thread_sleep(5 * NS_PER_MS);
    p->done = true;
}

/* Never gives up the CPU, so whatever else happens there is preemption. */
static void preempt_low(void *arg)
{
    struct preempt *p = arg;

    sem_post(&p->go);
    p->by_wake = spin_until(&p->high_ran);
    p->by_timer = spin_until(&p->done);
}

SELFTEST(sched_preempts, "a woken thread of higher priority preempts a lower "
                         "one that does not let go of the CPU")
{
    struct preempt p = {.high_ran = false};
    struct thread *high, *low;

    sem_init(&p.go, 0);
    high = selftest_thread(12, 0, preempt_high, &p);
    low = selftest_thread(6, 0, preempt_low, &p);
    selftest_join(high);
    selftest_join(low);
    EXPECT(p.by_wake);
    EXPECT(p.by_timer);
}

/* --- order --- */

struct order {
    _Atomic uint32_t count;
    uint8_t ran[8];
};

static struct order order;

static void order_note(void *arg)
{
    (void)arg;
    order.ran[order.count++] = thread_current()->base_priority;
}

/* Above all it starts, so nobody runs before all are ready. */
static void order_starter(void *arg)
{
    static const uint8_t priorities[] = {5, 9, 3, 7, 9};
    struct thread *t[ARRAY_SIZE(priorities)];

    (void)arg;
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        t[i] = selftest_thread(priorities[i], 0, order_note, NULL);
    EXPECT_EQ(order.count, 0);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        selftest_join(t[i]);
}

SELFTEST(sched_order, "ready threads of one CPU run in order of priority")
{
    static const uint8_t expected[] = {9, 9, 7, 5, 3};

    order.count = 0;
    selftest_join(selftest_thread(13, 0, order_starter, NULL));
    EXPECT_EQ(order.count, ARRAY_SIZE(expected));
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        EXPECT_EQ(order.ran[i], expected[i]);
}

/* --- round robin --- */

static _Atomic bool stop;

static void spin_to_stop(void *arg)
{
    (void)arg;
    spin_until(&stop);
}

#define ROBINS 3

/* How much each gets is not compared: when the host stops the machine for a
 * while, that counts as the current thread's turn. */
SELFTEST(sched_round_robin, "busy threads of the same priority take turns on "
                            "their CPU")
{
    struct thread *t[ROBINS];

    stop = false;
    for (int i = 0; i < ROBINS; i++)
        t[i] = selftest_thread(6, 0, spin_to_stop, NULL);
    for (int i = 0; i < ROBINS; i++)
        EXPECT_SOON(t[i] && t[i]->switches >= 10 &&
                    thread_cpu_time(t[i]) >= 10 * THREAD_SLICE_NS);
    stop = true;
    for (int i = 0; i < ROBINS; i++)
        selftest_join(t[i]);
}

#define TURNS 200

static uint32_t turns[2];

/* Turns alternate, but for those that a slow machine cuts in two. */
static void yielder(void *arg)
{
    uint32_t *mine = arg, *other = mine == turns ? &turns[1] : turns;

    for (*mine = 1; *mine < TURNS; ++*mine) {
        thread_yield();
        EXPECT(*mine <= *other + TURNS / 10);
    }
}

static void yield_starter(void *arg)
{
    struct thread *t[2];

    (void)arg;
    for (int i = 0; i < 2; i++)
        t[i] = selftest_thread(6, 0, yielder, &turns[i]);
    for (int i = 0; i < 2; i++)
        selftest_join(t[i]);
}

SELFTEST(sched_yield_gives_way, "thread_yield lets an equal run first")
{
    turns[0] = turns[1] = 0;
    selftest_join(selftest_thread(13, 0, yield_starter, NULL));
    EXPECT_EQ(turns[0] + turns[1], 2 * TURNS);
}

/* --- affinity and balance --- */

static void stay_home(void *arg)
{
    uint32_t home = (uint32_t)(uintptr_t)arg;

    for (int i = 0; i < 50; i++) {
        EXPECT_EQ(cpu_id(), home);
        if (i % 3)
            thread_yield();
        else
            thread_sleep(NS_PER_MS / 2);
    }
}

SELFTEST(sched_affinity, "a thread that is bound to a CPU runs on no other")
{
    struct thread *t[MAX_CPUS] = {NULL};
    uint32_t cpus = cpu_count();

    for (uint32_t i = 0; i < cpus; i++)
        t[i] = selftest_thread(8, i, stay_home, (void *)(uintptr_t)i);
    for (uint32_t i = 0; i < cpus; i++)
        selftest_join(t[i]);
}

struct displaced {
    _Atomic uint64_t steps;
    _Atomic bool started, stop, went_on;
};

static void displaced_worker(void *arg)
{
    struct displaced *d = arg;
    nstime_t end = selftest_deadline();

    d->started = true;
    while (!d->stop && clock_now() < end)
        d->steps++;
}

/* Holds CPU 0 until the worker has got on elsewhere. */
static void displaced_hog(void *arg)
{
    struct displaced *d = arg;
    uint64_t goal = d->steps + 100;
    nstime_t end = selftest_deadline();

    while (d->steps < goal && clock_now() < end)
        arch_pause();
    d->went_on = d->steps >= goal;
}

static void displaced_starter(void *arg)
{
    selftest_join(selftest_thread(5, CPU_ANY, displaced_worker, arg));
}

SELFTEST(sched_moves_on, "a thread whose CPU is taken by a better one goes on "
                         "on another CPU")
{
    struct displaced d = {.steps = 0};
    struct thread *starter;

    if (cpu_count() == 1)
        return;
    starter = selftest_thread(4, 0, displaced_starter, &d);
    EXPECT_SOON(d.started);
    selftest_join(selftest_thread(12, 0, displaced_hog, &d));
    EXPECT(d.went_on);
    d.stop = true;
    selftest_join(starter);
}

/* --- stealing --- */

struct hog {
    _Atomic bool runs, stop;
};

static void hog_main(void *arg)
{
    struct hog *h = arg;

    h->runs = true;
    spin_until(&h->stop);
}

struct stolen {
    struct semaphore go;
    _Atomic bool ran;
    uint32_t on;
};

static void stolen_main(void *arg)
{
    struct stolen *s = arg;

    EXPECT_EQ(sem_wait(&s->go, selftest_deadline()), 0);
    s->on = cpu_id();
    s->ran = true;
}

SELFTEST(sched_steals, "a CPU that runs out of work takes a thread that waits "
                       "for another CPU")
{
    struct hog hogs[MAX_CPUS] = {{.stop = false}};
    struct thread *h[MAX_CPUS] = {NULL}, *t;
    uint32_t cpus = cpu_count(), freed;
    struct stolen s = {.ran = false};

    if (cpus == 1)
        return;
    sem_init(&s.go, 0);
    t = selftest_thread(5, CPU_ANY, stolen_main, &s);
    EXPECT_SOON(t && t->state == THREAD_BLOCKED && !t->on_cpu);
    for (uint32_t i = 0; i < cpus; i++) {
        h[i] = selftest_thread(10, i, hog_main, &hogs[i]);
        EXPECT_SOON(hogs[i].runs);
    }
    sem_post(&s.go);
    thread_sleep(20 * NS_PER_MS);
    EXPECT(!s.ran);
    freed = t && t->cpu->id == 0 ? 1 : 0;
    hogs[freed].stop = true;
    EXPECT_SOON(s.ran);
    EXPECT_EQ(s.on, freed);
    for (uint32_t i = 0; i < cpus; i++) {
        hogs[i].stop = true;
        selftest_join(h[i]);
    }
    selftest_join(t);
}

/* --- changes of priority --- */

struct runner {
    _Atomic uint64_t steps;
};

static void runner_main(void *arg)
{
    struct runner *r = arg;
    nstime_t end = selftest_deadline();

    while (!stop && clock_now() < end)
        r->steps++;
}

/* Does `a` stand still while `b` goes on? */
static bool only_second_runs(struct runner *a, struct runner *b)
{
    uint64_t a_before = a->steps, b_before = b->steps;

    EXPECT_SOON(b->steps > b_before + 100);
    return a->steps == a_before;
}

SELFTEST(sched_set_priority, "a new priority takes effect at once, for a "
                             "running thread and for a waiting one")
{
    struct runner a = {.steps = 0}, b = {.steps = 0};
    struct thread *ta, *tb;

    stop = false;
    ta = selftest_thread(6, 0, runner_main, &a);
    tb = selftest_thread(5, 0, runner_main, &b);
    if (ta && tb) {
        EXPECT_SOON(only_second_runs(&b, &a));
        thread_set_priority(tb, 7);
        EXPECT_SOON(only_second_runs(&a, &b));
        thread_set_priority(tb, 4);
        EXPECT_SOON(only_second_runs(&b, &a));
        thread_set_priority(ta, 3);
        EXPECT_SOON(only_second_runs(&a, &b));
    }
    stop = true;
    selftest_join(ta);
    selftest_join(tb);
}

static _Atomic uint32_t arrived;

static void crowd_member(void *arg)
{
    (void)arg;
    arrived++;
    spin_until(&stop);
}

SELFTEST(sched_uses_all_cpus, "as many busy threads as CPUs all get on")
{
    struct thread *t[MAX_CPUS] = {NULL};
    uint32_t cpus = cpu_count();

    stop = false;
    arrived = 0;
    for (uint32_t i = 0; i < cpus; i++)
        t[i] = selftest_thread(7, CPU_ANY, crowd_member, NULL);
    EXPECT_SOON(arrived == cpus);
    for (uint32_t i = 0; i < cpus; i++)
        EXPECT_SOON(t[i] && thread_cpu_time(t[i]) > 30 * NS_PER_MS);
    stop = true;
    for (uint32_t i = 0; i < cpus; i++)
        selftest_join(t[i]);
}
