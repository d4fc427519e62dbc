/* From the firmware's memory map to that of struct boot_info. Pure. */
#ifndef BOOT_MEMORY_MAP_H
#define BOOT_MEMORY_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rayos/boot_info.h>

/* UEFI 2.9, 7.2: EFI_MEMORY_DESCRIPTOR; firmware may make it longer. */
struct memory_descriptor {
    uint32_t type;
    uint32_t pad;
    uint64_t base;
    uint64_t virtual_base;
    uint64_t pages;
    uint64_t attribute;
};

/* What GetMemoryMap returned: `size` bytes of descriptors, one every `step`
 * bytes. */
struct memory_descriptors {
    const void *data;
    size_t size;
    size_t step;
};

/* A range that the loader has allocated for something. */
struct memory_claim {
    uint64_t base;
    uint64_t pages;
    uint32_t type; /* enum boot_memory_type */
};

struct memory_map {
    struct boot_memory_region *regions;
    size_t count, capacity;
};

/* Regions that a conversion can take at most. */
size_t memory_map_capacity(size_t descriptors, size_t claims);

/*
 * Convert: sorted, not overlapping, neighbours of one type merged. Where the
 * firmware's descriptors overlap, the type that allows less wins. Claims
 * retype only what is usable or the loader's; page 0 is reserved. false: the
 * descriptors make no sense (`step` too small) or there is no room.
 */
bool memory_map_convert(struct memory_map *map,
                        const struct memory_descriptors *from,
                        const struct memory_claim *claims, size_t claim_count);

/* End of the highest RAM, in bytes. */
uint64_t memory_map_ram_end(const struct memory_descriptors *from);

#endif
