/* Self-tests: timers. */
#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/sync.h>

#include "selftest.h"

#define TIMERS 200

struct test_timer {
    struct timer timer;
    _Atomic uint32_t fired;
    nstime_t at;     /* when */
    uint32_t place;  /* as which of all */
    uint32_t cpu;    /* where */
    bool in_context; /* in interrupt context, interrupts off */
};

static _Atomic uint32_t places;

static void fired(struct timer *timer)
{
    struct test_timer *t = container_of(timer, struct test_timer, timer);

    t->at = clock_now();
    t->place = places++;
    t->cpu = cpu_id();
    t->in_context = in_interrupt() && !arch_irq_enabled();
    t->fired++;
}

static uint32_t rnd(void)
{
    static uint32_t x = 2463534242u;

    x ^= x << 13;
    x ^= x >> 17;
    return x ^= x << 5;
}

static struct test_timer *timers_make(void)
{
    struct test_timer *t = kzalloc(TIMERS * sizeof(*t));

    if (!EXPECT(t))
        return NULL;
    places = 0;
    for (int i = 0; i < TIMERS; i++)
        timer_init(&t[i].timer, fired);
    return t;
}

static void start_in_disorder(void *arg)
{
    struct test_timer *t = arg;
    nstime_t now = clock_now();

    for (int i = 0; i < TIMERS; i++)
        timer_start(&t[i].timer, now + rnd() % 64 * NS_PER_MS);
    EXPECT_SOON(places == TIMERS);
}

SELFTEST(timer_order, "timers of a CPU run there once, in order of deadline, "
                      "never early, in interrupt context")
{
    struct test_timer *t = timers_make();

    if (!t)
        return;
    selftest_join(selftest_thread(8, 0, start_in_disorder, t));
    for (int i = 0; i < TIMERS; i++) {
        EXPECT_EQ(t[i].fired, 1);
        EXPECT_EQ(t[i].cpu, 0);
        EXPECT(t[i].in_context);
        EXPECT(t[i].at >= t[i].timer.deadline);
        for (int k = 0; k < i; k++)
            if (t[k].timer.deadline < t[i].timer.deadline &&
                !EXPECT(t[k].place < t[i].place))
                break;
    }
    kfree(t);
}

SELFTEST(timer_cancel,
         "a cancelled timer does not run, a restarted one runs at "
         "its last deadline only")
{
    struct test_timer *t = timers_make();
    nstime_t now = clock_now(), late = now + 40 * NS_PER_MS;

    if (!t)
        return;
    EXPECT(!timer_cancel(&t[0].timer));
    for (int i = 0; i < TIMERS; i++)
        timer_start(&t[i].timer, now + SELFTEST_PATIENCE);
    for (int i = 0; i < TIMERS; i++) {
        if (i % 2)
            EXPECT(timer_cancel(&t[i].timer));
        else
            timer_start(&t[i].timer, late);
    }
    EXPECT_SOON(places == TIMERS / 2);
    thread_sleep(5 * NS_PER_MS);
    for (int i = 0; i < TIMERS; i++) {
        EXPECT_EQ(t[i].fired, i % 2 ? 0 : 1);
        EXPECT(i % 2 || t[i].at >= late);
        timer_cancel_sync(&t[i].timer);
    }
    kfree(t);
}

/* --- a timer that starts itself again --- */

struct ticker {
    struct timer timer;
    _Atomic uint32_t ticks;
};

static void tick(struct timer *timer)
{
    struct ticker *t = container_of(timer, struct ticker, timer);

    t->ticks++;
    timer_start(timer, clock_now() + 100 * NS_PER_US);
}

SELFTEST(timer_restarts_itself, "a handler may start its timer again, and "
                                "timer_cancel_sync ends that for good")
{
    struct ticker t = {.ticks = 0};
    uint32_t last;

    timer_init(&t.timer, tick);
    timer_start(&t.timer, clock_now());
    EXPECT_SOON(t.ticks >= 20);
    timer_cancel_sync(&t.timer);
    last = t.ticks;
    thread_sleep(5 * NS_PER_MS);
    EXPECT_EQ(t.ticks, last);
}

/* --- start and cancel from all CPUs at once --- */

static struct ticker contested;

static void contest(void *arg)
{
    (void)arg;
    for (int i = 0; i < 500; i++) {
        timer_start(&contested.timer, clock_now() + rnd() % 50 * NS_PER_US);
        if (i % 3 == 0)
            timer_cancel(&contested.timer);
        if (i % 7 == 0)
            timer_cancel_sync(&contested.timer);
        if (i % 32 == 0)
            thread_sleep(20 * NS_PER_US);
    }
}

SELFTEST(timer_many_cpus, "one timer may be started and cancelled on all CPUs "
                          "at once")
{
    struct thread *t[MAX_CPUS] = {NULL};
    uint32_t cpus = cpu_count(), last;

    timer_init(&contested.timer, tick);
    contested.ticks = 0;
    for (uint32_t i = 0; i < cpus; i++)
        t[i] = selftest_thread(8, i, contest, NULL);
    for (uint32_t i = 0; i < cpus; i++)
        selftest_join(t[i]);
    timer_start(&contested.timer, clock_now());
    last = contested.ticks;
    EXPECT_SOON(contested.ticks > last);
    timer_cancel_sync(&contested.timer);
    last = contested.ticks;
    thread_sleep(2 * NS_PER_MS);
    EXPECT_EQ(contested.ticks, last);
}

/* --- wake-ups from interrupt context --- */

struct alarm {
    struct timer timer;
    struct semaphore rings;
};

static void ring(struct timer *timer)
{
    sem_post(&container_of(timer, struct alarm, timer)->rings);
}

SELFTEST(timer_wakes_thread, "a timer's handler wakes a thread")
{
    struct alarm a;

    timer_init(&a.timer, ring);
    sem_init(&a.rings, 0);
    for (int i = 0; i < 50; i++) {
        nstime_t due = clock_now() + 200 * NS_PER_US;

        timer_start(&a.timer, due);
        EXPECT_EQ(sem_wait(&a.rings, selftest_deadline()), 0);
        EXPECT(clock_now() >= due);
    }
    timer_cancel_sync(&a.timer);
}

/* As if this CPU's interrupt had been lost just when it was due. */
SELFTEST(timer_lost, "a CPU that goes idle asks again for a lost interrupt")
{
    struct test_timer t = {.fired = 0};
    nstime_t due = clock_now() + NS_PER_MS;
    irqflags_t flags;

    timer_init(&t.timer, fired);
    flags = arch_irq_save();
    timer_start(&t.timer, due);
    clock_event_arm(TIME_NEVER);
    while (clock_now() < due + NS_PER_MS)
        arch_pause();
    thread_sleep_until(clock_now() + 100 * NS_PER_MS);
    arch_irq_restore(flags);
    EXPECT_EQ(t.fired, 1);
    timer_cancel_sync(&t.timer);
}
