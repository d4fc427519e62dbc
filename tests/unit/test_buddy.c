/* sources: kernel/mm/buddy.c */
/*
 * What frame.c relies on: nothing is handed out twice, holes never, everything
 * comes together again, and a wrong free changes nothing.
 */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "../../kernel/mm/buddy.h"

#define FRAMES 5000

static struct buddy b;
static uint8_t owner[FRAMES]; /* 0: not ours, 1: free, 2: allocated */

static void setup(uint32_t frames)
{
    static void *metadata;

    free(metadata);
    metadata = malloc(buddy_metadata_size(frames));
    buddy_init(&b, frames, metadata);
    memset(owner, 0, sizeof(owner));
}

static void add(uint32_t first, uint32_t count)
{
    CHECK_EQ(buddy_add(&b, first, count), 0);
    memset(owner + first, 1, count);
}

/* Note the change of owner; every frame must have had the other one. */
static void change(uint32_t first, uint32_t count, uint8_t from, uint8_t to)
{
    CHECK(first + count <= FRAMES);
    for (uint32_t i = first; i < first + count; i++) {
        CHECK_EQ(owner[i], from);
        owner[i] = to;
    }
}

/* The books agree with each other. */
static void check_books(void)
{
    uint64_t in_blocks = 0, is_free = 0;

    for (unsigned o = 0; o < BUDDY_ORDERS; o++) {
        in_blocks += b.free_blocks[o] << o;
        CHECK_EQ(b.free_blocks[o] != 0, b.nonempty >> o & 1);
    }
    for (uint32_t i = 0; i < FRAMES; i++)
        is_free += owner[i] == 1;
    CHECK_EQ(in_blocks, b.free);
    CHECK_EQ(is_free, b.free);
}

TEST(nothing_is_there_before_frames_are_added)
{
    setup(100);
    CHECK_EQ(buddy_alloc(&b, 0), BUDDY_NONE);
    CHECK_EQ(b.total, 0);
}

TEST(frames_outside_of_the_range_are_refused)
{
    setup(100);
    CHECK_EQ(buddy_add(&b, 90, 11), -EINVAL);
    CHECK_EQ(buddy_add(&b, 101, 0), -EINVAL);
    CHECK_EQ(buddy_add(&b, 1, UINT32_MAX), -EINVAL);
    CHECK_EQ(b.total, 0);
}

TEST(an_odd_range_is_cut_into_aligned_blocks)
{
    setup(FRAMES);
    add(3, 10); /* 3, 4..7, 8..11, 12 */
    CHECK_EQ(b.free_blocks[0], 2);
    CHECK_EQ(b.free_blocks[1], 0);
    CHECK_EQ(b.free_blocks[2], 2);
    check_books();
}

TEST(ranges_that_touch_come_together)
{
    setup(FRAMES);
    add(512, 512);
    add(0, 512);
    CHECK_EQ(b.free_blocks[10], 1);
    CHECK_EQ(buddy_alloc(&b, 10), 0);
}

TEST(a_hole_is_never_handed_out)
{
    uint32_t i;

    setup(FRAMES);
    add(0, 100);
    add(101, 50);
    while ((i = buddy_alloc(&b, 0)) != BUDDY_NONE)
        change(i, 1, 1, 2);
    CHECK_EQ(owner[100], 0);
    CHECK_EQ(b.free, 0);
    for (i = 0; i < 151; i++)
        CHECK_EQ(buddy_free(&b, i, 0), i == 100 ? -EINVAL : 0);
    CHECK_EQ(b.free, 150);
}

TEST(the_largest_order_works_and_none_above)
{
    setup(1u << 19);
    CHECK_EQ(buddy_add(&b, 0, 1u << 19), 0);
    CHECK_EQ(b.free_blocks[18], 2);
    CHECK(buddy_alloc(&b, 18) != BUDDY_NONE);
    CHECK_EQ(buddy_alloc(&b, 19), BUDDY_NONE);
    CHECK_EQ(buddy_alloc(&b, 40), BUDDY_NONE);
    CHECK_EQ(buddy_free(&b, 0, 19), -EINVAL);
}

TEST(a_wrong_free_is_refused_and_changes_nothing)
{
    uint32_t block;

    setup(FRAMES);
    add(0, 64);
    block = buddy_alloc(&b, 3);
    CHECK_EQ(buddy_free(&b, block, 2), -EINVAL);
    CHECK_EQ(buddy_free(&b, block, 4), -EINVAL);
    CHECK_EQ(buddy_free(&b, block + 1, 0), -EINVAL);
    CHECK_EQ(buddy_free(&b, FRAMES, 0), -EINVAL);
    CHECK_EQ(buddy_free_run(&b, block, 9), -EINVAL);
    CHECK_EQ(b.free, 56);
    CHECK_EQ(buddy_free(&b, block, 3), 0);
    CHECK_EQ(buddy_free(&b, block, 3), -EINVAL);
    CHECK_EQ(b.free, 64);
    CHECK_EQ(b.free_blocks[6], 1);
}

TEST(a_run_takes_no_more_frames_than_asked_for)
{
    for (uint32_t n = 1; n <= 300; n++) {
        uint32_t run;

        setup(FRAMES);
        add(0, 1024);
        run = buddy_alloc_run(&b, n);
        CHECK_EQ(run, 0);
        change(run, n, 1, 2);
        check_books();
        CHECK_EQ(buddy_free_run(&b, run, n + 1), -EINVAL);
        CHECK_EQ(buddy_free_run(&b, run, n), 0);
        CHECK_EQ(b.free_blocks[10], 1);
    }
    CHECK_EQ(buddy_alloc_run(&b, 0), BUDDY_NONE);
    CHECK_EQ(buddy_alloc_run(&b, (1u << 18) + 1), BUDDY_NONE);
}

TEST(a_long_mixture_keeps_the_books_and_ends_as_it_began)
{
    struct {
        uint32_t index, count; /* count 0: a block of `order` */
        unsigned order;
    } held[200];
    unsigned n = 0;
    struct buddy before;

    setup(FRAMES);
    add(1, 1500);
    add(1700, 3000);
    before = b;
    srand(1);
    for (int step = 0; step < 40000; step++) {
        unsigned i = (unsigned)rand() % 200;

        if (i >= n && n < 200) {
            held[n].order = (unsigned)rand() % 7;
            held[n].count = rand() % 3 ? 0 : 1 + (uint32_t)rand() % 70;
            held[n].index = held[n].count ? buddy_alloc_run(&b, held[n].count)
                                          : buddy_alloc(&b, held[n].order);
            if (held[n].index == BUDDY_NONE)
                continue;
            if (!held[n].count)
                CHECK_EQ(held[n].index & ((1u << held[n].order) - 1), 0);
            change(held[n].index,
                   held[n].count ? held[n].count : 1u << held[n].order, 1, 2);
            n++;
        } else if (i < n) {
            uint32_t size = held[i].count ? held[i].count : 1u << held[i].order;

            CHECK_EQ(held[i].count
                         ? buddy_free_run(&b, held[i].index, held[i].count)
                         : buddy_free(&b, held[i].index, held[i].order),
                     0);
            change(held[i].index, size, 2, 1);
            held[i] = held[--n];
        }
        if (step % 1000 == 0)
            check_books();
    }
    while (n--)
        CHECK_EQ(held[n].count
                     ? buddy_free_run(&b, held[n].index, held[n].count)
                     : buddy_free(&b, held[n].index, held[n].order),
                 0);
    CHECK_EQ(b.free, b.total);
    for (unsigned o = 0; o < BUDDY_ORDERS; o++)
        CHECK_EQ(b.free_blocks[o], before.free_blocks[o]);
}

CHECK_MAIN
