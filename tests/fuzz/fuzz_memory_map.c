/* sources: kernel/boot/memory_map.c */
/*
 * Any bytes as the firmware's memory map: the kernel's is sorted, without
 * overlaps and empty regions, merged, fits in what was promised, and leaves
 * page 0 alone; a page that the firmware keeps does not become usable.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/boot/memory_map.h"

#define CLAIMS 3
#define PAGE   4096u

static void check_map(const struct memory_map *m)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct boot_memory_region *r = &m->regions[i];

        FUZZ_CHECK(r->base % PAGE == 0 && r->pages);
        FUZZ_CHECK(r->base < UINT64_C(1) << 52);
        FUZZ_CHECK(r->pages <= ((UINT64_C(1) << 52) - r->base) / PAGE);
        FUZZ_CHECK(r->base || r->type != BOOT_MEM_USABLE);
        if (i) {
            uint64_t end = r[-1].base + r[-1].pages * PAGE;

            FUZZ_CHECK(end <= r->base);
            FUZZ_CHECK(end < r->base || r[-1].type != r->type);
        }
    }
}

/* Reserved memory (type 0) covers all else. */
static void check_reserved(const struct memory_map *m, const uint8_t *data,
                           const struct memory_descriptors *from)
{
    for (size_t i = 0; i < from->size / from->step; i++) {
        struct memory_descriptor d;

        memcpy(&d, data + i * from->step, sizeof(d));
        if (d.type != 0 || d.attribute >> 63 || !d.pages || d.base % PAGE)
            continue;
        for (size_t j = 0; j < m->count; j++)
            FUZZ_CHECK(m->regions[j].type != BOOT_MEM_USABLE ||
                       d.base < m->regions[j].base ||
                       d.base - m->regions[j].base >=
                           m->regions[j].pages * PAGE);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct memory_descriptors from = {.step = fuzz_byte(&in)};
    struct memory_claim claims[CLAIMS];
    struct memory_map map = {0};
    uint8_t *copy;

    /* The loader's own: pages that exist. */
    for (size_t i = 0; i < CLAIMS; i++)
        claims[i] = (struct memory_claim){
            .base = (uint64_t)fuzz_byte(&in) * PAGE,
            .pages = fuzz_byte(&in),
            .type = BOOT_MEM_KERNEL,
        };
    copy = fuzz_copy(in.at, in.left);
    from.data = copy;
    from.size = in.left;
    map.capacity = memory_map_capacity(from.step ? from.size / from.step : 0,
                                       CLAIMS);
    map.regions = malloc(map.capacity * sizeof(map.regions[0]));
    if (from.step < sizeof(struct memory_descriptor)) {
        FUZZ_CHECK(!memory_map_convert(&map, &from, claims, CLAIMS));
    } else {
        FUZZ_CHECK(memory_map_convert(&map, &from, claims, CLAIMS));
        check_map(&map);
        check_reserved(&map, copy, &from);
    }
    FUZZ_CHECK(memory_map_ram_end(&from) <= UINT64_C(1) << 52);
    free(map.regions);
    free(copy);
    return 0;
}
