/* sources: kernel/sched/timer_heap.c */
/*
 * Timers leave the heap in order of deadline, then of arming, whatever was
 * taken out in between.
 */
#include "check.h"

#include "../../kernel/sched/timer_heap.h"

#define MANY 2000

static struct timer timers[MANY];

static uint32_t rnd(void)
{
    static uint32_t x = 88172645u;

    x ^= x << 13;
    x ^= x >> 17;
    return x ^= x << 5;
}

static void arm(struct timer_heap *h, struct timer *t, nstime_t deadline)
{
    t->deadline = deadline;
    timer_heap_insert(h, t);
}

static struct timer *take(struct timer_heap *h)
{
    struct timer *t = h->root;

    if (t)
        timer_heap_remove(h, t);
    return t;
}

/* Every slot points at its timer, no child is before its parent. */
static int well_formed(const struct timer *t, struct timer *const *slot)
{
    int n = 0;

    for (; t; slot = &t->next, t = t->next) {
        if (t->slot != slot)
            return -1000000;
        for (const struct timer *c = t->child; c; c = c->next)
            if (c->deadline < t->deadline)
                return -1000000;
        n += 1 + well_formed(t->child, &t->child);
    }
    return n;
}

TEST(an_empty_heap_has_no_root)
{
    struct timer_heap h = {0};

    CHECK(take(&h) == NULL);
}

TEST(a_timer_knows_whether_it_is_armed)
{
    struct timer_heap h = {0};
    struct timer t = {0};

    CHECK(!timer_heap_has(&t));
    arm(&h, &t, 5);
    CHECK(timer_heap_has(&t));
    CHECK(take(&h) == &t);
    CHECK(!timer_heap_has(&t));
}

TEST(timers_come_out_by_deadline)
{
    struct timer_heap h = {0};
    nstime_t last = 0;

    memset(timers, 0, sizeof(timers));
    for (int i = 0; i < MANY; i++)
        arm(&h, &timers[i], rnd() % 10000);
    CHECK_EQ(well_formed(h.root, &h.root), MANY);
    for (int i = 0; i < MANY; i++) {
        struct timer *t = take(&h);

        CHECK(t && t->deadline >= last);
        last = t->deadline;
    }
    CHECK(h.root == NULL);
}

TEST(the_same_deadline_means_order_of_arming)
{
    struct timer_heap h = {0};

    memset(timers, 0, sizeof(timers));
    for (int i = 0; i < 100; i++)
        arm(&h, &timers[i], 7);
    for (int i = 0; i < 100; i++)
        CHECK(take(&h) == &timers[i]);
}

TEST(an_armed_timer_can_be_taken_from_any_place)
{
    struct timer_heap h = {0};
    int armed = 0;

    memset(timers, 0, sizeof(timers));
    for (int step = 0; step < 20000; step++) {
        struct timer *t = &timers[rnd() % 200];

        if (timer_heap_has(t)) {
            timer_heap_remove(&h, t);
            armed--;
        } else {
            arm(&h, t, rnd() % 500);
            armed++;
        }
        if (step % 16 == 0 && rnd() % 2 && h.root) {
            struct timer *first = take(&h);

            armed--;
            for (int i = 0; i < 200; i++)
                CHECK(!timer_heap_has(&timers[i]) ||
                      timers[i].deadline >= first->deadline);
        }
        if (step % 64 == 0)
            CHECK_EQ(well_formed(h.root, &h.root), armed);
    }
}

TEST(the_last_deadline_of_all_is_never)
{
    struct timer_heap h = {0};

    memset(timers, 0, sizeof(timers));
    arm(&h, &timers[0], TIME_NEVER);
    arm(&h, &timers[1], TIME_NEVER - 1);
    CHECK(take(&h) == &timers[1]);
    CHECK(take(&h) == &timers[0]);
}

CHECK_MAIN
