/* sources: kernel/display/region.c */
/* Regions against a bitmap: never less than was added, nothing twice. */
#include "check.h"

#include <stdlib.h>

#include "kernel/display/region.h"

#define SIDE 48

static bool wanted[SIDE][SIDE];

static struct rect random_rect(int most)
{
    return (struct rect){rand() % SIDE - 4, rand() % SIDE - 4, rand() % most,
                         rand() % most};
}

static void paint(struct rect r, bool on)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            if (rect_has_point(r, x, y))
                wanted[y][x] = on;
}

/* How many rectangles of the region cover a point. */
static int cover(const struct region *g, int x, int y)
{
    int n = 0;

    for (uint32_t i = 0; i < g->count; i++)
        n += rect_has_point(g->rects[i], x, y);
    return n;
}

/* Returns how many points it covers in vain. */
static int compare(const struct region *g)
{
    int vain = 0;

    CHECK(g->count <= REGION_MAX);
    for (uint32_t i = 0; i < g->count; i++)
        CHECK(!rect_is_empty(g->rects[i]));
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int n = cover(g, x, y);

            CHECK(n <= 1);
            if (wanted[y][x])
                CHECK_EQ(n, 1);
            vain += n && !wanted[y][x];
        }
    return vain;
}

TEST(what_was_added_is_covered_once_whatever_comes)
{
    srand(1);
    for (int round = 0; round < 300; round++) {
        struct region g = {0};

        memset(wanted, 0, sizeof(wanted));
        for (int i = 0; i < 40 && !check_failures; i++) {
            struct rect r = random_rect(20);

            if (rand() % 4) {
                region_add(&g, r);
                paint(r, true);
            } else {
                region_subtract(&g, r);
                paint(r, false);
            }
            compare(&g);
        }
    }
}

TEST(a_few_rectangles_are_kept_exactly)
{
    srand(2);
    for (int round = 0; round < 500; round++) {
        struct region g = {0};

        memset(wanted, 0, sizeof(wanted));
        for (int i = 0; i < 3; i++) {
            struct rect r = random_rect(30);

            region_add(&g, r);
            paint(r, true);
        }
        CHECK_EQ(compare(&g), 0);
    }
}

TEST(rows_of_text_become_one_rectangle)
{
    struct region g = {0};

    for (int i = 0; i < 50; i++)
        region_add(&g, (struct rect){10, i * 24, 600, 24});
    CHECK_EQ(g.count, 1);
    CHECK_EQ(g.rects[0].h, 50 * 24);
}

TEST(clipping_leaves_what_is_inside)
{
    struct region g = {0};
    struct rect half = {0, 0, SIDE, SIDE / 2};

    memset(wanted, 0, sizeof(wanted));
    region_add(&g, (struct rect){4, 4, 10, 40});
    region_add(&g, (struct rect){30, 30, 10, 10});
    paint((struct rect){4, 4, 10, 20}, true);
    region_clip(&g, half);
    CHECK_EQ(compare(&g), 0);
    CHECK_EQ(g.count, 1);
}

TEST(wild_numbers_become_harmless)
{
    static const int32_t wild[] = {INT32_MIN, -1, 0, 1, INT32_MAX};

    for (int i = 0; i < 625; i++) {
        struct rect r = {wild[i % 5], wild[i / 5 % 5], wild[i / 25 % 5],
                         wild[i / 125]};
        struct region g = {0};

        r = rect_sane(r);
        region_add(&g, r);
        region_add(&g, rect_sane((struct rect){0, 0, 10, 10}));
        region_subtract(&g, rect_sane((struct rect){3, 3, INT32_MAX, 2}));
        CHECK(g.count <= REGION_MAX);
    }
}

CHECK_MAIN
