/* sources: kernel/mm/heap.c kernel/mm/heap_segment.c kernel/mm/account.c */
/*
 * What Lua domains rely on: blocks do not overlap, are aligned, keep their
 * contents over realloc; the account pays for all and gets all back; a limit
 * refuses without harm.
 */
#include "check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <rayos/mm.h>
#include <rayos/panic.h>

#include "../../kernel/mm/frame.h"
#include "../../kernel/mm/kspace.h"

/* --- memory of the host in the place of frames; virt_to_phys wraps round ---
 */

static size_t frames_out; /* taken and not given back */
static size_t frames_run_max = SIZE_MAX;
static size_t kspace_out; /* areas */
static jmp_buf panicked;

phys_t frame_alloc(unsigned order, unsigned flags)
{
    void *p = aligned_alloc(PAGE_SIZE << order, PAGE_SIZE << order);

    (void)flags;
    frames_out += (size_t)1 << order;
    return virt_to_phys(p);
}

phys_t frame_alloc_run(uint32_t count)
{
    size_t align = PAGE_SIZE;

    if (count > frames_run_max)
        return FRAME_NONE;
    while (align < count * PAGE_SIZE)
        align *= 2;
    frames_out += count;
    return virt_to_phys(aligned_alloc(align, align));
}

void frame_free_run(phys_t base, uint32_t count)
{
    frames_out -= count;
    free(phys_to_virt(base));
}

void *kspace_alloc_aligned(size_t size, size_t align)
{
    kspace_out++;
    return aligned_alloc(align, ALIGN_UP(size, align));
}

void kspace_free(void *va)
{
    kspace_out--;
    free(va);
}

void panic(const char *fmt, ...)
{
    (void)fmt;
    longjmp(panicked, 1);
}

/* --- */

static struct heap h;
static struct account account;

static void setup(size_t limit)
{
    account_init(&account, limit);
    heap_init(&h, &account, false);
}

static void finish(void)
{
    heap_destroy(&h);
    CHECK_EQ(h.used, 0);
    CHECK_EQ(account.used, 0);
    CHECK_EQ(frames_out, 0);
    CHECK_EQ(kspace_out, 0);
}

TEST(an_account_refuses_what_is_over_its_limit)
{
    struct account a;

    account_init(&a, 100);
    CHECK(account_charge(&a, 60));
    CHECK(!account_charge(&a, 41));
    CHECK(!account_charge(&a, SIZE_MAX));
    CHECK(account_charge(&a, 40));
    account_credit(&a, 100);
    CHECK_EQ(a.used, 0);
    CHECK_EQ(a.peak, 100);
    CHECK_EQ(a.refused, 2);
    account_init(&a, SIZE_MAX);
    CHECK(account_charge(&a, SIZE_MAX));
    CHECK(!account_charge(&a, 1));
}

TEST(every_size_is_aligned_and_usable_to_its_last_byte)
{
    setup(SIZE_MAX);
    for (size_t size = 0; size <= 70000; size += size < 3000 ? 1 : 61) {
        unsigned char *p = heap_alloc(&h, size);

        CHECK_EQ((uintptr_t)p % 16, 0);
        CHECK(heap_size(p) >= size);
        /* At most a quarter, or 15 bytes, is lost to the class. */
        if (size > 1 && size <= 32768)
            CHECK(heap_size(p) <= size + 15 + size / 4);
        memset(p, 0xa5, heap_size(p));
        if (size % 3)
            heap_free(&h, p);
    }
    finish();
}

TEST(sizes_that_no_machine_has_are_refused)
{
    setup(SIZE_MAX);
    CHECK(!heap_alloc(&h, SIZE_MAX));
    CHECK(!heap_alloc(&h, SIZE_MAX / 2));
    CHECK(!heap_alloc(&h, (size_t)1 << 50));
    CHECK(!heap_realloc(&h, NULL, SIZE_MAX - 15));
    finish();
}

TEST(freed_blocks_are_used_again)
{
    void *p, *q;

    setup(SIZE_MAX);
    p = heap_alloc(&h, 40);
    q = heap_alloc(&h, 40);
    heap_free(&h, p);
    CHECK(heap_alloc(&h, 33) == p);
    heap_free(&h, q);
    CHECK(heap_alloc(&h, 48) == q);
    CHECK_EQ(h.used, 96);
    heap_free(&h, NULL);
    finish();
}

TEST(a_small_heap_stays_small)
{
    setup(SIZE_MAX);
    for (size_t size = 16; size <= 512; size += 16)
        CHECK(heap_alloc(&h, size) != NULL);
    CHECK(account.used <= 2 * 64 * 1024);
    finish();
}

TEST(what_is_freed_goes_back_to_the_machine)
{
    static void *p[20000];

    setup(SIZE_MAX);
    for (int i = 0; i < 20000; i++)
        p[i] = heap_alloc(&h, 64);
    CHECK(account.used >= 20000 * 64);
    CHECK(account.used < 20000 * 64 + 20000 * 64 / 8);
    for (int i = 0; i < 20000; i++)
        heap_free(&h, p[(i * 7919) % 20000]);
    CHECK_EQ(h.used, 0);
    /* One span of the class and one segment to spare. */
    CHECK(account.used <= 2 * 64 * 1024);
    finish();
}

TEST(the_limit_holds_and_everything_unused_is_used_first)
{
    void *p[64], *last = NULL;
    size_t n = 0;

    setup(1024 * 1024);
    for (int i = 0; i < 64; i++)
        p[i] = heap_alloc(&h, 8192);
    for (int i = 0; i < 64; i++)
        heap_free(&h, p[i]);
    while ((last = heap_alloc(&h, 100)))
        n++;
    CHECK(n > 8000); /* of 9362 that would fill the limit exactly */
    CHECK(account.used <= 1024 * 1024);
    CHECK(account.refused > 0);
    CHECK(!heap_alloc(&h, 100000));
    finish();
}

TEST(big_blocks_lie_in_frames_of_their_own_and_go_back_at_once)
{
    unsigned char *p;
    size_t small;

    setup(SIZE_MAX);
    heap_alloc(&h, 16);
    small = account.used;
    p = heap_alloc(&h, 200000);
    CHECK_EQ((uintptr_t)p % 16, 0);
    CHECK(heap_size(p) >= 200000 && heap_size(p) < 204096);
    CHECK(account.used - small < 208896);
    memset(p, 1, heap_size(p));
    heap_free(&h, p);
    CHECK_EQ(account.used, small);
    finish();
}

TEST(without_contiguous_frames_big_blocks_come_from_kspace)
{
    unsigned char *p;

    setup(SIZE_MAX);
    frames_run_max = 16;
    p = heap_alloc(&h, 3000000);
    CHECK_EQ(kspace_out, 1);
    memset(p, 1, 3000000);
    heap_free(&h, p);
    CHECK_EQ(kspace_out, 0);
    CHECK(heap_alloc(&h, 3000000) != NULL);
    finish();
    frames_run_max = SIZE_MAX;
}

TEST(realloc_keeps_the_contents)
{
    static const size_t sizes[] = {1,    15,    16,    17,     100,   1000,
                                   5000, 40000, 70000, 200000, 90000, 30000,
                                   900,  20,    3,     0};
    unsigned char *p = NULL;
    size_t had = 0;

    setup(SIZE_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        p = heap_realloc(&h, p, sizes[i]);
        CHECK(p != NULL && heap_size(p) >= sizes[i]);
        for (size_t k = 0; k < had && k < sizes[i]; k++)
            if (p[k] != (unsigned char)(k * 7))
                CHECK_FAIL("byte %zu of %zu is lost", k, sizes[i]);
        for (size_t k = 0; k < sizes[i]; k++)
            p[k] = (unsigned char)(k * 7);
        had = sizes[i];
    }
    finish();
}

TEST(realloc_stays_in_place_inside_a_class)
{
    void *p;

    setup(SIZE_MAX);
    p = heap_alloc(&h, 65);
    CHECK(heap_realloc(&h, p, 80) == p);
    CHECK(heap_realloc(&h, p, 66) == p);
    CHECK(heap_realloc(&h, p, 81) != p);
    finish();
}

TEST(shrinking_never_fails_and_growing_leaves_the_block)
{
    unsigned char *p;

    setup(3 * 64 * 1024);
    p = heap_alloc(&h, 100000);
    memset(p, 9, 100000);
    CHECK(!heap_realloc(&h, p, 150000));
    CHECK_EQ(p[99999], 9);
    account.limit = account.used;
    p = heap_realloc(&h, p, 10);
    CHECK(p != NULL);
    CHECK_EQ(p[9], 9);
    finish();
}

TEST(a_block_of_another_heap_is_not_taken)
{
    struct heap other;
    volatile bool seen = false;
    void *p, *big;

    setup(SIZE_MAX);
    heap_init(&other, NULL, false);
    p = heap_alloc(&h, 50);
    big = heap_alloc(&h, 50000);
    if (setjmp(panicked))
        seen = true;
    else
        heap_free(&other, p);
    CHECK(seen);
    seen = false;
    if (setjmp(panicked))
        seen = true;
    else
        heap_free(&other, big);
    CHECK(seen);
    finish();
}

/* Random work with every block filled by its own pattern. */
static void work(unsigned seed, int steps)
{
    enum { HELD = 700 };
    static unsigned char *p[HELD];
    static size_t size[HELD];
    size_t live = 0;

    memset(p, 0, sizeof(p));
    srand(seed);
    for (int step = 0; step < steps; step++) {
        unsigned i = (unsigned)rand() % HELD;
        size_t want = (size_t)rand() % (rand() % 50 ? 300 : 60000);

        for (size_t k = 0; p[i] && k < size[i]; k++)
            if (p[i][k] != (unsigned char)(i + k)) {
                CHECK_FAIL("block %u of %zu bytes was written to", i, size[i]);
                return;
            }
        if (p[i])
            live -= heap_size(p[i]);
        if (rand() % 3) {
            unsigned char *q = heap_realloc(&h, p[i], want);

            CHECK(q != NULL);
            p[i] = q;
            size[i] = want;
            for (size_t k = 0; k < want; k++)
                q[k] = (unsigned char)(i + k);
            live += heap_size(q);
        } else {
            heap_free(&h, p[i]);
            p[i] = NULL;
        }
        if (h.used != live) {
            CHECK_FAIL("used is %zu, live blocks have %zu", h.used, live);
            return;
        }
    }
    for (int i = 0; i < HELD; i++)
        heap_free(&h, p[i]);
    CHECK_EQ(h.used, 0);
}

TEST(a_long_mixture_in_a_private_heap)
{
    setup(SIZE_MAX);
    work(2, 60000);
    work(3, 60000);
    finish();
}

TEST(a_long_mixture_in_a_shared_heap)
{
    account_init(&account, SIZE_MAX);
    heap_init(&h, &account, true);
    work(4, 60000);
    CHECK(!spin_is_locked(&h.lock));
    finish();
}

CHECK_MAIN
