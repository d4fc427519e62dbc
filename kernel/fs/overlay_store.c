/* An overlay over two disks: see overlay_store.h. Thread context. */
#include "overlay_store.h"

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "partition.h"

/* --- places --- */

static uint64_t slot_sector(const struct overlay_store *s, uint32_t slot)
{
    return s->map.shape.data_at + (uint64_t)slot * OVERLAY_CHUNK;
}

uint32_t overlay_store_locate(const struct overlay_store *s, uint64_t sector,
                              uint32_t sectors, bool *in_state, uint64_t *at)
{
    const uint32_t *slot_of = s->map.slot_of;
    uint32_t chunk = (uint32_t)(sector / OVERLAY_CHUNK);
    uint32_t in_chunk = (uint32_t)(sector % OVERLAY_CHUNK);
    uint32_t slot = slot_of[chunk], run = OVERLAY_CHUNK - in_chunk;

    *in_state = slot != OVERLAY_NONE;
    *at = *in_state ? slot_sector(s, slot) + in_chunk : sector;
    while (run < sectors) {
        uint32_t next = slot_of[++chunk];

        if (next != (*in_state ? ++slot : OVERLAY_NONE))
            break;
        run += OVERLAY_CHUNK;
    }
    return run < sectors ? run : sectors;
}

/* --- opening --- */

static int base_sum(struct overlay_store *s, uint32_t *sum)
{
    uint32_t n = s->base.sectors < OVERLAY_CHUNK ? (uint32_t)s->base.sectors
                                                 : OVERLAY_CHUNK;
    int err = s->base.read(s->base.arg, 0, s->chunk, n);

    if (!err)
        *sum = partition_crc32(0, s->chunk, (size_t)n * BLOCK_SECTOR);
    return err;
}

static bool all_zero(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i])
            return false;
    return true;
}

/* An empty map under a header that comes last: a half-made one is zeros. */
static int format(struct overlay_store *s, uint32_t sum)
{
    struct overlay_shape shape;
    uint8_t sector[BLOCK_SECTOR] = {0};
    int err = overlay_shape_new(s->base.sectors, sum, s->state.sectors, &shape);

    memset(s->chunk, 0, (size_t)OVERLAY_HEADER_SECTORS * BLOCK_SECTOR);
    if (!err)
        err = s->state.write(s->state.arg, 0, s->chunk, OVERLAY_HEADER_SECTORS);
    if (!err)
        err = s->state.flush(s->state.arg);
    if (!err)
        err = overlay_map_init(&s->map, &shape);
    for (uint32_t i = 0; !err && i < shape.map_sectors; i++) {
        overlay_map_store(&s->map, i, sector);
        err = s->state.write(s->state.arg, shape.map_at + i, sector, 1);
    }
    if (!err)
        err = s->state.flush(s->state.arg);
    if (err)
        return err;
    overlay_header_make(&shape, sector);
    err = s->state.write(s->state.arg, 0, sector, 1);
    return err ? err : s->state.flush(s->state.arg);
}

static int load(struct overlay_store *s, const struct overlay_shape *shape)
{
    int err = overlay_map_init(&s->map, shape);

    for (uint32_t i = 0; !err && i < shape->map_sectors;) {
        uint32_t n = shape->map_sectors - i;

        n = n < OVERLAY_CHUNK ? n : OVERLAY_CHUNK;
        err = s->state.read(s->state.arg, shape->map_at + i, s->chunk, n);
        for (uint32_t k = 0; !err && k < n; k++)
            err = overlay_map_load(&s->map, i + k,
                                   s->chunk + (size_t)k * BLOCK_SECTOR);
        i += n;
    }
    return err;
}

/* The buffer holds the header's sectors. */
static int open_checked(struct overlay_store *s, enum overlay_start start,
                        const uint8_t *head, uint32_t sum, const char **why)
{
    struct overlay_shape shape;
    int err = overlay_header_parse(head, s->state.sectors, &shape);

    if (err == -EINVAL) {
        if (all_zero(head, OVERLAY_HEADER_SECTORS * BLOCK_SECTOR))
            return format(s, sum);
        *why = "the state disk holds something else";
        return err;
    }
    if (start == OVERLAY_RESET)
        return format(s, sum);
    *why = "its header is damaged";
    if (err)
        return err;
    *why = "it was made over another base";
    if (shape.base_sectors != s->base.sectors || shape.base_sum != sum)
        return -ESTALE;
    *why = "its map is damaged";
    return load(s, &shape);
}

int overlay_store_open(struct overlay_store *s, enum overlay_start start,
                       const char **why)
{
    uint8_t *head = kalloc((size_t)OVERLAY_HEADER_SECTORS * BLOCK_SECTOR);
    uint32_t sum;
    int err = head ? 0 : -ENOMEM;

    *why = "a disk cannot be read or written, or is too small or large";
    s->map = (struct overlay_map){.slot_of = NULL};
    s->chunk = kalloc((size_t)OVERLAY_CHUNK * BLOCK_SECTOR);
    if (!s->chunk)
        err = -ENOMEM;
    if (!err && s->state.sectors < OVERLAY_HEADER_SECTORS)
        err = -ENOSPC;
    if (!err)
        err = s->state.read(s->state.arg, 0, head, OVERLAY_HEADER_SECTORS);
    if (!err)
        err = base_sum(s, &sum);
    if (!err)
        err = open_checked(s, start, head, sum, why);
    kfree(head);
    if (err)
        overlay_store_close(s);
    return err;
}

void overlay_store_close(struct overlay_store *s)
{
    overlay_map_free(&s->map);
    kfree(s->chunk);
    s->chunk = NULL;
}

/* --- reading and writing --- */

int overlay_store_read(struct overlay_store *s, uint64_t sector, void *buffer,
                       uint32_t sectors)
{
    uint8_t *p = buffer;
    int err = 0;

    while (sectors && !err) {
        bool in_state;
        uint64_t at;
        uint32_t n = overlay_store_locate(s, sector, sectors, &in_state, &at);
        const struct overlay_disk *d = in_state ? &s->state : &s->base;

        err = d->read(d->arg, at, p, n);
        p += (size_t)n * BLOCK_SECTOR;
        sector += n;
        sectors -= n;
    }
    return err;
}

/* The first write to a chunk: all of it goes to a slot. It is named only when
 * that is done. */
static int copy_up(struct overlay_store *s, uint64_t sector, const void *data,
                   uint32_t n)
{
    uint32_t chunk = (uint32_t)(sector / OVERLAY_CHUNK);
    uint64_t first = (uint64_t)chunk * OVERLAY_CHUNK;
    uint64_t rest = s->base.sectors - first;
    uint32_t whole = rest < OVERLAY_CHUNK ? (uint32_t)rest : OVERLAY_CHUNK;
    uint32_t slot = overlay_map_free_slot(&s->map);
    int err = slot == OVERLAY_NONE ? -ENOSPC : 0;

    if (!err && n < whole)
        err = s->base.read(s->base.arg, first, s->chunk, whole);
    if (err)
        return err;
    memcpy(s->chunk + (sector - first) * BLOCK_SECTOR, data,
           (size_t)n * BLOCK_SECTOR);
    err = s->state.write(s->state.arg, slot_sector(s, slot), s->chunk, whole);
    if (!err)
        overlay_map_set(&s->map, chunk, slot);
    return err;
}

int overlay_store_write(struct overlay_store *s, uint64_t sector,
                        const void *data, uint32_t sectors)
{
    const uint8_t *p = data;
    int err = 0;

    while (sectors && !err) {
        bool in_state;
        uint64_t at;
        uint32_t n = overlay_store_locate(s, sector, sectors, &in_state, &at);
        uint32_t in_chunk = OVERLAY_CHUNK - (uint32_t)(sector % OVERLAY_CHUNK);

        if (in_state) {
            err = s->state.write(s->state.arg, at, p, n);
        } else {
            n = n < in_chunk ? n : in_chunk;
            err = copy_up(s, sector, p, n);
        }
        p += (size_t)n * BLOCK_SECTOR;
        sector += n;
        sectors -= n;
    }
    return err;
}

int overlay_store_flush(struct overlay_store *s)
{
    const struct overlay_shape *shape = &s->map.shape;
    uint8_t sector[BLOCK_SECTOR];
    int err = s->state.flush(s->state.arg); /* data before what names it */
    bool any = false;

    for (uint32_t i = 0; !err && i < shape->map_sectors; i++) {
        if (!s->map.dirty[i])
            continue;
        any = true;
        overlay_map_store(&s->map, i, sector);
        err = s->state.write(s->state.arg, shape->map_at + i, sector, 1);
    }
    if (!err && any)
        err = s->state.flush(s->state.arg);
    if (!err && any)
        memset(s->map.dirty, 0, shape->map_sectors);
    return err;
}
