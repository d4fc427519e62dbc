/* Self-tests: mutexes and the priorities that their holders inherit. */
#include <errno.h>

#include <rayos/sync.h>

#include "selftest.h"

/* --- a chain of three: high waits for middle, middle waits for low --- */

enum { LOW = 3, MIDDLE = 6, HOG = 9, HIGH = 12 };

struct chain {
    struct mutex first, second; /* held by low; held by middle */
    struct semaphore release;   /* low lets go of `first` */
    _Atomic bool low_has, middle_has, high_waits;
    nstime_t high_deadline;
    int high_result;
};

static void chain_init(struct chain *c)
{
    *c = (struct chain){.high_deadline = TIME_NEVER};
    mutex_init(&c->first);
    mutex_init(&c->second);
    sem_init(&c->release, 0);
}

static void chain_low(void *arg)
{
    struct chain *c = arg;

    mutex_lock(&c->first);
    c->low_has = true;
    EXPECT_EQ(sem_wait(&c->release, selftest_deadline()), 0);
    mutex_unlock(&c->first);
    EXPECT_EQ(thread_current()->priority, LOW);
}

static void chain_middle(void *arg)
{
    struct chain *c = arg;

    mutex_lock(&c->second);
    c->middle_has = true;
    mutex_lock(&c->first);
    mutex_unlock(&c->first);
    mutex_unlock(&c->second);
    EXPECT_EQ(thread_current()->priority, MIDDLE);
}

static void chain_high(void *arg)
{
    struct chain *c = arg;

    c->high_waits = true;
    c->high_result = mutex_lock_until(&c->second, c->high_deadline);
    if (!c->high_result)
        mutex_unlock(&c->second);
}

struct chain_threads {
    struct thread *low, *middle, *high;
};

/* Comes back when all three are where the test wants them. */
static bool chain_build(struct chain *c, struct chain_threads *t)
{
    t->low = selftest_thread(LOW, CPU_ANY, chain_low, c);
    EXPECT_SOON(c->low_has);
    t->middle = selftest_thread(MIDDLE, CPU_ANY, chain_middle, c);
    EXPECT_SOON(c->middle_has);
    if (!t->low || !t->middle)
        return false;
    EXPECT_SOON(t->low->priority == MIDDLE);
    t->high = selftest_thread(HIGH, CPU_ANY, chain_high, c);
    EXPECT_SOON(c->high_waits);
    return t->high;
}

static void chain_end(struct chain *c, struct chain_threads *t)
{
    sem_post(&c->release);
    selftest_join(t->low);
    selftest_join(t->middle);
    selftest_join(t->high);
}

SELFTEST(mutex_inheritance_chain, "priority is inherited through a chain of "
                                  "mutexes and given back on unlock")
{
    struct chain_threads t = {.low = NULL};
    struct chain c;

    chain_init(&c);
    if (chain_build(&c, &t)) {
        EXPECT_SOON(t.middle->priority == HIGH);
        EXPECT_SOON(t.low->priority == HIGH);
    }
    chain_end(&c, &t);
    EXPECT_EQ(c.high_result, 0);
}

SELFTEST(mutex_timeout_ends_boost, "a waiter whose time runs out takes its "
                                   "priority back from the whole chain")
{
    struct chain_threads t = {.low = NULL};
    struct chain c;

    chain_init(&c);
    c.high_deadline = clock_now() + 300 * NS_PER_MS;
    if (chain_build(&c, &t)) {
        EXPECT_EQ(thread_join(t.high, selftest_deadline()), 0);
        EXPECT(clock_now() >= c.high_deadline);
        EXPECT_EQ(c.high_result, -ETIMEDOUT);
        EXPECT_EQ(t.middle->priority, MIDDLE);
        EXPECT_EQ(t.low->priority, MIDDLE);
    }
    chain_end(&c, &t);
}

SELFTEST(mutex_cancel_ends_boost, "a cancelled waiter takes its priority back "
                                  "from the whole chain")
{
    struct chain_threads t = {.low = NULL};
    struct chain c;

    chain_init(&c);
    if (chain_build(&c, &t)) {
        EXPECT_SOON(t.low->priority == HIGH);
        thread_cancel(t.high);
        EXPECT_EQ(thread_join(t.high, selftest_deadline()), 0);
        EXPECT_EQ(c.high_result, -ECANCELED);
        EXPECT_EQ(t.middle->priority, MIDDLE);
        EXPECT_EQ(t.low->priority, MIDDLE);
    }
    chain_end(&c, &t);
}

SELFTEST(mutex_follows_priority, "a waiter's new priority reaches the holder "
                                 "at the end of the chain")
{
    struct chain_threads t = {.low = NULL};
    struct chain c;

    chain_init(&c);
    if (chain_build(&c, &t)) {
        EXPECT_SOON(t.low->priority == HIGH);
        thread_set_priority(t.high, HIGH + 1);
        EXPECT_EQ(t.low->priority, HIGH + 1);
        thread_set_priority(t.high, HOG);
        EXPECT_EQ(t.low->priority, HOG);
        thread_set_priority(t.low, HIGH);
        EXPECT_EQ(t.low->priority, HIGH);
        thread_set_priority(t.low, LOW);
        EXPECT_EQ(t.low->priority, HOG);
    }
    chain_end(&c, &t);
}

/* --- the inversion itself --- */

static void hog_until_low_is_through(void *arg)
{
    struct chain *c = arg;
    nstime_t end = selftest_deadline();

    while (mutex_trylock(&c->first) ? (mutex_unlock(&c->first), false) : true)
        if (!EXPECT(clock_now() < end))
            return;
}

static void high_takes_first(void *arg)
{
    struct chain *c = arg;

    c->high_waits = true;
    mutex_lock(&c->first);
    mutex_unlock(&c->first);
}

SELFTEST(mutex_no_inversion, "a hog of middle priority cannot keep a high "
                             "thread from a mutex that a low one holds")
{
    struct thread *low, *hog, *high;
    struct chain c;

    chain_init(&c);
    low = selftest_thread(LOW, 0, chain_low, &c);
    EXPECT_SOON(c.low_has);
    hog = selftest_thread(HOG, 0, hog_until_low_is_through, &c);
    sem_post(&c.release);
    thread_sleep(20 * NS_PER_MS);
    /* Only because it inherits can low go on, below the hog as it is. */
    high = selftest_thread(HIGH, 0, high_takes_first, &c);
    selftest_join(high);
    selftest_join(hog);
    selftest_join(low);
}

/* --- exclusion --- */

#define CONTENDERS 6
#define ROUNDS     400

static struct mutex shared;
static uint32_t inside;
static uint64_t passes;
static _Atomic uint32_t timeouts;

static void contender(void *arg)
{
    uint32_t id = (uint32_t)(uintptr_t)arg;

    for (uint32_t i = 0; i < ROUNDS;) {
        if (id % 3 == 2) {
            if (mutex_lock_until(&shared, clock_now() + 100 * NS_PER_US)) {
                timeouts++;
                thread_sleep(50 * NS_PER_US);
                continue;
            }
        } else {
            mutex_lock(&shared);
        }
        EXPECT_EQ(++inside, 1);
        if (i % 16 == id)
            thread_sleep(10 * NS_PER_US);
        else if (i % 4 == 0)
            thread_yield();
        passes++;
        inside--;
        mutex_unlock(&shared);
        i++;
    }
}

SELFTEST(mutex_excludes, "a mutex lets in one thread at a time, with waiters "
                         "of all priorities, some of whom give up")
{
    struct thread *t[CONTENDERS];

    mutex_init(&shared);
    inside = 0;
    passes = 0;
    timeouts = 0;
    for (uint32_t i = 0; i < CONTENDERS; i++)
        t[i] = selftest_thread((uint8_t)(4 + i % 4), CPU_ANY, contender,
                               (void *)(uintptr_t)i);
    for (uint32_t i = 0; i < CONTENDERS; i++)
        selftest_join(t[i]);
    EXPECT_EQ(passes, CONTENDERS * ROUNDS);
    EXPECT_EQ(shared.owner, 0);
}

SELFTEST(mutex_trylock, "mutex_trylock takes a free mutex and no other")
{
    struct chain c;
    struct thread *low;

    chain_init(&c);
    EXPECT(mutex_trylock(&c.second));
    mutex_unlock(&c.second);
    low = selftest_thread(LOW, CPU_ANY, chain_low, &c);
    EXPECT_SOON(c.low_has);
    EXPECT(!mutex_trylock(&c.first));
    EXPECT_EQ(mutex_lock_until(&c.first, clock_now()), -ETIMEDOUT);
    sem_post(&c.release);
    selftest_join(low);
}
