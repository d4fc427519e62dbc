/*
 * Reading of FAT12, FAT16 and FAT32 (Microsoft, "FAT: General Overview of
 * On-Disk Format" 1.03, section numbers "FAT n"). Parsers over a function that
 * reads sectors; also built for the host tests and the fuzz target. The medium
 * is a stranger's: every number is checked before it is used, every chain of
 * clusters is walked with an end. Thread context; the caller locks, except that
 * files, once open, are read without the volume's lock.
 */
#ifndef KERNEL_FS_FAT_H
#define KERNEL_FS_FAT_H

#include <sys/types.h>

#include <rayos/types.h>

#define FAT_NAME_MAX  255 /* bytes of UTF-8 */
#define FAT_SECTOR    512 /* unit of sources, whatever the volume's sectors */
#define FAT_LABEL_MAX 11

struct fat_source {
    /* `count` units of FAT_SECTOR bytes, all below `sectors`; 0 or negative
     * errno. Asked for multiples of the volume's own sectors. */
    int (*read)(void *arg, uint64_t sector, void *buffer, uint32_t count);
    void *arg;
    uint64_t sectors;
    uint32_t block_size; /* the volume's sectors must not be smaller */
};

/* Where a file or directory is, as its directory says. */
struct fat_node {
    uint32_t cluster; /* 0: an empty file, or the root of FAT12 and FAT16 */
    uint32_t size;
    int64_t mtime; /* seconds since 1970, the medium's local time as UTC */
    bool is_dir;
};

struct fat_entry {
    const char *name; /* UTF-8 */
    struct fat_node node;
};

/* A directory's entries, sorted by name. */
struct fat_list {
    struct fat_entry *entries;
    size_t count;
    char *names;
    uint32_t skipped; /* whose name cannot be used */
};

#define FAT_LISTS 4

struct fat_volume {
    struct fat_source source;
    uint32_t bits;                   /* 12, 16, 32 */
    uint32_t sector_size;            /* bytes */
    uint32_t cluster_size;           /* bytes */
    uint32_t clusters;               /* numbers 2 to clusters + 1 are valid */
    uint64_t fat, fat_size;          /* bytes: from the start; length */
    uint64_t root, root_size;        /* bytes; FAT12, FAT16 */
    uint32_t root_cluster;           /* FAT32 */
    uint64_t data;                   /* bytes: where cluster 2 begins */
    char label[FAT_LABEL_MAX + 1];   /* of the root directory, else "" */
    uint8_t *window;                 /* a piece of the FAT */
    uint64_t window_at, window_size; /* in the FAT, bytes */
    struct {
        struct fat_list *list;
        uint32_t cluster;
        uint64_t used; /* for choosing the one to forget */
    } lists[FAT_LISTS];
    uint64_t uses;
    const char *why; /* of the last -EINVAL or -EIO, or NULL */
};

/* Clusters that follow each other, up to the next run's first. */
struct fat_run {
    uint32_t index; /* of its first cluster, in the file */
    uint32_t cluster;
};

struct fat_chain {
    struct fat_run *runs;
    size_t count, room;
    uint32_t clusters;
};

struct fat_file {
    struct fat_volume *volume;
    struct fat_node node;
    struct fat_chain chain;
    uint8_t *buffer; /* what small reads come from; made when it is needed */
    uint64_t buffer_at, buffer_size;
};

/* --- fatfs_volume.c --- */

/* `source` is copied. -ENOENT: no FAT; -EINVAL: one that is not right (v->why);
 * -ENOMEM, or the error of reading. On success fat_close frees what it has. */
int fat_open(struct fat_volume *v, const struct fat_source *source);
void fat_close(struct fat_volume *v);
/* `size` bytes at `at`, both multiples of the volume's sectors. */
int fat_read(const struct fat_volume *v, uint64_t at, void *buffer,
             uint64_t size);
/* The cluster behind `cluster`; 0: it was the last. -EIO. */
int fat_next(struct fat_volume *v, uint32_t cluster, uint32_t *next);
bool fat_cluster_valid(const struct fat_volume *v, uint32_t cluster);

/* --- fatfs_chain.c --- */

/* The first `most` clusters of a chain as runs. The rest is walked too: a chain
 * that never ends is -EIO, as is one that leaves the volume. -ENOMEM, -EFBIG:
 * far too many pieces. */
int fat_chain_make(struct fat_volume *v, uint32_t first, uint32_t most,
                   struct fat_chain *out);
void fat_chain_free(struct fat_chain *c);
/* The byte of the volume that `offset` of the chain is, and how many follow it
 * there. The offset is inside. */
uint64_t fat_chain_find(const struct fat_volume *v, const struct fat_chain *c,
                        uint64_t offset, uint64_t *length);

/* -EIO: its chain is shorter than its size. */
int fat_file_open(struct fat_volume *v, const struct fat_node *n,
                  struct fat_file *out);
void fat_file_close(struct fat_file *f);
/* Bytes read, 0 at the end; -EIO and others. One thread at a time. */
ssize_t fat_file_read(struct fat_file *f, void *buffer, size_t size,
                      uint64_t offset);

/* --- fatfs_name.c --- */

/* UTF-16 as on the medium (FAT 7) to UTF-8. Bytes, without the NUL; 0: there is
 * nothing that can be used. */
size_t fat_long_name(const uint8_t *utf16, size_t units,
                     char out[FAT_NAME_MAX + 1]);
/* The 11 bytes and the byte of case flags of an entry; 0 as above. */
size_t fat_short_name(const uint8_t entry[32], char out[FAT_NAME_MAX + 1]);
uint8_t fat_short_checksum(const uint8_t name[11]);
/* Date and time of an entry (FAT 6.3) in seconds since 1970. */
int64_t fat_time(uint32_t date, uint32_t time);
/* ASCII letters are equal in both cases; how strcmp orders. */
int fat_name_compare(const char *a, const char *b);

/* --- fatfs_directory.c --- */

/* Sorted, and kept until three others were used. */
int fat_list_get(struct fat_volume *v, const struct fat_node *dir,
                 const struct fat_list **out);
/* A path without a leading '/', "" is the root. -ENOENT, -ENOTDIR. */
int fat_find(struct fat_volume *v, const char *path, struct fat_node *out);
void fat_lists_free(struct fat_volume *v);
/* Of the root directory; part of fat_open. */
int fat_label_read(struct fat_volume *v);

#endif
