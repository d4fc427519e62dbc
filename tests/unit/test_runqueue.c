/* sources: kernel/sched/runqueue.c */
/*
 * What the scheduler may rely on: the highest priority first, arrival order
 * inside a priority, exact bookkeeping under any mixture of operations.
 */
#include "check.h"

#include "../../kernel/sched/runqueue.h"

struct item {
    struct list node;
    unsigned priority;
    int id;
};

static struct item *item_of(struct list *n)
{
    return n ? container_of(n, struct item, node) : NULL;
}

static void item_init(struct item *i, int id, unsigned priority)
{
    list_init(&i->node);
    i->priority = priority;
    i->id = id;
}

/* Takes out who runs next; -1 when nobody is there. */
static int take(struct ready_queue *q)
{
    struct item *i = item_of(ready_queue_first(q));

    if (!i)
        return -1;
    ready_queue_remove(q, &i->node, i->priority);
    return i->id;
}

TEST(an_empty_queue_has_nobody)
{
    struct ready_queue q;

    ready_queue_init(&q);
    CHECK_EQ(ready_queue_best(&q), -1);
    CHECK(ready_queue_first(&q) == NULL);
    CHECK_EQ(q.count, 0);
    CHECK_EQ(take(&q), -1);
}

TEST(a_higher_priority_runs_before_a_lower_one)
{
    static const unsigned priorities[] = {4, 31, 0, 8, 30, 1};
    static const int expected[] = {1, 4, 3, 0, 5, 2};
    struct ready_queue q;
    struct item items[ARRAY_SIZE(priorities)];

    ready_queue_init(&q);
    for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
        item_init(&items[i], (int)i, priorities[i]);
        ready_queue_push_back(&q, &items[i].node, priorities[i]);
    }
    CHECK_EQ(ready_queue_best(&q), 31);
    for (size_t i = 0; i < ARRAY_SIZE(items); i++)
        CHECK_EQ(take(&q), expected[i]);
    CHECK_EQ(ready_queue_best(&q), -1);
}

TEST(equals_run_in_order_of_arrival)
{
    struct ready_queue q;
    struct item items[5];

    ready_queue_init(&q);
    for (int i = 0; i < 5; i++) {
        item_init(&items[i], i, 8);
        ready_queue_push_back(&q, &items[i].node, 8);
    }
    for (int i = 0; i < 5; i++)
        CHECK_EQ(take(&q), i);
}

TEST(a_preempted_one_goes_before_its_equals_but_not_before_its_betters)
{
    struct ready_queue q;
    struct item a, b, preempted, better;

    ready_queue_init(&q);
    item_init(&a, 1, 8);
    item_init(&b, 2, 8);
    item_init(&preempted, 3, 8);
    item_init(&better, 4, 9);
    ready_queue_push_back(&q, &a.node, 8);
    ready_queue_push_back(&q, &b.node, 8);
    ready_queue_push_back(&q, &better.node, 9);
    ready_queue_push_front(&q, &preempted.node, 8);
    CHECK_EQ(take(&q), 4);
    CHECK_EQ(take(&q), 3);
    CHECK_EQ(take(&q), 1);
    CHECK_EQ(take(&q), 2);
}

TEST(one_from_the_middle_can_leave)
{
    struct ready_queue q;
    struct item items[3];

    ready_queue_init(&q);
    for (int i = 0; i < 3; i++) {
        item_init(&items[i], i, 5);
        ready_queue_push_back(&q, &items[i].node, 5);
    }
    ready_queue_remove(&q, &items[1].node, 5);
    CHECK(list_empty(&items[1].node));
    CHECK_EQ(q.count, 2);
    CHECK_EQ(ready_queue_best(&q), 5);
    CHECK_EQ(take(&q), 0);
    CHECK_EQ(take(&q), 2);
    CHECK_EQ(q.bitmap, 0);
}

TEST(round_robin_is_a_turn_for_each)
{
    struct ready_queue q;
    struct item items[4];
    int turns[4] = {0};

    ready_queue_init(&q);
    for (int i = 0; i < 4; i++) {
        item_init(&items[i], i, 10);
        ready_queue_push_back(&q, &items[i].node, 10);
    }
    for (int round = 0; round < 40; round++) {
        struct item *i = item_of(ready_queue_first(&q));

        ready_queue_remove(&q, &i->node, 10);
        turns[i->id]++;
        ready_queue_push_back(&q, &i->node, 10);
    }
    for (int i = 0; i < 4; i++)
        CHECK_EQ(turns[i], 10);
}

static bool is_even(struct list *n, void *arg)
{
    (*(int *)arg)++;
    return item_of(n)->id % 2 == 0;
}

static bool nobody(struct list *n, void *arg)
{
    (void)n;
    (*(int *)arg)++;
    return false;
}

TEST(a_search_follows_the_running_order)
{
    struct ready_queue q;
    struct item items[6];
    int looked = 0;

    ready_queue_init(&q);
    for (int i = 0; i < 6; i++) {
        item_init(&items[i], i, i < 3 ? 20 : 2);
        ready_queue_push_back(&q, &items[i].node, items[i].priority);
    }
    ready_queue_remove(&q, &items[0].node, 20);
    CHECK_EQ(item_of(ready_queue_find(&q, is_even, &looked))->id, 2);
    CHECK_EQ(looked, 2);
    looked = 0;
    CHECK(ready_queue_find(&q, nobody, &looked) == NULL);
    CHECK_EQ(looked, 5);
    CHECK_EQ(q.count, 5);
}

/* A slow model beside the real thing: an array in arrival order. */
#define MODEL_MAX 64

struct model {
    struct item *items[MODEL_MAX];
    int count;
};

static void model_insert(struct model *m, int at, struct item *i)
{
    for (int k = m->count++; k > at; k--)
        m->items[k] = m->items[k - 1];
    m->items[at] = i;
}

static void model_remove(struct model *m, struct item *i)
{
    int at = 0;

    while (m->items[at] != i)
        at++;
    for (m->count--; at < m->count; at++)
        m->items[at] = m->items[at + 1];
}

static struct item *model_first(const struct model *m)
{
    struct item *best = NULL;

    for (int k = 0; k < m->count; k++)
        if (!best || m->items[k]->priority > best->priority)
            best = m->items[k];
    return best;
}

static uint32_t rnd(void)
{
    static uint32_t x = 2463534242u;

    x ^= x << 13;
    x ^= x >> 17;
    return x ^= x << 5;
}

TEST(any_mixture_of_operations_agrees_with_a_slow_model)
{
    static struct item items[MODEL_MAX];
    struct model m = {.count = 0};
    struct ready_queue q;

    ready_queue_init(&q);
    for (int i = 0; i < MODEL_MAX; i++)
        item_init(&items[i], i, 0);
    for (int step = 0; step < 200000; step++) {
        struct item *i = &items[rnd() % MODEL_MAX];

        if (!list_empty(&i->node)) {
            ready_queue_remove(&q, &i->node, i->priority);
            model_remove(&m, i);
        } else if (i->priority = rnd() % READY_LEVELS, rnd() % 2) {
            ready_queue_push_back(&q, &i->node, i->priority);
            model_insert(&m, m.count, i);
        } else {
            ready_queue_push_front(&q, &i->node, i->priority);
            model_insert(&m, 0, i);
        }
        if (item_of(ready_queue_first(&q)) != model_first(&m)) {
            CHECK_FAIL("step %d: another is first", step);
            return;
        }
        CHECK_EQ(q.count, m.count);
    }
}

CHECK_MAIN
