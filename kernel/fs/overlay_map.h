/*
 * What lies on the state disk of an overlay, and the map in memory. Pure: no
 * disk is touched here. Thread context.
 *
 *   sectors 0 to 7      the header in the first, zeros
 *   map_at, map_sectors the map: for each chunk of the base the slot that has
 *                       it now, or none; each sector with a checksum
 *   data_at             slots of a chunk each
 */
#ifndef FS_OVERLAY_MAP_H
#define FS_OVERLAY_MAP_H

#include <rayos/block.h>
#include <rayos/types.h>

#define OVERLAY_CHUNK          128 /* sectors: 64 KiB */
#define OVERLAY_HEADER_SECTORS 8
#define OVERLAY_CHUNKS_MAX     (UINT32_C(1) << 20) /* 64 GiB */
#define OVERLAY_ENTRIES        124                 /* of a sector of the map */
#define OVERLAY_NONE           UINT32_MAX

struct overlay_shape {
    uint64_t base_sectors;
    uint32_t base_sum; /* of the base's beginning: another base is noticed */
    uint32_t chunks, slots, map_sectors;
    uint64_t map_at, data_at; /* sectors */
};

struct overlay_map {
    struct overlay_shape shape;
    uint32_t *slot_of; /* by chunk; OVERLAY_NONE: as in the base */
    uint8_t *used;     /* by slot */
    uint8_t *dirty;    /* by sector of the map: not written yet */
    uint32_t next;     /* where to look for a free slot */
    uint32_t taken;
};

/* The shape of a new overlay. -EFBIG; -ENOSPC: no room for a single slot. */
int overlay_shape_new(uint64_t base_sectors, uint32_t base_sum,
                      uint64_t state_sectors, struct overlay_shape *out);

void overlay_header_make(const struct overlay_shape *s,
                         uint8_t sector[BLOCK_SECTOR]);
/* -EILSEQ: it has our name, but is damaged or does not fit the disk. -EINVAL:
 * something else. */
int overlay_header_parse(const uint8_t sector[BLOCK_SECTOR],
                         uint64_t state_sectors, struct overlay_shape *out);

/* All chunks as in the base. -ENOMEM. */
int overlay_map_init(struct overlay_map *m, const struct overlay_shape *s);
void overlay_map_free(struct overlay_map *m);
/* One sector as it is on the disk, of a fresh map. -EILSEQ: damaged. */
int overlay_map_load(struct overlay_map *m, uint32_t index,
                     const uint8_t sector[BLOCK_SECTOR]);
void overlay_map_store(const struct overlay_map *m, uint32_t index,
                       uint8_t sector[BLOCK_SECTOR]);
/* OVERLAY_NONE: all are taken. It is free still. */
uint32_t overlay_map_free_slot(struct overlay_map *m);
void overlay_map_set(struct overlay_map *m, uint32_t chunk, uint32_t slot);

#endif
