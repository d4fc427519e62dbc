/* Self-tests: semaphores, condition variables, time-outs and cancellation. */
#include <errno.h>

#include <rayos/sync.h>

#include "selftest.h"

#define SHORT (20 * NS_PER_MS)

/* --- semaphores --- */

struct counted {
    struct semaphore s;
    _Atomic uint32_t through;
};

static void counted_wait(void *arg)
{
    struct counted *c = arg;

    if (sem_wait(&c->s, selftest_deadline()) == 0)
        c->through++;
}

SELFTEST(sem_counts, "a semaphore lets through as many as were posted")
{
    struct thread *t[6];
    struct counted c = {.through = 0};

    sem_init(&c.s, 2);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        t[i] = selftest_thread(8, CPU_ANY, counted_wait, &c);
    EXPECT_SOON(c.through == 2);
    thread_sleep(SHORT);
    EXPECT_EQ(c.through, 2);
    sem_post(&c.s);
    EXPECT_SOON(c.through == 3);
    for (int i = 0; i < 3; i++)
        sem_post(&c.s);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        selftest_join(t[i]);
    EXPECT_EQ(c.through, 6);
    EXPECT_EQ(c.s.count, 0);
}

struct queue_order {
    struct semaphore s;
    _Atomic uint32_t count;
    uint8_t first[4];
};

static void queue_member(void *arg)
{
    struct queue_order *q = arg;

    if (sem_wait(&q->s, selftest_deadline()) == 0)
        q->first[q->count++] = thread_current()->base_priority;
}

static void queue_poster(void *arg)
{
    struct queue_order *q = arg;

    for (size_t i = 0; i < ARRAY_SIZE(q->first); i++)
        sem_post(&q->s);
}

SELFTEST(wait_wakes_best_first, "who waits is woken in order of priority")
{
    static const uint8_t priorities[] = {6, 9, 4, 11};
    static const uint8_t expected[] = {11, 9, 6, 4};
    struct thread *t[ARRAY_SIZE(priorities)];
    struct queue_order q = {.count = 0};

    sem_init(&q.s, 0);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++) {
        t[i] = selftest_thread(priorities[i], 0, queue_member, &q);
        EXPECT_SOON(t[i] && t[i]->state == THREAD_BLOCKED);
    }
    selftest_join(selftest_thread(13, 0, queue_poster, &q));
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        selftest_join(t[i]);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
        EXPECT_EQ(q.first[i], expected[i]);
}

/* --- condition variables: a bounded buffer --- */

#define BUFFER_SIZE  4
#define BUFFER_ITEMS 600

struct buffer {
    struct mutex m;
    struct cond not_empty, not_full;
    uint32_t used, produced, consumed;
    uint64_t sum;
};

static void producer(void *arg)
{
    struct buffer *b = arg;
    int err = 0;

    mutex_lock(&b->m);
    while (b->produced < BUFFER_ITEMS && !err) {
        while (b->used == BUFFER_SIZE && !err)
            err = cond_wait(&b->not_full, &b->m, selftest_deadline());
        if (!err && b->produced < BUFFER_ITEMS) {
            b->produced++;
            b->used++;
            cond_signal(&b->not_empty);
        }
    }
    EXPECT_EQ(err, 0);
    cond_broadcast(&b->not_full);
    mutex_unlock(&b->m);
}

static void consumer(void *arg)
{
    struct buffer *b = arg;
    int err = 0;

    mutex_lock(&b->m);
    while (b->consumed < BUFFER_ITEMS && !err) {
        while (!b->used && b->consumed < BUFFER_ITEMS && !err)
            err = cond_wait(&b->not_empty, &b->m, selftest_deadline());
        if (!err && b->used) {
            EXPECT(b->used <= BUFFER_SIZE);
            b->used--;
            b->sum += ++b->consumed;
            cond_signal(&b->not_full);
        }
    }
    EXPECT_EQ(err, 0);
    cond_broadcast(&b->not_empty);
    mutex_unlock(&b->m);
}

SELFTEST(cond_bounded_buffer, "producers and consumers meet in a bounded "
                              "buffer without losing a signal")
{
    struct thread *t[5];
    struct buffer b = {.used = 0};

    mutex_init(&b.m);
    cond_init(&b.not_empty);
    cond_init(&b.not_full);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        t[i] = selftest_thread((uint8_t)(5 + i), CPU_ANY,
                               i % 2 ? producer : consumer, &b);
    for (size_t i = 0; i < ARRAY_SIZE(t); i++)
        selftest_join(t[i]);
    EXPECT_EQ(b.consumed, BUFFER_ITEMS);
    EXPECT_EQ(b.used, 0);
    EXPECT_EQ(b.sum, (uint64_t)BUFFER_ITEMS * (BUFFER_ITEMS + 1) / 2);
}

SELFTEST(cond_timeout_holds_mutex, "after a time-out of cond_wait the mutex is "
                                   "held again")
{
    nstime_t end = clock_now() + SHORT;
    struct mutex m;
    struct cond c;

    mutex_init(&m);
    cond_init(&c);
    mutex_lock(&m);
    EXPECT_EQ(cond_wait(&c, &m, end), -ETIMEDOUT);
    EXPECT(clock_now() >= end);
    EXPECT(!mutex_trylock(&m));
    mutex_unlock(&m);
}

/* --- time-outs --- */

static void wait_for_stop(void *arg)
{
    EXPECT_EQ(sem_wait(arg, selftest_deadline()), 0);
}

SELFTEST(wait_times_out, "every wait ends at its deadline and not before")
{
    struct semaphore s;
    struct thread *t;
    nstime_t end;

    sem_init(&s, 0);
    end = clock_now() + SHORT;
    EXPECT_EQ(sem_wait(&s, end), -ETIMEDOUT);
    EXPECT(clock_now() >= end);
    EXPECT_EQ(sem_wait(&s, 0), -ETIMEDOUT);
    end = clock_now() + SHORT;
    EXPECT_EQ(thread_sleep_until(end), 0);
    EXPECT(clock_now() >= end);
    t = selftest_thread(8, CPU_ANY, wait_for_stop, &s);
    if (!t)
        return;
    end = clock_now() + SHORT;
    EXPECT_EQ(thread_join(t, end), -ETIMEDOUT);
    EXPECT(clock_now() >= end);
    sem_post(&s);
    selftest_join(t);
}

SELFTEST(thread_join_itself, "a thread that joins itself is told so")
{
    EXPECT_EQ(thread_join(thread_current(), TIME_NEVER), -EDEADLK);
}

/* --- cancellation --- */

struct victim {
    int (*wait)(struct victim *v);
    struct semaphore s;
    struct mutex m;
    struct cond c;
    struct thread *joined;
    _Atomic bool starts, ends;
    int result;
};

static int victim_sem(struct victim *v)
{
    return sem_wait(&v->s, TIME_NEVER);
}

static int victim_sem_limited(struct victim *v)
{
    return sem_wait(&v->s, selftest_deadline());
}

static int victim_sleep(struct victim *v)
{
    (void)v;
    return thread_sleep(SELFTEST_PATIENCE);
}

static int victim_join(struct victim *v)
{
    return thread_join(v->joined, TIME_NEVER);
}

static int victim_mutex(struct victim *v)
{
    return mutex_lock_until(&v->m, TIME_NEVER);
}

static int victim_cond(struct victim *v)
{
    struct mutex mine;
    int result;

    mutex_init(&mine);
    mutex_lock(&mine);
    result = cond_wait(&v->c, &mine, TIME_NEVER);
    mutex_unlock(&mine);
    return result;
}

static void victim_main(void *arg)
{
    struct victim *v = arg;

    v->starts = true;
    v->result = v->wait(v);
    /* The mark stays: the next wait ends at once. */
    EXPECT_EQ(thread_sleep(SELFTEST_PATIENCE), -ECANCELED);
    EXPECT(thread_test_and_clear_cancel());
    EXPECT(!thread_test_and_clear_cancel());
    EXPECT_EQ(thread_sleep(NS_PER_MS), 0);
    v->ends = true;
}

static void cancel_one(struct victim *v, int (*wait)(struct victim *v),
                       bool asleep)
{
    struct thread *t;

    v->wait = wait;
    v->starts = v->ends = false;
    v->result = 1;
    t = selftest_thread(8, CPU_ANY, victim_main, v);
    if (!t)
        return;
    EXPECT_SOON(v->starts);
    if (asleep)
        EXPECT_SOON(t->state == THREAD_BLOCKED);
    thread_cancel(t);
    selftest_join(t);
    EXPECT_EQ(v->result, -ECANCELED);
    EXPECT(v->ends);
}

SELFTEST(wait_cancels, "thread_cancel ends every cancellable wait, before and "
                       "after it has begun")
{
    static int (*const waits[])(struct victim *) = {
        victim_sem,  victim_sem_limited, victim_sleep,
        victim_join, victim_mutex,       victim_cond,
    };
    struct victim v = {.result = 0};
    struct semaphore stop;

    sem_init(&stop, 0);
    sem_init(&v.s, 0);
    mutex_init(&v.m);
    cond_init(&v.c);
    mutex_lock(&v.m);
    v.joined = selftest_thread(8, CPU_ANY, wait_for_stop, &stop);
    for (size_t i = 0; v.joined && i < ARRAY_SIZE(waits); i++) {
        cancel_one(&v, waits[i], true);
        cancel_one(&v, waits[i], false);
    }
    mutex_unlock(&v.m);
    sem_post(&stop);
    selftest_join(v.joined);
}

static void stubborn(void *arg)
{
    struct victim *v = arg;

    v->starts = true;
    mutex_lock(&v->m);
    v->ends = true;
    mutex_unlock(&v->m);
}

SELFTEST(mutex_lock_not_cancelled, "mutex_lock is not ended by thread_cancel")
{
    struct victim v = {.result = 0};
    struct thread *t;

    mutex_init(&v.m);
    mutex_lock(&v.m);
    t = selftest_thread(8, CPU_ANY, stubborn, &v);
    if (t) {
        EXPECT_SOON(v.starts && t->state == THREAD_BLOCKED);
        thread_cancel(t);
        thread_sleep(SHORT);
        EXPECT_EQ(t->state, THREAD_BLOCKED);
        EXPECT(!v.ends);
    }
    mutex_unlock(&v.m);
    selftest_join(t);
}
