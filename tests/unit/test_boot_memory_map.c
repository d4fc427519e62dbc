/* sources: kernel/boot/memory_map.c */
/* The kernel gets a sorted, merged map without overlaps, whatever the firmware
 * gave. */
#include "check.h"

#include <stdlib.h>

#include "kernel/boot/memory_map.h"

#define STEP 48 /* longer than our structure, as OVMF's are */
#define MAX  64

static uint8_t raw[MAX * STEP];
static struct memory_descriptors from = {.data = raw, .step = STEP};
static struct boot_memory_region *regions;
static struct memory_map map;

static void start(void)
{
    memset(raw, 0xaa, sizeof(raw));
    from.size = 0;
}

static void add(uint32_t type, uint64_t base, uint64_t pages)
{
    struct memory_descriptor d = {.type = type, .base = base, .pages = pages};

    memcpy(raw + from.size, &d, sizeof(d));
    from.size += STEP;
}

static bool convert(const struct memory_claim *claims, size_t count)
{
    free(regions);
    map.capacity = memory_map_capacity(from.size / STEP, count);
    regions = malloc(map.capacity * sizeof(regions[0]));
    map.regions = regions;
    return memory_map_convert(&map, &from, claims, count);
}

static void expect(size_t i, uint64_t base, uint64_t end, uint32_t type)
{
    if (i >= map.count) {
        CHECK_FAIL("there is no region %zu", i);
        return;
    }
    CHECK_EQ(regions[i].base, base);
    CHECK_EQ(regions[i].base + regions[i].pages * 4096, end);
    CHECK_EQ(regions[i].type, type);
}

TEST(types_are_translated_and_neighbours_merged_and_sorted)
{
    start();
    add(7, 0x300000, 0x100);      /* conventional */
    add(3, 0x100000, 0x80);       /* boot services code */
    add(4, 0x180000, 0x80);       /* boot services data */
    add(7, 0x200000, 0x100);      /* conventional */
    add(5, 0x400000, 1);          /* runtime code */
    add(6, 0x401000, 1);          /* runtime data */
    add(9, 0x402000, 1);          /* ACPI reclaim */
    add(10, 0x403000, 1);         /* ACPI NVS */
    add(11, 0xfec00000, 1);       /* MMIO */
    add(0, 0x404000, 1);          /* reserved */
    add(8, 0x405000, 1);          /* unusable */
    add(14, 0x500000, 1);         /* persistent */
    add(0x80000000, 0x600000, 1); /* somebody's */
    add(2, 0x700000, 1);          /* loader data */
    CHECK(convert(NULL, 0));
    CHECK_EQ(map.count, 10);
    expect(0, 0x100000, 0x400000, BOOT_MEM_USABLE);
    expect(1, 0x400000, 0x401000, BOOT_MEM_RUNTIME_CODE);
    expect(2, 0x401000, 0x402000, BOOT_MEM_RUNTIME_DATA);
    expect(3, 0x402000, 0x403000, BOOT_MEM_ACPI_RECLAIM);
    expect(4, 0x403000, 0x404000, BOOT_MEM_ACPI_NVS);
    expect(5, 0x404000, 0x406000, BOOT_MEM_RESERVED);
    expect(6, 0x500000, 0x501000, BOOT_MEM_RESERVED);
    expect(7, 0x600000, 0x601000, BOOT_MEM_RESERVED);
    expect(8, 0x700000, 0x701000, BOOT_MEM_LOADER);
    expect(9, 0xfec00000, 0xfec01000, BOOT_MEM_MMIO);
}

TEST(page_zero_is_reserved)
{
    start();
    add(7, 0, 0xa0);
    CHECK(convert(NULL, 0));
    CHECK_EQ(map.count, 2);
    expect(0, 0, 0x1000, BOOT_MEM_RESERVED);
    expect(1, 0x1000, 0xa0000, BOOT_MEM_USABLE);
}

TEST(claims_retype_what_they_cover)
{
    static const struct memory_claim claims[] = {
        {0x110000, 0x10, BOOT_MEM_KERNEL},
        {0x150000, 0x10, BOOT_MEM_LOADER},
        {0x1f0000, 0x20, BOOT_MEM_ARCHIVE}, /* over a border */
    };

    start();
    add(7, 0x100000, 0x100);
    add(2, 0x200000, 0x20);
    CHECK(convert(claims, 3));
    CHECK_EQ(map.count, 7);
    expect(0, 0x100000, 0x110000, BOOT_MEM_USABLE);
    expect(1, 0x110000, 0x120000, BOOT_MEM_KERNEL);
    expect(3, 0x150000, 0x160000, BOOT_MEM_LOADER);
    expect(5, 0x1f0000, 0x210000, BOOT_MEM_ARCHIVE);
    expect(6, 0x210000, 0x220000, BOOT_MEM_LOADER);
}

TEST(claims_do_not_touch_what_is_the_firmwares)
{
    static const struct memory_claim claim = {0x0ff000, 8, BOOT_MEM_LOADER};

    start();
    add(7, 0x100000, 2);
    add(6, 0x102000, 2);
    add(7, 0x104000, 1);
    CHECK(convert(&claim, 1));
    CHECK_EQ(map.count, 3);
    expect(0, 0x100000, 0x102000, BOOT_MEM_LOADER);
    expect(1, 0x102000, 0x104000, BOOT_MEM_RUNTIME_DATA);
    expect(2, 0x104000, 0x105000, BOOT_MEM_LOADER);
}

TEST(where_descriptors_overlap_the_stricter_type_wins)
{
    start();
    add(0, 0x180000, 0x10);
    add(7, 0x100000, 0x100);
    add(6, 0x178000, 0x10);
    add(7, 0x100000, 0x100);
    CHECK(convert(NULL, 0));
    CHECK_EQ(map.count, 4);
    expect(0, 0x100000, 0x178000, BOOT_MEM_USABLE);
    expect(1, 0x178000, 0x180000, BOOT_MEM_RUNTIME_DATA);
    expect(2, 0x180000, 0x190000, BOOT_MEM_RESERVED);
    expect(3, 0x190000, 0x200000, BOOT_MEM_USABLE);
}

TEST(nonsense_is_dropped_or_cut)
{
    start();
    add(7, 0x100800, 1);          /* not aligned */
    add(7, 0x100000, 0);          /* empty */
    add(7, UINT64_C(1) << 60, 1); /* beyond any CPU */
    add(7, 0x200000, UINT64_MAX); /* wraps */
    CHECK(convert(NULL, 0));
    CHECK_EQ(map.count, 1);
    expect(0, 0x200000, UINT64_C(1) << 52, BOOT_MEM_USABLE);
    from.step = 8;
    CHECK(!memory_map_convert(&map, &from, NULL, 0));
    CHECK_EQ(memory_map_ram_end(&from), 0);
    from.step = STEP;
}

TEST(reserved_memory_that_the_runtime_services_need_is_kept_for_them)
{
    struct memory_descriptor d = {.type = 0,
                                  .base = 0x100000,
                                  .pages = 1,
                                  .attribute = UINT64_C(1) << 63};

    start();
    memcpy(raw, &d, sizeof(d));
    from.size = STEP;
    CHECK(convert(NULL, 0));
    expect(0, 0x100000, 0x101000, BOOT_MEM_RUNTIME_DATA);
}

TEST(the_end_of_ram_ignores_devices)
{
    start();
    add(7, 0x100000, 0x100);
    add(11, 0xfec00000, 1);
    add(0, UINT64_C(0xfd00000000), 0x300000);
    add(6, 0x300000, 1);
    CHECK_EQ(memory_map_ram_end(&from), 0x301000);
}

TEST(too_little_room_is_an_error_and_not_an_overrun)
{
    start();
    add(7, 0x100000, 1);
    add(6, 0x101000, 1);
    for (size_t room = 0; room < 3; room++) {
        struct boot_memory_region *few = malloc(room * sizeof(*few) + 1);

        map = (struct memory_map){.regions = few, .capacity = room};
        CHECK_EQ(memory_map_convert(&map, &from, NULL, 0), room >= 2);
        free(few);
    }
}

/* Against a plain array of pages. */
TEST(random_maps_agree_with_a_simple_model)
{
    static const uint8_t strictness[] = {[BOOT_MEM_RESERVED] = 9,
                                         [BOOT_MEM_USABLE] = 1,
                                         [BOOT_MEM_LOADER] = 2,
                                         [BOOT_MEM_ACPI_NVS] = 4,
                                         [BOOT_MEM_RUNTIME_DATA] = 6};
    static const struct {
        uint32_t efi, ours;
    } types[] = {{7, BOOT_MEM_USABLE},
                 {2, BOOT_MEM_LOADER},
                 {10, BOOT_MEM_ACPI_NVS},
                 {6, BOOT_MEM_RUNTIME_DATA},
                 {0, BOOT_MEM_RESERVED}};
    enum { PAGES = 256, NONE = 255 };

    srand(1);
    for (int round = 0; round < 300; round++) {
        struct memory_claim claims[4];
        uint8_t model[PAGES];

        memset(model, NONE, sizeof(model));
        start();
        for (int i = 0; i < 24; i++) {
            unsigned t = (unsigned)rand() % 5, base = (unsigned)rand() % 200;
            unsigned n = (unsigned)rand() % 50;

            add(types[t].efi, base * 4096ull, n);
            for (unsigned p = base; p < base + n; p++)
                if (model[p] == NONE ||
                    strictness[model[p]] < strictness[types[t].ours])
                    model[p] = (uint8_t)types[t].ours;
        }
        for (int i = 0; i < 4; i++) {
            unsigned base = (unsigned)rand() % 200, n = (unsigned)rand() % 50;

            claims[i] = (struct memory_claim){base * 4096ull, n,
                                              BOOT_MEM_LOADER};
            for (unsigned p = base; p < base + n; p++)
                if (model[p] == BOOT_MEM_USABLE)
                    model[p] = BOOT_MEM_LOADER;
        }
        if (model[0] == BOOT_MEM_USABLE || model[0] == BOOT_MEM_LOADER)
            model[0] = BOOT_MEM_RESERVED;
        CHECK(convert(claims, 4));
        for (size_t i = 0; i < map.count; i++) {
            uint64_t first = regions[i].base / 4096;

            CHECK(regions[i].pages > 0);
            if (i)
                CHECK(regions[i].base >=
                      regions[i - 1].base + regions[i - 1].pages * 4096);
            for (uint64_t p = first; p < first + regions[i].pages; p++) {
                CHECK_EQ(model[p], regions[i].type);
                model[p] = NONE;
            }
        }
        for (unsigned p = 0; p < PAGES; p++)
            CHECK_EQ(model[p], NONE);
    }
}

CHECK_MAIN
