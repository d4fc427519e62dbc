/* The format of an overlay's state disk. See overlay_map.h. Pure. */
#include "overlay_map.h"

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "partition.h"

#define VERSION   1
#define MAP_MAGIC UINT32_C(0x504d564f) /* "OVMP" */

static const char magic[8] = {'R', 'A', 'Y', 'O', 'S', 'O', 'V', 'L'};

struct header {
    char magic[8];
    uint32_t version, chunk_sectors;
    uint64_t base_sectors;
    uint32_t base_sum, slots;
    uint8_t zeros[BLOCK_SECTOR - 36];
    uint32_t sum; /* of all before it */
};
_Static_assert(sizeof(struct header) == BLOCK_SECTOR, "one sector");

struct map_sector {
    uint32_t magic, index;
    uint32_t entry[OVERLAY_ENTRIES]; /* the slot's number and 1; 0: none */
    uint32_t base_sum;
    uint32_t sum; /* of all before it */
};
_Static_assert(sizeof(struct map_sector) == BLOCK_SECTOR, "one sector");

static uint32_t sum_of(const void *sector)
{
    return partition_crc32(0, sector, BLOCK_SECTOR - sizeof(uint32_t));
}

/* --- shape --- */

/* What follows from the base's size and the number of slots. */
static int derive(struct overlay_shape *s)
{
    uint64_t chunks = (s->base_sectors + OVERLAY_CHUNK - 1) / OVERLAY_CHUNK;
    uint64_t end;

    if (!s->base_sectors || s->base_sectors > UINT64_MAX - OVERLAY_CHUNK ||
        chunks > OVERLAY_CHUNKS_MAX)
        return -EFBIG;
    s->chunks = (uint32_t)chunks;
    s->map_sectors = (s->chunks + OVERLAY_ENTRIES - 1) / OVERLAY_ENTRIES;
    s->map_at = OVERLAY_HEADER_SECTORS;
    end = s->map_at + s->map_sectors;
    s->data_at = (end + OVERLAY_CHUNK - 1) / OVERLAY_CHUNK * OVERLAY_CHUNK;
    return 0;
}

int overlay_shape_new(uint64_t base_sectors, uint32_t base_sum,
                      uint64_t state_sectors, struct overlay_shape *out)
{
    struct overlay_shape s = {.base_sectors = base_sectors,
                              .base_sum = base_sum};
    int err = derive(&s);
    uint64_t room;

    if (err)
        return err;
    room = state_sectors > s.data_at
               ? (state_sectors - s.data_at) / OVERLAY_CHUNK
               : 0;
    if (!room)
        return -ENOSPC;
    s.slots = room < s.chunks ? (uint32_t)room : s.chunks;
    *out = s;
    return 0;
}

/* --- header --- */

void overlay_header_make(const struct overlay_shape *s,
                         uint8_t sector[BLOCK_SECTOR])
{
    struct header h = {
        .version = VERSION,
        .chunk_sectors = OVERLAY_CHUNK,
        .base_sectors = s->base_sectors,
        .base_sum = s->base_sum,
        .slots = s->slots,
    };

    memcpy(h.magic, magic, sizeof(magic));
    h.sum = sum_of(&h);
    memcpy(sector, &h, sizeof(h));
}

int overlay_header_parse(const uint8_t sector[BLOCK_SECTOR],
                         uint64_t state_sectors, struct overlay_shape *out)
{
    struct overlay_shape s;
    struct header h;

    memcpy(&h, sector, sizeof(h));
    if (memcmp(h.magic, magic, sizeof(magic)) != 0)
        return -EINVAL;
    if (h.sum != sum_of(&h) || h.version != VERSION ||
        h.chunk_sectors != OVERLAY_CHUNK)
        return -EILSEQ;
    s = (struct overlay_shape){.base_sectors = h.base_sectors,
                               .base_sum = h.base_sum,
                               .slots = h.slots};
    if (derive(&s) || !s.slots || s.slots > s.chunks ||
        s.data_at > state_sectors ||
        s.slots > (state_sectors - s.data_at) / OVERLAY_CHUNK)
        return -EILSEQ;
    *out = s;
    return 0;
}

/* --- map --- */

int overlay_map_init(struct overlay_map *m, const struct overlay_shape *s)
{
    *m = (struct overlay_map){.shape = *s};
    m->slot_of = kalloc(s->chunks * sizeof(*m->slot_of));
    m->used = kzalloc(s->slots);
    m->dirty = kzalloc(s->map_sectors);
    if (!m->slot_of || !m->used || !m->dirty) {
        overlay_map_free(m);
        return -ENOMEM;
    }
    memset(m->slot_of, 0xff, s->chunks * sizeof(*m->slot_of));
    return 0;
}

void overlay_map_free(struct overlay_map *m)
{
    kfree(m->slot_of);
    kfree(m->used);
    kfree(m->dirty);
    *m = (struct overlay_map){.slot_of = NULL};
}

static uint32_t entries_of(const struct overlay_map *m, uint32_t index)
{
    uint32_t left = m->shape.chunks - index * OVERLAY_ENTRIES;

    return left < OVERLAY_ENTRIES ? left : OVERLAY_ENTRIES;
}

int overlay_map_load(struct overlay_map *m, uint32_t index,
                     const uint8_t sector[BLOCK_SECTOR])
{
    struct map_sector s;

    memcpy(&s, sector, sizeof(s));
    if (s.magic != MAP_MAGIC || s.index != index ||
        s.base_sum != m->shape.base_sum || s.sum != sum_of(&s))
        return -EILSEQ;
    for (uint32_t i = 0; i < entries_of(m, index); i++) {
        uint32_t slot = s.entry[i] - 1;

        if (!s.entry[i])
            continue;
        if (slot >= m->shape.slots || m->used[slot])
            return -EILSEQ; /* two chunks would share it */
        m->slot_of[index * OVERLAY_ENTRIES + i] = slot;
        m->used[slot] = 1;
        m->taken++;
    }
    return 0;
}

void overlay_map_store(const struct overlay_map *m, uint32_t index,
                       uint8_t sector[BLOCK_SECTOR])
{
    struct map_sector s = {
        .magic = MAP_MAGIC, .index = index, .base_sum = m->shape.base_sum};

    for (uint32_t i = 0; i < entries_of(m, index); i++) /* none is -1 */
        s.entry[i] = m->slot_of[index * OVERLAY_ENTRIES + i] + 1;
    s.sum = sum_of(&s);
    memcpy(sector, &s, sizeof(s));
}

uint32_t overlay_map_free_slot(struct overlay_map *m)
{
    for (uint32_t n = 0; n < m->shape.slots; n++) {
        uint32_t slot = m->next;

        if (!m->used[slot])
            return slot;
        m->next = slot + 1 < m->shape.slots ? slot + 1 : 0;
    }
    return OVERLAY_NONE;
}

void overlay_map_set(struct overlay_map *m, uint32_t chunk, uint32_t slot)
{
    m->slot_of[chunk] = slot;
    m->used[slot] = 1;
    m->dirty[chunk / OVERLAY_ENTRIES] = 1;
    m->taken++;
}
