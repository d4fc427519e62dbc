/* sources: kernel/boot/page_tables.c */
/* The tables that the kernel starts on, walked as the CPU would. */
#include "check.h"

#include <stdlib.h>

#include <rayos/types.h>

#include "kernel/boot/page_tables.h"

#define DIRECT  UINT64_C(0xffff800000000000)
#define KERNEL  UINT64_C(0xffffffff80000000)
#define GIB     (UINT64_C(1) << 30)
#define NX      (UINT64_C(1) << 63)
#define ADDRESS UINT64_C(0x000ffffffffff000)

struct walk {
    bool mapped, writable, executable;
    uint64_t physical;
};

static struct walk walk(uint64_t cr3, uint64_t va)
{
    struct walk w = {.writable = true, .executable = true};

    for (int shift = 39; shift >= 12; shift -= 9) {
        uint64_t e = ((uint64_t *)cr3)[va >> shift & 511];

        if (!(e & 1))
            return (struct walk){0};
        w.writable &= (e & 2) != 0;
        w.executable &= !(e & NX);
        CHECK(!(e & 4)); /* never the user's */
        if (shift < 39 && (e & 0x80)) {
            uint64_t in_page = (UINT64_C(1) << shift) - 1;

            CHECK(!(e & ADDRESS & in_page));
            w.mapped = true;
            w.physical = (e & ADDRESS) | (va & in_page);
            return w;
        }
        cr3 = e & ADDRESS;
    }
    CHECK_FAIL("a small page was used");
    return w;
}

/* Build in a block of exactly the size that was asked for. */
static uint64_t build(const struct page_tables_layout *layout)
{
    size_t size = page_tables_size(layout);
    void *memory = aligned_alloc(4096, size);

    memset(memory, 0xff, size);
    return page_tables_build(layout, memory);
}

static void check_layout(const struct page_tables_layout *layout, uint64_t end)
{
    uint64_t cr3 = build(layout);
    struct walk w;

    for (uint64_t p = 0x1234; p < end; p += GIB / 4 + 0x200000) {
        w = walk(cr3, p);
        CHECK(w.mapped && w.writable && w.executable && w.physical == p);
        w = walk(cr3, DIRECT + p);
        CHECK(w.mapped && w.writable && w.physical == p);
        CHECK_EQ(w.executable, !layout->no_execute);
    }
    CHECK(walk(cr3, end - 1).mapped);
    CHECK(!walk(cr3, end).mapped);
    CHECK(!walk(cr3, DIRECT + end).mapped);
    for (uint64_t o = 0; o < layout->kernel_size; o += 4096) {
        w = walk(cr3, KERNEL + o);
        CHECK(w.mapped && w.physical == layout->kernel_base + o);
    }
    CHECK(!walk(cr3, KERNEL - 1).mapped);
    CHECK(!walk(cr3, KERNEL + ALIGN_UP(layout->kernel_size, LARGE_PAGE_SIZE))
               .mapped);
    free((void *)cr3);
}

TEST(small_machines_have_the_first_four_gib)
{
    struct page_tables_layout l = {.memory_end = 128 << 20,
                                   .kernel_base = 0x5e00000,
                                   .kernel_size = 0x321000,
                                   .no_execute = true};

    check_layout(&l, 4 * GIB);
    l.huge_pages = true;
    check_layout(&l, 4 * GIB);
}

TEST(large_machines_are_mapped_whole_with_and_without_1_gib_pages)
{
    struct page_tables_layout l = {.memory_end = 9 * GIB + 4096,
                                   .kernel_base = 8 * GIB,
                                   .kernel_size = 0x200000};

    check_layout(&l, 10 * GIB);
    l.huge_pages = true;
    l.no_execute = true;
    check_layout(&l, 10 * GIB);
}

TEST(more_than_one_table_of_pointers_is_made)
{
    struct page_tables_layout l = {.memory_end = 1025 * GIB,
                                   .kernel_base = 0x200000,
                                   .kernel_size = 1,
                                   .huge_pages = true};

    check_layout(&l, 1025 * GIB);
}

TEST(memory_beyond_the_direct_map_is_left_out)
{
    struct page_tables_layout l = {.memory_end = UINT64_MAX,
                                   .kernel_base = 0x200000,
                                   .kernel_size = 1,
                                   .huge_pages = true};
    uint64_t cr3 = build(&l);

    CHECK(walk(cr3, DIRECT + 65535 * GIB).mapped);
    CHECK(!walk(cr3, DIRECT + 65536 * GIB).mapped);
    free((void *)cr3);
}

CHECK_MAIN
