/*
 * A guest's RAM: see guest_memory.h. Blocks of 2 MiB of guest-physical address
 * space, each backed by one frame of 2 MiB or, where the host has none left or
 * the RAM ends inside the block, by frames of 4 KiB. Thread context; reads and
 * writes in any context but NMI.
 */
#include "vmm/guest_memory.h"

#include <errno.h>
#include <string.h>

#include <arch/features.h>
#include <rayos/mm.h>

#include "vmm/nested.h"

#define BLOCK_SIZE  LARGE_PAGE_SIZE
#define BLOCK_PAGES (BLOCK_SIZE / PAGE_SIZE)
#define RANGES_MAX  2

/* One block: `frame`, or page by page when that is FRAME_NONE. */
struct block {
    phys_t frame;
    phys_t *pages; /* BLOCK_PAGES of them, FRAME_NONE past the end */
};

/* RAM from `base`; its blocks follow each other in guest_memory.blocks. */
struct range {
    gpa_t base;
    uint64_t size;
    size_t first_block;
};

struct guest_memory {
    uint64_t size;
    struct range ranges[RANGES_MAX];
    size_t range_count;
    struct block *blocks;
    size_t block_count;
    struct nested tables;
    bool mapped; /* `tables` exist */
};

/* --- frames --- */

static void block_free(struct block *b)
{
    if (b->frame != FRAME_NONE)
        frame_free(b->frame, FRAME_ORDER_2M);
    for (size_t i = 0; b->pages && i < BLOCK_PAGES; i++)
        if (b->pages[i] != FRAME_NONE)
            frame_free(b->pages[i], 0);
    kfree(b->pages);
}

/* `bytes` of RAM at the start of the block. */
static int block_fill(struct block *b, uint64_t bytes)
{
    *b = (struct block){.frame = FRAME_NONE};
    if (bytes >= BLOCK_SIZE)
        b->frame = frame_alloc(FRAME_ORDER_2M, FRAME_ZERO);
    if (b->frame != FRAME_NONE)
        return 0;
    b->pages = kalloc(BLOCK_PAGES * sizeof(*b->pages));
    if (!b->pages)
        return -ENOMEM;
    for (size_t i = 0; i < BLOCK_PAGES; i++)
        b->pages[i] = FRAME_NONE;
    for (size_t i = 0; i < BLOCK_PAGES && i * PAGE_SIZE < bytes; i++) {
        b->pages[i] = frame_alloc(0, FRAME_ZERO);
        if (b->pages[i] == FRAME_NONE)
            return -ENOMEM;
    }
    return 0;
}

static size_t blocks_for(uint64_t size)
{
    return (size_t)(ALIGN_UP(size, BLOCK_SIZE) / BLOCK_SIZE);
}

static void ranges_set(struct guest_memory *m)
{
    uint64_t low = m->size < GUEST_LOW_END ? m->size : GUEST_LOW_END;

    m->ranges[0] = (struct range){.base = 0, .size = low};
    m->range_count = 1;
    m->block_count = blocks_for(low);
    if (m->size > low) {
        m->ranges[1] = (struct range){
            .base = GUEST_HIGH,
            .size = m->size - low,
            .first_block = m->block_count,
        };
        m->range_count = 2;
        m->block_count += blocks_for(m->size - low);
    }
}

static int blocks_fill(struct guest_memory *m)
{
    for (size_t r = 0; r < m->range_count; r++) {
        const struct range *range = &m->ranges[r];

        for (size_t i = 0; i < blocks_for(range->size); i++) {
            int err = block_fill(&m->blocks[range->first_block + i],
                                 range->size - i * BLOCK_SIZE);

            if (err)
                return err;
        }
    }
    return 0;
}

int guest_memory_create(uint64_t size, struct guest_memory **out)
{
    struct guest_memory *m;
    int err;

    if (size % PAGE_SIZE || size < GUEST_RAM_MIN || size > NESTED_LIMIT / 2)
        return -EINVAL;
    m = kzalloc(sizeof(*m));
    if (!m)
        return -ENOMEM;
    m->size = size;
    ranges_set(m);
    m->blocks = kalloc(m->block_count * sizeof(*m->blocks));
    if (!m->blocks) {
        kfree(m);
        return -ENOMEM;
    }
    for (size_t i = 0; i < m->block_count; i++)
        m->blocks[i] = (struct block){.frame = FRAME_NONE};
    err = blocks_fill(m);
    if (err) {
        guest_memory_destroy(m);
        return err;
    }
    *out = m;
    return 0;
}

void guest_memory_destroy(struct guest_memory *m)
{
    if (m->mapped)
        nested_destroy(&m->tables);
    for (size_t i = 0; i < m->block_count; i++)
        block_free(&m->blocks[i]);
    kfree(m->blocks);
    kfree(m);
}

/* --- where it lies --- */

uint64_t guest_memory_size(const struct guest_memory *m)
{
    return m->size;
}

gpa_t guest_memory_end(const struct guest_memory *m)
{
    const struct range *last = &m->ranges[m->range_count - 1];

    return last->base + last->size;
}

bool guest_memory_range(const struct guest_memory *m, size_t i, gpa_t *base,
                        uint64_t *size)
{
    if (i >= m->range_count)
        return false;
    *base = m->ranges[i].base;
    *size = m->ranges[i].size;
    return true;
}

static const struct range *range_of(const struct guest_memory *m, gpa_t gpa)
{
    for (size_t i = 0; i < m->range_count; i++)
        if (gpa >= m->ranges[i].base &&
            gpa - m->ranges[i].base < m->ranges[i].size)
            return &m->ranges[i];
    return NULL;
}

/* The longest stretch from gpa in one frame, and in RAM. */
static phys_t span(const struct guest_memory *m, gpa_t gpa, size_t n,
                   size_t *got)
{
    const struct range *r = range_of(m, gpa);
    const struct block *b;
    uint64_t offset, room;
    phys_t phys;

    if (!r)
        return FRAME_NONE;
    offset = gpa - r->base;
    b = &m->blocks[r->first_block + offset / BLOCK_SIZE];
    if (b->frame != FRAME_NONE) {
        phys = b->frame + offset % BLOCK_SIZE;
        room = BLOCK_SIZE - offset % BLOCK_SIZE;
    } else {
        phys = b->pages[offset % BLOCK_SIZE / PAGE_SIZE] + offset % PAGE_SIZE;
        room = PAGE_SIZE - offset % PAGE_SIZE;
    }
    *got = n < room ? n : (size_t)room;
    return phys;
}

void *guest_span(struct guest_memory *m, gpa_t gpa, size_t n, size_t *got)
{
    phys_t phys = span(m, gpa, n, got);

    return phys == FRAME_NONE ? NULL : phys_to_virt(phys);
}

phys_t guest_phys(struct guest_memory *m, gpa_t gpa, size_t n, size_t *got)
{
    return span(m, gpa, n, got);
}

/* --- copies --- */

/* Is all of it RAM? A stretch of RAM has no holes. */
static bool is_ram(const struct guest_memory *m, gpa_t gpa, size_t n)
{
    const struct range *r = range_of(m, gpa);

    return r && n <= r->size - (gpa - r->base);
}

int guest_read(const struct guest_memory *m, gpa_t gpa, void *out, size_t n)
{
    uint8_t *to = out;

    if (!n)
        return 0;
    if (!is_ram(m, gpa, n))
        return -EFAULT;
    for (size_t got = 0; n; n -= got, gpa += got, to += got) {
        phys_t phys = span(m, gpa, n, &got);

        memcpy(to, phys_to_virt(phys), got);
    }
    return 0;
}

int guest_write(struct guest_memory *m, gpa_t gpa, const void *data, size_t n)
{
    const uint8_t *from = data;

    if (!n)
        return 0;
    if (!is_ram(m, gpa, n))
        return -EFAULT;
    for (size_t got = 0; n; n -= got, gpa += got, from += got) {
        phys_t phys = span(m, gpa, n, &got);

        memcpy(phys_to_virt(phys), from, got);
    }
    return 0;
}

int guest_fill(struct guest_memory *m, gpa_t gpa, uint8_t byte, size_t n)
{
    if (!n)
        return 0;
    if (!is_ram(m, gpa, n))
        return -EFAULT;
    for (size_t got = 0; n; n -= got, gpa += got) {
        phys_t phys = span(m, gpa, n, &got);

        memset(phys_to_virt(phys), byte, got);
    }
    return 0;
}

int guest_load16(const struct guest_memory *m, gpa_t gpa, uint16_t *out)
{
    size_t got;
    phys_t phys;

    if (gpa % sizeof(*out) || !range_of(m, gpa))
        return -EFAULT;
    phys = span(m, gpa, sizeof(*out), &got);
    *out = __atomic_load_n((uint16_t *)phys_to_virt(phys), __ATOMIC_ACQUIRE);
    return 0;
}

int guest_store16(struct guest_memory *m, gpa_t gpa, uint16_t v)
{
    size_t got;
    phys_t phys;

    if (gpa % sizeof(v) || !range_of(m, gpa))
        return -EFAULT;
    phys = span(m, gpa, sizeof(v), &got);
    __atomic_store_n((uint16_t *)phys_to_virt(phys), v, __ATOMIC_RELEASE);
    return 0;
}

/* --- nested page tables --- */

static phys_t table_alloc(void)
{
    return frame_alloc(0, FRAME_ZERO);
}

static void table_free(phys_t frame)
{
    frame_free(frame, 0);
}

static uint64_t *table_at(phys_t frame)
{
    return phys_to_virt(frame);
}

static const struct nested_ops frame_ops = {
    .alloc = table_alloc,
    .free = table_free,
    .table = table_at,
};

_Static_assert(FRAME_NONE == GPA_NONE, "nested_ops.alloc");

/* Map [gpa, gpa + size) of RAM, frame by frame. */
static int map_ram(struct guest_memory *m, gpa_t gpa, uint64_t size,
                   unsigned rights)
{
    for (size_t got = 0; size; size -= got, gpa += got) {
        phys_t phys = span(m, gpa, size, &got);
        int err;

        if (phys == FRAME_NONE)
            return -EFAULT;
        err = nested_map(&m->tables, gpa, phys, got, rights);
        if (err)
            return err;
    }
    return 0;
}

int guest_memory_map(struct guest_memory *m, enum nested_format format)
{
    int err = nested_init(&m->tables, format, arch_cpu_info()->nx_mask,
                          &frame_ops);

    if (err)
        return err;
    m->mapped = true;
    for (size_t i = 0; i < m->range_count && !err; i++)
        err = map_ram(m, m->ranges[i].base, m->ranges[i].size,
                      NESTED_READ | NESTED_WRITE | NESTED_EXEC);
    return err;
}

phys_t guest_memory_root(const struct guest_memory *m)
{
    return m->tables.root;
}

int guest_memory_protect(struct guest_memory *m, gpa_t gpa, uint64_t size,
                         unsigned rights)
{
    if ((gpa | size) % PAGE_SIZE)
        return -EINVAL;
    /* From RAM itself, not from the tables: what had no rights is not in
     * them. */
    return map_ram(m, gpa, size, rights);
}

int guest_memory_map_host(struct guest_memory *m, gpa_t gpa, phys_t phys,
                          uint64_t size, unsigned rights)
{
    return nested_map(&m->tables, gpa, phys, size, rights);
}

size_t guest_memory_table_frames(const struct guest_memory *m)
{
    return m->tables.frames;
}
