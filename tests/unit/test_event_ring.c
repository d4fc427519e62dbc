/* sources: kernel/core/event_ring.c kernel/core/event_match.c */
/* Events come out of the rings in the order of time, once, whole; filters let
 * through what they name. */
#include "check.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "kernel/core/event_internal.h"
#include "kernel/core/event_ring.h"

static struct event_ring *new_ring(void)
{
    return calloc(1, sizeof(struct event_ring));
}

/* true: there was room. */
static bool put(struct event_ring *r, uint64_t tsc, int64_t value)
{
    struct event *e;

    event_ring_enter(r);
    e = event_ring_reserve(r);
    if (e)
        *e = (struct event){.tsc = tsc, .value = value};
    event_ring_leave(r);
    return e;
}

TEST(a_new_ring_is_empty)
{
    struct event_ring *r = new_ring();
    struct event e;

    CHECK(event_ring_empty(r));
    CHECK(!event_rings_take(&r, 1, UINT64_MAX, &e));
    free(r);
}

TEST(a_full_ring_refuses_and_keeps_what_it_has)
{
    struct event_ring *r = new_ring();
    struct event e;

    for (int i = 0; i < EVENT_RING_LENGTH; i++)
        CHECK(put(r, (uint64_t)i + 1, i));
    CHECK(!put(r, 5000, 1));
    CHECK(event_rings_take(&r, 1, UINT64_MAX, &e));
    CHECK_EQ(e.value, 0);
    CHECK(put(r, 6000, 77));
    for (int i = 1; i < EVENT_RING_LENGTH; i++) {
        CHECK(event_rings_take(&r, 1, UINT64_MAX, &e));
        CHECK_EQ(e.value, i);
    }
    CHECK(event_rings_take(&r, 1, UINT64_MAX, &e));
    CHECK_EQ(e.value, 77);
    CHECK(event_ring_empty(r));
    free(r);
}

TEST(the_counters_may_wrap)
{
    struct event_ring *r = new_ring();
    struct event e;

    r->head = r->tail = r->reserved = UINT32_MAX - 5;
    for (int i = 0; i < 3 * EVENT_RING_LENGTH; i++) {
        CHECK(put(r, (uint64_t)i + 1, i));
        CHECK(event_rings_take(&r, 1, UINT64_MAX, &e));
        CHECK_EQ(e.value, i);
    }
    free(r);
}

TEST(rings_are_merged_by_time)
{
    struct event_ring *rings[4] = {new_ring(), NULL, new_ring(), new_ring()};
    struct event e;

    put(rings[0], 10, 1);
    put(rings[0], 40, 4);
    put(rings[2], 20, 2);
    put(rings[2], 50, 5);
    put(rings[3], 30, 3);
    for (int i = 1; i <= 5; i++) {
        CHECK(event_rings_take(rings, 4, UINT64_MAX, &e));
        CHECK_EQ(e.value, i);
    }
    CHECK(!event_rings_take(rings, 4, UINT64_MAX, &e));
    for (int i = 0; i < 4; i++)
        free(rings[i]);
}

TEST(nothing_younger_than_the_limit_is_taken)
{
    struct event_ring *r = new_ring();
    struct event e;

    put(r, 100, 1);
    CHECK(!event_rings_take(&r, 1, 100, &e));
    CHECK(event_rings_take(&r, 1, 101, &e));
    free(r);
}

TEST(what_is_raised_over_an_event_comes_after_it_and_not_before_it_is_done)
{
    struct event_ring *r = new_ring();
    struct event *outer, e;

    event_ring_enter(r);
    CHECK(r->busy);
    outer = event_ring_reserve(r);
    put(r, 20, 2);
    CHECK(event_ring_empty(r));
    *outer = (struct event){.tsc = 10, .value = 1};
    event_ring_leave(r);
    CHECK(!r->busy);
    CHECK(event_rings_take(&r, 1, UINT64_MAX, &e));
    CHECK_EQ(e.value, 1);
    CHECK(event_rings_take(&r, 1, UINT64_MAX, &e));
    CHECK_EQ(e.value, 2);
    free(r);
}

#define STREAM 100000

static void *produce(void *arg)
{
    for (int64_t i = 0; i < STREAM; i++)
        while (!put(arg, (uint64_t)i + 1, i * 3))
            sched_yield();
    return NULL;
}

TEST(producers_and_the_consumer_need_no_lock)
{
    struct event_ring *rings[2] = {new_ring(), new_ring()};
    int64_t next[2] = {0, 0};
    pthread_t threads[2];
    struct event e;

    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, produce, rings[i]);
    while (next[0] + next[1] < 2 * STREAM) {
        for (int i = 0; i < 2; i++) {
            if (!event_rings_take(&rings[i], 1, UINT64_MAX, &e)) {
                sched_yield();
                continue;
            }
            if (e.value != next[i] * 3 || e.tsc != (uint64_t)next[i] + 1) {
                CHECK_FAIL("event %lld of ring %d is wrong", (long long)next[i],
                           i);
                exit(1);
            }
            next[i]++;
        }
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
        free(rings[i]);
    }
}

/* --- fields and filters --- */

static const struct event_field fields[] = {
    EVENT_FIELD(code, EVENT_U32, ""),
    EVENT_FIELD(value, EVENT_I64, ""),
    EVENT_FIELD(text, EVENT_TEXT, ""),
    {.name = "half", .kind = EVENT_I64, .offset = 32, .size = 2},
    {.name = "word", .kind = EVENT_I64, .offset = 32, .size = 4},
    {.name = "byte", .kind = EVENT_I64, .offset = 32, .size = 1},
    {.name = "plain", .kind = EVENT_U64, .offset = 32, .size = 2},
    {.name = "octet", .kind = EVENT_U64, .offset = 32, .size = 1},
    {0}};
static struct event_type_state state = {.index = 7}, other_state = {.index = 8};
static const struct event_type type = {"t", "", fields, &state};
static const struct event_type other = {"u", "", fields, &other_state};

TEST(fields_have_their_sign_and_size)
{
    struct event e = {.code = UINT32_MAX, .value = INT64_MIN};

    e.data[0] = UINT64_C(0xfffefdfcfbfaf9f8);
    CHECK_EQ(event_field_get(&fields[0], &e), UINT32_MAX);
    CHECK_EQ(event_field_get(&fields[1], &e), INT64_MIN);
    CHECK_EQ(event_field_get(&fields[2], &e), 0);
    CHECK_EQ(event_field_get(&fields[3], &e), (int16_t)0xf9f8);
    CHECK_EQ(event_field_get(&fields[4], &e), (int32_t)0xfbfaf9f8);
    CHECK_EQ(event_field_get(&fields[5], &e), (int8_t)0xf8);
    CHECK_EQ(event_field_get(&fields[6], &e), 0xf9f8);
    CHECK_EQ(event_field_get(&fields[7], &e), 0xf8);
}

TEST(filters_are_alternatives_of_type_and_value)
{
    const struct event_filter filters[] = {
        {.type = &type, .field = 1, .by_field = true, .equals = -3},
        {.type = &other},
    };
    struct event e = {.type = 7, .value = -3};

    CHECK(event_filters_match(filters, 2, &e));
    e.value = 3;
    CHECK(!event_filters_match(filters, 2, &e));
    e.type = 8;
    CHECK(event_filters_match(filters, 2, &e));
    CHECK(!event_filters_match(filters, 1, &e));
    CHECK(!event_filters_match(filters, 0, &e));
}

TEST(a_filter_must_name_a_number_that_is_there)
{
    struct event_filter f = {.type = &type, .by_field = true};

    CHECK(event_filter_valid(&f));
    f.field = 2; /* text */
    CHECK(!event_filter_valid(&f));
    f.field = 8; /* the end */
    CHECK(!event_filter_valid(&f));
    f.field = 200;
    CHECK(!event_filter_valid(&f));
    f.by_field = false;
    CHECK(event_filter_valid(&f));
    f.type = NULL;
    CHECK(!event_filter_valid(&f));
}

CHECK_MAIN
