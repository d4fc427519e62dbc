/* sources: vmm/nested.c */
/* Nested page tables say what they were told, in both formats. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "vmm/nested.h"

#define MIB (UINT64_C(1) << 20)
#define ALL (NESTED_READ | NESTED_WRITE | NESTED_EXEC)
#define NX  (UINT64_C(1) << 63)

static int frames_left;
static int frames_used;

static phys_t fake_alloc(void)
{
    void *p;

    if (frames_left-- <= 0)
        return GPA_NONE;
    frames_used++;
    p = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
    memset(p, 0, PAGE_SIZE);
    return (phys_t)(uintptr_t)p;
}

static void fake_free(phys_t frame)
{
    frames_used--;
    free((void *)(uintptr_t)frame);
}

static uint64_t *fake_table(phys_t frame)
{
    return (uint64_t *)(uintptr_t)frame;
}

static const struct nested_ops ops = {fake_alloc, fake_free, fake_table};

static struct nested make(enum nested_format format)
{
    struct nested n;

    frames_left = 1000;
    CHECK_EQ(nested_init(&n, format, NX, &ops), 0);
    return n;
}

static void drop(struct nested *n)
{
    nested_destroy(n);
    CHECK_EQ(frames_used, 0);
}

/* What stands for gpa: its frame, size and rights. */
static void expect(const struct nested *n, gpa_t gpa, phys_t phys,
                   uint64_t size, unsigned rights)
{
    struct nested_entry e;

    if (!nested_lookup(n, gpa, &e)) {
        CHECK_FAIL("%#" PRIx64 " is not mapped", gpa);
        return;
    }
    CHECK_EQ(e.phys, phys);
    CHECK_EQ(e.size, size);
    CHECK_EQ(e.rights, rights);
}

static void expect_hole(const struct nested *n, gpa_t gpa)
{
    struct nested_entry e;

    CHECK(!nested_lookup(n, gpa, &e));
}

static void aligned_memory_takes_large_entries(enum nested_format format)
{
    struct nested n = make(format);

    CHECK_EQ(nested_map(&n, 4 * MIB, 64 * MIB, 6 * MIB, ALL), 0);
    expect(&n, 4 * MIB, 64 * MIB, 2 * MIB, ALL);
    expect(&n, 9 * MIB + 5, 69 * MIB + 5, 2 * MIB, ALL);
    expect_hole(&n, 4 * MIB - 1);
    expect_hole(&n, 10 * MIB);
    CHECK_EQ(n.frames, 3); /* no table for 4 KiB entries */
    drop(&n);
}

TEST(aligned_memory_takes_large_entries_in_npt)
{
    aligned_memory_takes_large_entries(NESTED_NPT);
}

TEST(aligned_memory_takes_large_entries_in_ept)
{
    aligned_memory_takes_large_entries(NESTED_EPT);
}

TEST(memory_that_is_not_aligned_takes_small_entries)
{
    struct nested n = make(NESTED_EPT);

    CHECK_EQ(nested_map(&n, 2 * MIB, 64 * MIB + 4096, 2 * MIB, ALL), 0);
    expect(&n, 2 * MIB + 4096 * 3, 64 * MIB + 4096 * 4, 4096, ALL);
    CHECK_EQ(nested_map(&n, 8 * MIB, 32 * MIB, 12288, NESTED_READ), 0);
    expect(&n, 8 * MIB + 8192, 32 * MIB + 8192, 4096, NESTED_READ);
    expect_hole(&n, 8 * MIB + 12288);
    drop(&n);
}

TEST(entries_have_the_bits_of_the_manuals)
{
    struct nested npt = make(NESTED_NPT), ept = make(NESTED_EPT);
    uint64_t *t;

    nested_map(&npt, 0, 2 * MIB, 2 * MIB, NESTED_READ);
    t = fake_table(npt.root);
    CHECK_EQ(t[0] & 7, 7); /* present, writable, user */
    t = fake_table(t[0] & ~UINT64_C(0xfff));
    t = fake_table(t[0] & ~UINT64_C(0xfff));
    /* no-execute, 2 MiB, dirty, accessed, user, present */
    CHECK_EQ(t[0], (int64_t)(NX | 2 * MIB | 0xe5));

    nested_map(&ept, 0, 2 * MIB, 2 * MIB, ALL);
    t = fake_table(ept.root);
    CHECK_EQ(t[0] & 7, 7);
    t = fake_table(t[0] & ~UINT64_C(0xfff));
    t = fake_table(t[0] & ~UINT64_C(0xfff));
    /* dirty, accessed, 2 MiB, write-back, execute, write, read */
    CHECK_EQ(t[0], 2 * MIB | 0x3b7);
    nested_destroy(&npt);
    drop(&ept);
}

TEST(changing_the_rights_of_a_page_cuts_a_large_entry)
{
    struct nested n = make(NESTED_NPT);

    nested_map(&n, 0, 64 * MIB, 4 * MIB, ALL);
    CHECK_EQ(nested_protect(&n, 0x5000, 0x1000, NESTED_READ), 0);
    expect(&n, 0x4fff, 64 * MIB + 0x4fff, 4096, ALL);
    expect(&n, 0x5000, 64 * MIB + 0x5000, 4096, NESTED_READ);
    expect(&n, 0x6000, 64 * MIB + 0x6000, 4096, ALL);
    expect(&n, 2 * MIB, 66 * MIB, 2 * MIB, ALL);
    CHECK_EQ(nested_protect(&n, 2 * MIB, 2 * MIB, NESTED_READ), 0);
    expect(&n, 3 * MIB, 67 * MIB, 2 * MIB, NESTED_READ);
    CHECK_EQ(nested_protect(&n, 0, 4 * MIB, 0), 0);
    expect_hole(&n, 0);
    expect_hole(&n, 3 * MIB);
    drop(&n);
}

TEST(a_large_entry_takes_the_place_of_small_ones_and_their_table)
{
    struct nested n = make(NESTED_EPT);

    nested_map(&n, 0x3000, 64 * MIB, 0x1000, ALL);
    CHECK_EQ(n.frames, 4);
    nested_map(&n, 0, 32 * MIB, 2 * MIB, ALL);
    CHECK_EQ(n.frames, 3);
    expect(&n, 0x3000, 32 * MIB + 0x3000, 2 * MIB, ALL);
    drop(&n);
}

TEST(ranges_that_make_no_sense_are_refused)
{
    struct nested n = make(NESTED_EPT);

    CHECK_EQ(nested_map(&n, 1, 0, 4096, ALL), -EINVAL);
    CHECK_EQ(nested_map(&n, 0, 0, 100, ALL), -EINVAL);
    CHECK_EQ(nested_map(&n, NESTED_LIMIT, 0, 4096, ALL), -EINVAL);
    CHECK_EQ(nested_map(&n, 4096, 0, UINT64_MAX - 4095, ALL), -EINVAL);
    CHECK_EQ(nested_protect(&n, NESTED_LIMIT - 4096, 8192, ALL), -EINVAL);
    expect_hole(&n, UINT64_MAX);
    drop(&n);
}

TEST(every_failed_allocation_is_survived)
{
    for (int room = 1; room < 8; room++) {
        struct nested n = make(NESTED_NPT);

        frames_left = room - 1;
        if (nested_map(&n, 2 * MIB - 4096, 0, 8192, ALL) == 0)
            expect(&n, 2 * MIB, 4096, 4096, ALL);
        drop(&n);
    }
}

CHECK_MAIN
