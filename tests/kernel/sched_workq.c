/* Self-tests: work queues. */
#include <rayos/sync.h>
#include <rayos/workq.h>

#include "selftest.h"

#define WORKS 40

struct test_work {
    struct work work;
    uint32_t place;
    uint32_t runs;
};

static uint32_t done; /* the queue's thread; read after a flush */

static void note(struct work *w)
{
    struct test_work *t = container_of(w, struct test_work, work);

    t->place = done++;
    t->runs++;
    if (done % 8 == 0)
        thread_sleep(NS_PER_MS);
}

static struct test_work works[WORKS];

static struct workq *queue_make(void)
{
    struct workq *q = NULL;

    EXPECT_EQ(workq_create("selftest", 8, &q), 0);
    done = 0;
    for (int i = 0; i < WORKS; i++) {
        works[i] = (struct test_work){.place = 0};
        work_init(&works[i].work, note);
    }
    return q;
}

SELFTEST(workq_order, "works run once each, in the order of submission, and a "
                      "flush waits for them")
{
    struct workq *q = queue_make();

    if (!q)
        return;
    for (int i = 0; i < WORKS; i++)
        EXPECT(work_submit(q, &works[i].work));
    workq_flush(q);
    EXPECT_EQ(done, WORKS);
    for (uint32_t i = 0; i < WORKS; i++) {
        EXPECT_EQ(works[i].place, i);
        EXPECT_EQ(works[i].runs, 1);
    }
    workq_flush(q);
    workq_destroy(q);
}

SELFTEST(workq_destroy_finishes, "workq_destroy returns when all that was "
                                 "submitted is done")
{
    struct workq *q = queue_make();

    if (!q)
        return;
    for (int i = 0; i < WORKS; i++)
        work_submit(q, &works[i].work);
    workq_destroy(q);
    EXPECT_EQ(done, WORKS);
}

/* --- a work that submits itself --- */

struct repeated {
    struct work work;
    struct workq *q;
    uint32_t left;
};

static void repeat(struct work *w)
{
    struct repeated *r = container_of(w, struct repeated, work);

    if (--r->left)
        EXPECT(work_submit(r->q, w));
}

SELFTEST(workq_resubmits, "a work may submit itself again while it runs")
{
    struct repeated r = {.q = queue_make(), .left = 100};

    if (!r.q)
        return;
    work_init(&r.work, repeat);
    EXPECT(work_submit(r.q, &r.work));
    workq_destroy(r.q);
    EXPECT_EQ(r.left, 0);
}

/* --- submitted twice --- */

struct gate {
    struct work work;
    struct semaphore open;
};

static void gate_wait(struct work *w)
{
    struct gate *g = container_of(w, struct gate, work);

    EXPECT_EQ(sem_wait(&g->open, selftest_deadline()), 0);
}

SELFTEST(workq_queues_once, "a work that waits in the queue already is not "
                            "queued again")
{
    struct workq *q = queue_make();
    struct gate gate;

    if (!q)
        return;
    sem_init(&gate.open, 0);
    work_init(&gate.work, gate_wait);
    EXPECT(work_submit(q, &gate.work));
    EXPECT(work_submit(q, &works[0].work));
    EXPECT(!work_submit(q, &works[0].work));
    sem_post(&gate.open);
    workq_destroy(q);
    EXPECT_EQ(works[0].runs, 1);
}

/* --- submitted by an interrupt --- */

struct late {
    struct timer timer;
    struct work work;
    _Atomic uint32_t runs;
};

static void late_run(struct work *w)
{
    EXPECT(!in_interrupt() && arch_irq_enabled());
    container_of(w, struct late, work)->runs++;
}

static void late_submit(struct timer *t)
{
    EXPECT(work_submit(workq_system(),
                       &container_of(t, struct late, timer)->work));
}

SELFTEST(workq_from_interrupt, "what an interrupt submits runs in a thread")
{
    struct late l = {.runs = 0};

    timer_init(&l.timer, late_submit);
    work_init(&l.work, late_run);
    timer_start(&l.timer, clock_now() + NS_PER_MS);
    EXPECT_SOON(l.runs);
    timer_cancel_sync(&l.timer);
    workq_flush(workq_system());
    EXPECT_EQ(l.runs, 1);
}
