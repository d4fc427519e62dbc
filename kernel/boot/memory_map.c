/*
 * Conversion of the UEFI memory map. The firmware's map need not be sorted,
 * its descriptors have a length of their own, and bad firmware lets them
 * overlap; the kernel's map is clean. Runs after ExitBootServices, hence
 * neither allocates nor prints. Pure; loader and host tests.
 */
#include "kernel/boot/memory_map.h"

#include <string.h>

#include <rayos/types.h>

/* UEFI 2.9, 7.2, AllocatePages: memory types, and the attribute of what the
 * runtime services need. */
enum {
    EFI_LOADER_CODE = 1,
    EFI_LOADER_DATA = 2,
    EFI_BOOT_CODE = 3,
    EFI_BOOT_DATA = 4,
    EFI_RUNTIME_CODE = 5,
    EFI_RUNTIME_DATA = 6,
    EFI_CONVENTIONAL = 7,
    EFI_ACPI_RECLAIM = 9,
    EFI_ACPI_NVS = 10,
    EFI_MMIO = 11,
    EFI_MMIO_PORTS = 12,
};
#define EFI_ATTRIBUTE_RUNTIME (UINT64_C(1) << 63)

/* Physical addresses end here (AMD APM 2, 5.1: 52 bits). */
#define PHYSICAL_END (UINT64_C(1) << 52)

/* The order in which types are painted: a later one covers an earlier one. */
static const uint8_t paint_order[] = {
    BOOT_MEM_USABLE,   BOOT_MEM_LOADER,       BOOT_MEM_ACPI_RECLAIM,
    BOOT_MEM_ACPI_NVS, BOOT_MEM_RUNTIME_CODE, BOOT_MEM_RUNTIME_DATA,
    BOOT_MEM_MMIO,     BOOT_MEM_RESERVED,
};

static uint32_t type_convert(const struct memory_descriptor *d)
{
    switch (d->type) {
    case EFI_LOADER_CODE:
    case EFI_LOADER_DATA:
        return BOOT_MEM_LOADER;
    case EFI_BOOT_CODE:
    case EFI_BOOT_DATA:
    case EFI_CONVENTIONAL:
        return BOOT_MEM_USABLE;
    case EFI_RUNTIME_CODE:
        return BOOT_MEM_RUNTIME_CODE;
    case EFI_RUNTIME_DATA:
        return BOOT_MEM_RUNTIME_DATA;
    case EFI_ACPI_RECLAIM:
        return BOOT_MEM_ACPI_RECLAIM;
    case EFI_ACPI_NVS:
        return BOOT_MEM_ACPI_NVS;
    case EFI_MMIO:
    case EFI_MMIO_PORTS:
        return BOOT_MEM_MMIO;
    default:
        /* Reserved, yet the runtime services want to see it. */
        return d->attribute & EFI_ATTRIBUTE_RUNTIME ? BOOT_MEM_RUNTIME_DATA
                                                    : BOOT_MEM_RESERVED;
    }
}

static bool is_ram(uint32_t efi_type)
{
    return (efi_type >= EFI_LOADER_CODE && efi_type <= EFI_CONVENTIONAL) ||
           efi_type == EFI_ACPI_RECLAIM || efi_type == EFI_ACPI_NVS;
}

/* Descriptor i, cut to what can be addressed; false when nothing is left. */
static bool descriptor_at(const struct memory_descriptors *from, size_t i,
                          struct memory_descriptor *out)
{
    memcpy(out, (const uint8_t *)from->data + i * from->step, sizeof(*out));
    if (out->base % PAGE_SIZE || out->base >= PHYSICAL_END)
        return false;
    if (out->pages > (PHYSICAL_END - out->base) >> PAGE_SHIFT)
        out->pages = (PHYSICAL_END - out->base) >> PAGE_SHIFT;
    return out->pages != 0;
}

static uint64_t region_end(const struct boot_memory_region *r)
{
    return r->base + (r->pages << PAGE_SHIFT);
}

/* Open a place for one region before index i. */
static bool region_insert(struct memory_map *map, size_t i, uint64_t base,
                          uint64_t end, uint32_t type)
{
    if (map->count == map->capacity)
        return false;
    memmove(&map->regions[i + 1], &map->regions[i],
            (map->count - i) * sizeof(map->regions[0]));
    map->count++;
    map->regions[i] = (struct boot_memory_region){
        .base = base, .pages = (end - base) >> PAGE_SHIFT, .type = type};
    return true;
}

static void region_remove(struct memory_map *map, size_t i)
{
    map->count--;
    memmove(&map->regions[i], &map->regions[i + 1],
            (map->count - i) * sizeof(map->regions[0]));
}

/* Cut [base, end) out of the map; *at is where a region of that range goes. */
static bool map_cut(struct memory_map *map, uint64_t base, uint64_t end,
                    size_t *at)
{
    size_t i = 0;

    while (i < map->count && region_end(&map->regions[i]) <= base)
        i++;
    if (i < map->count && map->regions[i].base < base) {
        struct boot_memory_region whole = map->regions[i];

        map->regions[i].pages = (base - whole.base) >> PAGE_SHIFT;
        i++;
        if (region_end(&whole) > end) {
            *at = i;
            return region_insert(map, i, end, region_end(&whole), whole.type);
        }
    }
    *at = i;
    while (i < map->count && region_end(&map->regions[i]) <= end)
        region_remove(map, i);
    if (i < map->count && map->regions[i].base < end) {
        map->regions[i].pages = (region_end(&map->regions[i]) - end) >>
                                PAGE_SHIFT;
        map->regions[i].base = end;
    }
    return true;
}

static bool map_paint(struct memory_map *map, uint64_t base, uint64_t end,
                      uint32_t type)
{
    size_t at;

    return map_cut(map, base, end, &at) &&
           region_insert(map, at, base, end, type);
}

/* Paint only what is usable or the loader's now. */
static bool map_claim(struct memory_map *map, uint64_t base, uint64_t end,
                      uint32_t type)
{
    for (size_t i = 0; i < map->count; i++) {
        struct boot_memory_region r = map->regions[i];
        uint64_t from = r.base > base ? r.base : base;
        uint64_t to = region_end(&r) < end ? region_end(&r) : end;

        if (from >= to || r.type == type ||
            (r.type != BOOT_MEM_USABLE && r.type != BOOT_MEM_LOADER))
            continue;
        if (!map_paint(map, from, to, type))
            return false;
    }
    return true;
}

static void map_merge(struct memory_map *map)
{
    size_t kept = 0;

    for (size_t i = 1; i < map->count; i++) {
        struct boot_memory_region *last = &map->regions[kept];
        const struct boot_memory_region *r = &map->regions[i];

        if (r->type == last->type && r->base == region_end(last))
            last->pages += r->pages;
        else
            map->regions[++kept] = *r;
    }
    if (map->count)
        map->count = kept + 1;
}

static bool paint_type(struct memory_map *map,
                       const struct memory_descriptors *from, uint32_t type)
{
    struct memory_descriptor d;

    for (size_t i = 0; i < from->size / from->step; i++)
        if (descriptor_at(from, i, &d) && type_convert(&d) == type &&
            !map_paint(map, d.base, d.base + (d.pages << PAGE_SHIFT), type))
            return false;
    return true;
}

size_t memory_map_capacity(size_t descriptors, size_t claims)
{
    /* A range that is painted adds itself and may split one in two. */
    return 2 * (descriptors + claims + 1);
}

bool memory_map_convert(struct memory_map *map,
                        const struct memory_descriptors *from,
                        const struct memory_claim *claims, size_t claim_count)
{
    map->count = 0;
    if (from->step < sizeof(struct memory_descriptor))
        return false;
    for (size_t i = 0; i < sizeof(paint_order); i++)
        if (!paint_type(map, from, paint_order[i]))
            return false;
    map_merge(map);
    for (size_t i = 0; i < claim_count; i++)
        if (!map_claim(map, claims[i].base,
                       claims[i].base + (claims[i].pages << PAGE_SHIFT),
                       claims[i].type))
            return false;
    /* Page 0 stays out of use, so that a physical address of 0 is nobody's. */
    if (!map_claim(map, 0, PAGE_SIZE, BOOT_MEM_RESERVED))
        return false;
    map_merge(map);
    return true;
}

uint64_t memory_map_ram_end(const struct memory_descriptors *from)
{
    struct memory_descriptor d;
    uint64_t end = 0;

    if (from->step < sizeof(d))
        return 0;
    for (size_t i = 0; i < from->size / from->step; i++)
        if (descriptor_at(from, i, &d) && is_ram(d.type) &&
            d.base + (d.pages << PAGE_SHIFT) > end)
            end = d.base + (d.pages << PAGE_SHIFT);
    return end;
}
