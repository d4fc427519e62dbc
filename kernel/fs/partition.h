/*
 * Partition tables: GPT (UEFI 2.9 chapter 5.3) and MBR (5.2.1). Pure parsers
 * over a function that reads; also built for the host tests and fuzz targets.
 * Each sector is read once, into a copy, before it is looked at.
 */
#ifndef KERNEL_FS_PARTITION_H
#define KERNEL_FS_PARTITION_H

#include <rayos/types.h>

#define PARTITION_MAX   128
#define PARTITION_BLOCK 4096 /* logical blocks are 512 bytes to this */

struct partition {
    uint32_t number; /* of its entry, from 1; logical ones of an MBR from 5 */
    uint64_t first, last; /* logical blocks, both included */
    bool read_only;
    char type[40]; /* GUID, or "0x83" */
    char uuid[40];
    char label[40]; /* UTF-8, cut when too long */
};

struct partition_source {
    /* `count` logical blocks from `block` on, of PARTITION_BLOCK bytes together
     * at most; 0 or negative errno. */
    int (*read)(void *arg, uint64_t block, void *buffer, uint32_t count);
    /* What people should know about this table. */
    void (*say)(void *arg, const char *text);
    void *arg;
    uint64_t blocks;
    uint32_t block_size; /* 512, 1024, 2048 or 4096 */
    uint8_t *scratch;    /* PARTITION_BLOCK bytes */
};

struct partition_table {
    const char *kind; /* "gpt", "mbr" */
    uint32_t count;
    struct partition at[PARTITION_MAX];
};

/* 0; -ENOENT: no such table there; -EINVAL: there is one, and it is not usable
 * (said); or the error of reading. */
int partition_read_gpt(const struct partition_source *s,
                       struct partition_table *out);
int partition_read_mbr(const struct partition_source *s,
                       struct partition_table *out);
/* A GPT, else an MBR. */
int partition_read(const struct partition_source *s,
                   struct partition_table *out);

/* --- between the parsers --- */

/* Does the MBR say that the disk is a GPT's? */
bool partition_mbr_protective(const struct partition_source *s);

void partition_say(const struct partition_source *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Add one that lies on the disk and overlaps none that is there; others are
 * refused with the reason. */
void partition_add(const struct partition_source *s,
                   struct partition_table *out, const struct partition *p);
/* CRC-32 of IEEE 802.3, as UEFI wants it (5.3.2); start with 0. */
uint32_t partition_crc32(uint32_t crc, const void *data, size_t size);

#endif
