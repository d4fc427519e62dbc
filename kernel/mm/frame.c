/*
 * Page frames: the memory map's usable regions in two buddy allocators, below
 * and above 4 GiB, so that ordinary requests leave the low memory to devices
 * that can reach nothing else. Any context but NMI.
 *
 * Frames below 1 MiB are never handed out: firmware, the trampoline of the
 * other CPUs and old devices live there.
 */
#include <rayos/boot_info.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/panic.h>

#include <string.h>

#include "buddy.h"
#include "frame.h"

#define LOWEST_FRAME 0x100u    /* 1 MiB */
#define ZONE_SPLIT   0x100000u /* 4 GiB, in frames */
/* 2^32 frames of both zones together: 16 TiB. */
#define FRAME_LIMIT       UINT64_C(0xffffffff)
#define LOADER_REGION_MAX 256

enum zone_id { ZONE_LOW, ZONE_HIGH, ZONES };

struct zone {
    uint32_t first; /* frame number of index 0 */
    struct buddy buddy;
};

/* A piece of the memory map in frames, [first, end). */
struct frame_range {
    uint32_t first, end;
};

static struct spinlock frame_lock = SPINLOCK_INIT; /* the zones */
static struct zone zones[ZONES] = {
    [ZONE_LOW] = {.first = 0},
    [ZONE_HIGH] = {.first = ZONE_SPLIT},
};
static struct frame_range loader_regions[LOADER_REGION_MAX];
static unsigned loader_region_count;

static struct zone *zone_of(uint64_t frame)
{
    return &zones[frame >= ZONE_SPLIT ? ZONE_HIGH : ZONE_LOW];
}

/* The part of a region that we may ever hand out. */
static struct frame_range region_range(const struct boot_memory_region *r)
{
    uint64_t first = r->base >> PAGE_SHIFT, end;

    if (r->base & (PAGE_SIZE - 1) || first > FRAME_LIMIT ||
        r->pages > FRAME_LIMIT)
        return (struct frame_range){0, 0};
    end = first + r->pages;
    if (end > FRAME_LIMIT)
        end = FRAME_LIMIT;
    if (first < LOWEST_FRAME)
        first = LOWEST_FRAME;
    return (struct frame_range){(uint32_t)first,
                                (uint32_t)(end > first ? end : first)};
}

static void zones_add(struct frame_range r)
{
    while (r.first < r.end) {
        struct zone *z = zone_of(r.first);
        uint32_t end = r.end;
        int err;

        if (z == &zones[ZONE_LOW] && end > ZONE_SPLIT)
            end = ZONE_SPLIT;
        err = buddy_add(&z->buddy, r.first - z->first, end - r.first);
        KASSERT(err == 0);
        r.first = end;
    }
}

/* Frames that each zone must describe: up to the last that may ever be free. */
static void zones_measure(const struct boot_memory_region *map, uint32_t count,
                          uint32_t size[ZONES])
{
    size[ZONE_LOW] = size[ZONE_HIGH] = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct frame_range r = region_range(&map[i]);

        if (i && map[i].base < map[i - 1].base + map[i - 1].pages * PAGE_SIZE)
            panic("the memory map is not sorted, or overlaps, at %#llx",
                  (unsigned long long)map[i].base);
        if ((map[i].type != BOOT_MEM_USABLE &&
             map[i].type != BOOT_MEM_LOADER) ||
            r.first == r.end)
            continue;
        if (r.first < ZONE_SPLIT)
            size[ZONE_LOW] = r.end < ZONE_SPLIT ? r.end : ZONE_SPLIT;
        if (r.end > ZONE_SPLIT)
            size[ZONE_HIGH] = r.end - ZONE_SPLIT;
    }
}

/* Index of the largest usable region: the metadata go to its end. */
static uint32_t largest_region(const struct boot_memory_region *map,
                               uint32_t count)
{
    uint32_t best = 0, best_size = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct frame_range r = region_range(&map[i]);

        if (map[i].type == BOOT_MEM_USABLE && r.end - r.first > best_size) {
            best = i;
            best_size = r.end - r.first;
        }
    }
    return best;
}

/* LOADER regions are remembered here because the map itself lies in one. */
static void loader_region_keep(struct frame_range r)
{
    struct frame_range *last;

    if (r.first == r.end)
        return;
    last = loader_region_count ? &loader_regions[loader_region_count - 1]
                               : NULL;
    if (last && last->end == r.first)
        last->end = r.end;
    else if (loader_region_count < LOADER_REGION_MAX)
        loader_regions[loader_region_count++] = r;
    else
        log_warn("mm", "%u loader frames are lost: too many regions",
                 r.end - r.first);
}

void frame_init(const struct boot_info *info)
{
    const struct boot_memory_region *map = phys_to_virt(info->memory_map);
    uint32_t count = info->memory_map_count, size[ZONES], host, meta_frames;
    size_t low_bytes, meta_bytes;
    char *meta;

    zones_measure(map, count, size);
    low_bytes = ALIGN_UP(buddy_metadata_size(size[ZONE_LOW]), 64);
    meta_bytes = low_bytes + buddy_metadata_size(size[ZONE_HIGH]);
    meta_frames = (uint32_t)(ALIGN_UP(meta_bytes, PAGE_SIZE) >> PAGE_SHIFT);
    host = largest_region(map, count);
    struct frame_range r = region_range(&map[host]);

    if (!count || map[host].type != BOOT_MEM_USABLE ||
        r.end - r.first <= meta_frames)
        panic("not enough memory: the largest region has %u KiB",
              count ? (r.end - r.first) * 4 : 0);
    meta = phys_to_virt((phys_t)(r.end - meta_frames) << PAGE_SHIFT);
    buddy_init(&zones[ZONE_LOW].buddy, size[ZONE_LOW], meta);
    buddy_init(&zones[ZONE_HIGH].buddy, size[ZONE_HIGH], meta + low_bytes);
    for (uint32_t i = 0; i < count; i++) {
        r = region_range(&map[i]);
        if (i == host)
            r.end -= meta_frames;
        if (map[i].type == BOOT_MEM_USABLE)
            zones_add(r);
        else if (map[i].type == BOOT_MEM_LOADER)
            loader_region_keep(r);
    }
    log_info("mm", "%llu MiB of memory, %u KiB of it to describe frames",
             (unsigned long long)((zones[ZONE_LOW].buddy.total +
                                   zones[ZONE_HIGH].buddy.total) >>
                                  8),
             meta_frames * 4);
}

void frame_reclaim_loader(void)
{
    uint32_t frames = 0;

    for (unsigned i = 0; i < loader_region_count; i++) {
        irqflags_t flags = spin_lock(&frame_lock);

        zones_add(loader_regions[i]);
        spin_unlock(&frame_lock, flags);
        frames += loader_regions[i].end - loader_regions[i].first;
    }
    loader_region_count = 0;
    log_info("mm", "%u KiB of the loader reclaimed", frames * 4);
}

static void note_pressure(void)
{
    const struct buddy *low = &zones[ZONE_LOW].buddy;
    const struct buddy *high = &zones[ZONE_HIGH].buddy;

    memory_pressure_frames(low->free + high->free, low->total + high->total);
}

phys_t frame_alloc(unsigned order, unsigned frame_flags)
{
    irqflags_t flags = spin_lock(&frame_lock);
    uint32_t index = BUDDY_NONE;
    phys_t p;
    int id = frame_flags & FRAME_LOW32 ? ZONE_LOW : ZONE_HIGH;

    for (; id >= 0; id--) {
        index = buddy_alloc(&zones[id].buddy, order);
        if (index != BUDDY_NONE)
            break;
    }
    note_pressure();
    spin_unlock(&frame_lock, flags);
    if (index == BUDDY_NONE) {
        memory_pressure(PRESSURE_EXHAUSTED, 0, PAGE_SIZE << order, NULL);
        return FRAME_NONE;
    }
    p = ((phys_t)zones[id].first + index) << PAGE_SHIFT;
    if (frame_flags & FRAME_ZERO)
        memset(phys_to_virt(p), 0, PAGE_SIZE << order);
    return p;
}

phys_t frame_alloc_run(uint32_t count)
{
    irqflags_t flags = spin_lock(&frame_lock);
    uint32_t index = BUDDY_NONE;
    int id;

    for (id = ZONE_HIGH; id >= 0; id--) {
        index = buddy_alloc_run(&zones[id].buddy, count);
        if (index != BUDDY_NONE)
            break;
    }
    spin_unlock(&frame_lock, flags);
    if (index == BUDDY_NONE)
        return FRAME_NONE;
    return ((phys_t)zones[id].first + index) << PAGE_SHIFT;
}

/* The zone of an address that somebody gives back; NULL when it is none. */
static struct zone *zone_of_address(phys_t p)
{
    if (p & (PAGE_SIZE - 1) || p >> PAGE_SHIFT > FRAME_LIMIT)
        return NULL;
    return zone_of(p >> PAGE_SHIFT);
}

void frame_free(phys_t frame, unsigned order)
{
    struct zone *z = zone_of_address(frame);
    irqflags_t flags;
    int err = -1;

    if (z) {
        flags = spin_lock(&frame_lock);
        err = buddy_free(&z->buddy, (uint32_t)(frame >> PAGE_SHIFT) - z->first,
                         order);
        spin_unlock(&frame_lock, flags);
    }
    if (err)
        panic("frame_free: no block of order %u is allocated at %#llx", order,
              (unsigned long long)frame);
}

void frame_free_run(phys_t base, uint32_t count)
{
    struct zone *z = zone_of_address(base);
    irqflags_t flags;
    int err = -1;

    if (z) {
        flags = spin_lock(&frame_lock);
        err = buddy_free_run(&z->buddy,
                             (uint32_t)(base >> PAGE_SHIFT) - z->first, count);
        spin_unlock(&frame_lock, flags);
    }
    if (err)
        panic("frame_free_run: no run of %u frames is allocated at %#llx",
              count, (unsigned long long)base);
}

void frame_get_stats(struct frame_stats *out)
{
    irqflags_t flags = spin_lock(&frame_lock);

    memset(out, 0, sizeof(*out));
    for (int id = 0; id < ZONES; id++) {
        const struct buddy *b = &zones[id].buddy;

        out->total += b->total;
        out->free += b->free;
        for (unsigned i = 0; i <= FRAME_MAX_ORDER; i++)
            out->free_blocks[i] += b->free_blocks[i];
    }
    spin_unlock(&frame_lock, flags);
}
