/* sources: drivers/pci/window.c drivers/pci/parse.c drivers/pci/capability.c */
/*
 * Ranges against a simple model of one byte a cell, windows of bridges, and
 * places for BARs.
 */
#include <stdbool.h>
#include <stdlib.h>

#include "../../drivers/pci/window.h"
#include "check.h"

#define CELLS 256

static bool cells[CELLS];

static bool cells_touch(uint64_t first, uint64_t last)
{
    for (uint64_t i = first; i <= last; i++)
        if (cells[i])
            return true;
    return false;
}

static bool cells_find(uint64_t first, uint64_t last, uint64_t size,
                       uint64_t *base)
{
    for (uint64_t at = 0; at + size <= CELLS; at += size) {
        if (at < first || at + size - 1 > last ||
            cells_touch(at, at + size - 1))
            continue;
        *base = at;
        return true;
    }
    return false;
}

static void check_shape(const struct pci_ranges *s)
{
    for (unsigned i = 0; i < s->count; i++) {
        CHECK(s->r[i].first <= s->r[i].last);
        if (i) /* a gap of at least one */
            CHECK(s->r[i - 1].last + 1 < s->r[i].first);
    }
}

static void compare(const struct pci_ranges *s)
{
    uint64_t first = (uint64_t)rand() % CELLS;
    uint64_t last = first + (uint64_t)rand() % (CELLS - first);
    uint64_t size = UINT64_C(1) << rand() % 7, expected = 0, got = 0;
    struct pci_range r = {first, last};
    bool there = cells_find(first, last, size, &expected);

    CHECK_EQ(pci_ranges_touch(s, &r), cells_touch(first, last));
    CHECK_EQ(pci_ranges_find(s, &r, size, &got), there);
    if (there)
        CHECK_EQ(got, expected);
}

TEST(ranges_agree_with_a_simple_model)
{
    srand(1);
    for (int round = 0; round < 300; round++) {
        struct pci_ranges s = {0};

        memset(cells, 0, sizeof(cells));
        for (int i = 0; i < 24; i++) {
            uint64_t first = (uint64_t)rand() % CELLS;
            uint64_t size = 1 + (uint64_t)rand() % 8;
            struct pci_range r = pci_range_of(first, size);

            if (r.last >= CELLS)
                continue;
            pci_ranges_add(&s, &r);
            memset(cells + first, true, size);
            check_shape(&s);
            for (int k = 0; k < 8; k++)
                compare(&s);
        }
    }
}

TEST(the_end_of_the_space_is_no_edge_to_fall_from)
{
    struct pci_ranges s = {0};
    struct pci_range last = pci_range_of(UINT64_MAX - 7, 100), r;
    struct pci_range all = {0, UINT64_MAX};
    uint64_t base;

    CHECK(last.last == UINT64_MAX);
    pci_ranges_add(&s, &last);
    r = pci_range_of(0, 8);
    pci_ranges_add(&s, &r); /* does not join the other end */
    CHECK_EQ(s.count, 2);
    CHECK(pci_ranges_find(&s, &all, 8, &base));
    CHECK_EQ(base, 8);
    CHECK(!pci_ranges_find(&s, &last, 8, &base));
    CHECK(pci_ranges_find(&s, &all, UINT64_C(1) << 62, &base));
    CHECK(!pci_ranges_find(&s, &all, UINT64_C(1) << 63, &base));
    r = pci_range_of(3, 0); /* size 0: to the end */
    CHECK(r.last == UINT64_MAX);
}

TEST(when_a_range_is_lost_nothing_is_free)
{
    struct pci_ranges s = {0};
    struct pci_range r, where = {0, UINT32_MAX};
    uint64_t base;

    for (uint64_t i = 0; i < PCI_RANGES_MAX; i++) {
        r = pci_range_of(i * 2, 1);
        pci_ranges_add(&s, &r);
    }
    CHECK(!s.lost);
    CHECK(pci_ranges_find(&s, &where, 16, &base));
    r = pci_range_of(1, 1);
    pci_ranges_add(&s, &r); /* fills a gap: there is room again */
    CHECK_EQ(s.count, PCI_RANGES_MAX - 1);
    for (uint64_t i = 0; i < 2; i++) {
        r = pci_range_of(0x1000 + i * 2, 1);
        pci_ranges_add(&s, &r);
    }
    CHECK(s.lost);
    CHECK(!pci_ranges_find(&s, &where, 16, &base));
    r = pci_range_of(0x100000, 1);
    CHECK(pci_ranges_touch(&s, &r));
}

/* --- bridges --- */

static uint8_t config[256];

static uint32_t config_read(const struct pci_space *s, uint16_t offset)
{
    uint32_t v;

    (void)s;
    memcpy(&v, config + offset, 4);
    return v;
}

static const struct pci_space bridge = {.read = config_read, .size = 256};

static void put(unsigned at, uint32_t value, unsigned width)
{
    memcpy(config + at, &value, width);
}

static void bridge_make(void)
{
    memset(config, 0, sizeof(config));
    put(PCI_IO_BASE, 0xd0, 1);
    put(PCI_IO_LIMIT, 0xe0, 1);
    put(PCI_MEMORY_BASE, 0xfe80, 2);
    put(PCI_MEMORY_LIMIT, 0xfe90, 2);
    put(PCI_PREFETCH_BASE, 0x0001, 2);
    put(PCI_PREFETCH_LIMIT, 0xfff1, 2);
    put(PCI_PREFETCH_BASE_HIGH, 8, 4);
    put(PCI_PREFETCH_LIMIT_HIGH, 8, 4);
}

TEST(a_bridge_tells_its_windows)
{
    struct pci_windows w;

    bridge_make();
    pci_parse_windows(&bridge, &w);
    CHECK_EQ(w.io.first, 0xd000);
    CHECK_EQ(w.io.last, 0xefff);
    CHECK_EQ(w.memory.first, 0xfe800000);
    CHECK_EQ(w.memory.last, 0xfe9fffff);
    CHECK_EQ(w.prefetch.first, INT64_C(0x800000000));
    CHECK_EQ(w.prefetch.last, INT64_C(0x8ffffffff));
    memset(config, 0, sizeof(config));
    pci_parse_windows(&bridge, &w);
    CHECK(pci_range_empty(&w.io) && pci_range_empty(&w.memory) &&
          pci_range_empty(&w.prefetch));
    bridge_make();
    put(PCI_IO_BASE, 0xd1, 1); /* ports above 64 KiB */
    put(0x30, 1, 2);
    put(PCI_MEMORY_BASE, 0xfff0, 2); /* closed */
    pci_parse_windows(&bridge, &w);
    CHECK(pci_range_empty(&w.io) && pci_range_empty(&w.memory));
}

static struct pci_bar memory_bar(uint64_t base, uint64_t size, bool wide)
{
    return (struct pci_bar){
        .kind = PCI_BAR_MEMORY, .base = base, .size = size, .wide = wide};
}

TEST(a_bar_passes_where_all_bridges_pass_it)
{
    struct pci_windows w, outer;
    struct pci_bar b = memory_bar(0xfe800000, 0x100000, false);

    bridge_make();
    pci_parse_windows(&bridge, &w);
    CHECK(pci_windows_pass(&w, &b));
    b.base = 0xfe980000; /* half outside */
    CHECK(!pci_windows_pass(&w, &b));
    b = memory_bar(INT64_C(0x800000000), 0x1000, true);
    CHECK(pci_windows_pass(&w, &b));
    outer = w;
    outer.memory.first = 0xfe900000;
    outer.prefetch = (struct pci_range){1, 0};
    pci_windows_narrow(&w, &outer);
    CHECK(!pci_windows_pass(&w, &b));
    CHECK_EQ(w.memory.first, 0xfe900000);
    b = (struct pci_bar){.kind = PCI_BAR_IO, .base = 0xd000, .size = 0x20};
    CHECK(pci_windows_pass(&w, &b));
    b.base = 0;
    CHECK(!pci_windows_pass(&w, &b));
    b = memory_bar(UINT64_MAX - 0xfff, 0x10000, true); /* wraps round */
    CHECK(!pci_windows_pass(&w, &b));
}

TEST(a_place_is_found_below_4_gib_first_and_on_pages_of_its_own)
{
    struct pci_ranges taken = {0};
    struct pci_windows w = {
        .io = {0xc000, 0xfeff},
        .memory = {0xfe000000, 0xfe00ffff},
        .prefetch = {INT64_C(1) << 32, (INT64_C(1) << 36) - 1},
    };
    struct pci_bar b = memory_bar(0, 16, false);
    struct pci_range r = pci_range_of(0xfe000000, 0x10);
    uint64_t base;

    pci_ranges_add(&taken, &r);
    CHECK(pci_place_bar(&taken, &w, &b, &base));
    CHECK_EQ(base, 0xfe001000);
    b = memory_bar(0, 0x10000, true); /* no room below */
    CHECK(pci_place_bar(&taken, &w, &b, &base));
    CHECK_EQ(base, INT64_C(1) << 32);
    b.wide = false;
    CHECK(!pci_place_bar(&taken, &w, &b, &base));
    b.prefetchable = true; /* 32 bits do not reach that window */
    CHECK(!pci_place_bar(&taken, &w, &b, &base));
    b = (struct pci_bar){.kind = PCI_BAR_IO, .size = 0x100};
    taken = (struct pci_ranges){0};
    r = pci_range_of(0xc000, 0x81);
    pci_ranges_add(&taken, &r);
    CHECK(pci_place_bar(&taken, &w, &b, &base));
    CHECK_EQ(base, 0xc100);
}

CHECK_MAIN
