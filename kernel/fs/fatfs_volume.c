/*
 * FAT volumes: the boot sector, and the table of clusters through a window.
 * Pure; thread context.
 */
#include "fat.h"

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

/* FAT 3.1 to 3.3: offsets in the boot sector */
#define BPB_BYTES_PER_SECTOR  11
#define BPB_SECTORS_PER_UNIT  13
#define BPB_RESERVED          14
#define BPB_FATS              16
#define BPB_ROOT_ENTRIES      17
#define BPB_TOTAL_16          19
#define BPB_FAT_SIZE_16       22
#define BPB_TOTAL_32          32
#define BPB_FAT_SIZE_32       36
#define BPB_FLAGS_32          40
#define BPB_VERSION_32        42
#define BPB_ROOT_CLUSTER_32   44
#define SIGNATURE             510
#define FLAGS_NOT_MIRRORED    0x80 /* only one FAT is in use ... */
#define FLAGS_ACTIVE          0x0f /* ... this one */
#define FATS_MOST             4
#define SECTOR_MOST           4096
#define SECTORS_PER_UNIT_MOST 128
#define DIR_ENTRY             32

/* FAT 3.5: the number of clusters tells the width */
#define FAT12_MOST 4084u
#define FAT16_MOST 65524u
#define FAT32_MOST 0x0ffffff4u

/* FAT 4: what is no cluster's number */
#define MASK_32 0x0fffffffu /* the upper four bits are reserved */

#define WINDOW_SIZE 16384

static uint32_t get16(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static int wrong(struct fat_volume *v, const char *why)
{
    v->why = why;
    return -EINVAL;
}

int fat_read(const struct fat_volume *v, uint64_t at, void *buffer,
             uint64_t size)
{
    uint64_t sector = at / FAT_SECTOR, count = size / FAT_SECTOR;

    if (sector > v->source.sectors || count > v->source.sectors - sector ||
        count > UINT32_MAX)
        return -EIO;
    return v->source.read(v->source.arg, sector, buffer, (uint32_t)count);
}

/* Does it look like a FAT at all? Other file systems begin with a jump and a
 * signature as well, and have numbers there that no FAT has. */
static bool looks_like_fat(const uint8_t *b)
{
    uint32_t bytes = get16(b + BPB_BYTES_PER_SECTOR);
    uint32_t unit = b[BPB_SECTORS_PER_UNIT];

    return (b[0] == 0xeb || b[0] == 0xe9) && b[SIGNATURE] == 0x55 &&
           b[SIGNATURE + 1] == 0xaa && bytes >= FAT_SECTOR &&
           bytes <= SECTOR_MOST && !(bytes & (bytes - 1)) && unit &&
           !(unit & (unit - 1)) && unit <= SECTORS_PER_UNIT_MOST &&
           get16(b + BPB_RESERVED) && b[BPB_FATS] && b[BPB_FATS] <= FATS_MOST;
}

/* The width of the table's entries, and whether the table holds them all. */
static int check_clusters(struct fat_volume *v, uint64_t clusters, bool wide)
{
    uint64_t bytes;

    if (!clusters)
        return wrong(v, "there is no room for clusters");
    if (clusters > (wide ? FAT32_MOST : FAT16_MOST))
        return wrong(v, "there are too many clusters");
    v->clusters = (uint32_t)clusters;
    v->bits = wide ? 32 : clusters <= FAT12_MOST ? 12 : 16;
    bytes = ((clusters + 2) * v->bits + 7) / 8;
    if (bytes > v->fat_size)
        return wrong(v, "the table is too short for the clusters");
    return 0;
}

/* All sums are far below 2^64: 32-bit counts of sectors of 4096 bytes. */
static int parse(struct fat_volume *v, const uint8_t *b)
{
    uint32_t bytes = get16(b + BPB_BYTES_PER_SECTOR);
    uint32_t small = get16(b + BPB_FAT_SIZE_16);
    uint32_t fat_sectors = small ? small : get32(b + BPB_FAT_SIZE_32);
    uint32_t total = get16(b + BPB_TOTAL_16), flags = get16(b + BPB_FLAGS_32);
    uint32_t fats = b[BPB_FATS], active = 0;
    int err;

    if (!total)
        total = get32(b + BPB_TOTAL_32);
    if (bytes < v->source.block_size)
        return wrong(v, "its sectors are smaller than the disk's");
    if ((uint64_t)total * bytes > v->source.sectors * FAT_SECTOR)
        return wrong(v, "it is larger than the disk or partition");
    if (!small && flags & FLAGS_NOT_MIRRORED)
        active = flags & FLAGS_ACTIVE;
    if (active >= fats)
        return wrong(v, "the table in use is none that it has");
    if (!small && get16(b + BPB_VERSION_32))
        return wrong(v, "its version is unknown");
    v->sector_size = bytes;
    v->cluster_size = bytes * b[BPB_SECTORS_PER_UNIT];
    v->fat_size = (uint64_t)fat_sectors * bytes;
    v->fat = (uint64_t)get16(b + BPB_RESERVED) * bytes;
    v->root = v->fat + fats * v->fat_size;
    v->fat += active * v->fat_size;
    v->root_size = (uint64_t)get16(b + BPB_ROOT_ENTRIES) * DIR_ENTRY;
    v->root_size = (v->root_size + bytes - 1) / bytes * bytes;
    v->data = v->root + v->root_size;
    if (v->data > (uint64_t)total * bytes)
        return wrong(v, "its tables are larger than itself");
    err = check_clusters(
        v, ((uint64_t)total * bytes - v->data) / v->cluster_size, !small);
    if (err)
        return err;
    v->root_cluster = small ? 0 : get32(b + BPB_ROOT_CLUSTER_32) & MASK_32;
    if (!small && !fat_cluster_valid(v, v->root_cluster))
        return wrong(v, "the root directory is not on it");
    if (small && !v->root_size)
        return wrong(v, "there is no root directory");
    return 0;
}

int fat_open(struct fat_volume *v, const struct fat_source *source)
{
    uint32_t size = source->block_size > FAT_SECTOR ? source->block_size
                                                    : FAT_SECTOR;
    int err = -ENOENT;

    memset(v, 0, sizeof(*v));
    v->source = *source;
    if (size > SECTOR_MOST || source->sectors < size / FAT_SECTOR)
        return -ENOENT;
    v->window = kalloc(WINDOW_SIZE);
    if (!v->window)
        return -ENOMEM;
    err = fat_read(v, 0, v->window, size);
    if (!err)
        err = looks_like_fat(v->window) ? parse(v, v->window) : -ENOENT;
    if (!err)
        err = fat_label_read(v);
    if (err)
        fat_close(v);
    return err;
}

void fat_close(struct fat_volume *v)
{
    fat_lists_free(v);
    kfree(v->window);
    v->window = NULL;
}

bool fat_cluster_valid(const struct fat_volume *v, uint32_t cluster)
{
    return cluster >= 2 && cluster - 2 < v->clusters;
}

/* One byte of the table; `at` is inside of it. */
static int table_byte(struct fat_volume *v, uint64_t at, uint32_t *out)
{
    if (at < v->window_at || at - v->window_at >= v->window_size) {
        uint64_t from = at / WINDOW_SIZE * WINDOW_SIZE;
        uint64_t left = v->fat_size - from;
        uint64_t size = left < WINDOW_SIZE ? left : WINDOW_SIZE;
        int err;

        v->window_size = 0; /* nothing, should this fail */
        err = fat_read(v, v->fat + from, v->window, size);
        if (err)
            return err;
        v->window_at = from;
        v->window_size = size;
    }
    *out = v->window[at - v->window_at];
    return 0;
}

/* The number in the table for a valid cluster (FAT 4.1). */
static int table_entry(struct fat_volume *v, uint32_t cluster, uint32_t *out)
{
    uint64_t at = (uint64_t)cluster * v->bits / 8;
    uint32_t bytes = (v->bits + 7) / 8, value = 0;

    for (uint32_t i = 0; i < bytes; i++) {
        uint32_t byte;
        int err = table_byte(v, at + i, &byte);

        if (err)
            return err;
        value |= byte << 8 * i;
    }
    if (v->bits == 12)
        value = cluster & 1 ? value >> 4 : value & 0xfff;
    *out = v->bits == 32 ? value & MASK_32 : value;
    return 0;
}

int fat_next(struct fat_volume *v, uint32_t cluster, uint32_t *next)
{
    uint32_t mask = v->bits == 32 ? MASK_32 : (1u << v->bits) - 1;
    uint32_t value;
    int err;

    if (!fat_cluster_valid(v, cluster))
        return -EIO;
    err = table_entry(v, cluster, &value);
    if (err)
        return err;
    if (value >= (mask & ~7u)) { /* FAT 4: any of eight ends a chain */
        *next = 0;
        return 0;
    }
    if (!fat_cluster_valid(v, value)) {
        v->why = "a chain of clusters leads nowhere";
        return -EIO;
    }
    *next = value;
    return 0;
}
