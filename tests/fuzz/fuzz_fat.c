/* sources: kernel/fs/fatfs_volume.c kernel/fs/fatfs_chain.c
 * kernel/fs/fatfs_name.c kernel/fs/fatfs_directory.c */
/*
 * Any bytes as a FAT volume: everything in the first directories is opened and
 * read. A walk that never ends, or reads outside of the disk, is an error.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "kernel/fs/fat.h"

#define DEPTH     3
#define FILES     6
#define READS_MAX 100000

static size_t sectors, reads;

void *kalloc(size_t size)
{
    return malloc(size);
}

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

static int read_disk(void *arg, uint64_t sector, void *buffer, uint32_t count)
{
    FUZZ_CHECK(sector <= sectors && count && count <= sectors - sector);
    FUZZ_CHECK(++reads < READS_MAX);
    memcpy(buffer, (uint8_t *)arg + sector * FAT_SECTOR,
           (size_t)count * FAT_SECTOR);
    return 0;
}

static void read_file(struct fat_volume *v, const struct fat_node *n)
{
    static uint8_t buffer[100000];
    struct fat_file f;
    uint64_t at = 0;
    ssize_t got;

    if (fat_file_open(v, n, &f))
        return;
    while ((got = fat_file_read(&f, buffer, 1 + at % sizeof(buffer), at)) > 0)
        at += (uint64_t)got;
    FUZZ_CHECK(got == 0 && at == n->size);
    fat_file_close(&f);
}

static void look(struct fat_volume *v, const struct fat_node *dir, int depth)
{
    const struct fat_list *l;
    struct fat_node nodes[FILES];
    size_t count;

    if (fat_list_get(v, dir, &l))
        return;
    for (size_t i = 0; i < l->count; i++) {
        const char *name = l->entries[i].name;

        FUZZ_CHECK(*name && strlen(name) <= FAT_NAME_MAX);
        FUZZ_CHECK(!strchr(name, '/') && strcmp(name, "..") != 0);
        FUZZ_CHECK(i == 0 || strcmp(l->entries[i - 1].name, name) <= 0);
    }
    count = l->count < FILES ? l->count : FILES;
    for (size_t i = 0; i < count; i++)
        nodes[i] = l->entries[i].node; /* the list goes with the next ones */
    for (size_t i = 0; i < count; i++)
        if (!nodes[i].is_dir)
            read_file(v, &nodes[i]);
        else if (depth)
            look(v, &nodes[i], depth - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fat_source source = {.read = read_disk, .block_size = FAT_SECTOR};
    struct fat_volume v;
    struct fat_node n;

    sectors = size / FAT_SECTOR;
    reads = 0;
    source.sectors = sectors;
    source.arg = fuzz_copy(data, size);
    if (fat_open(&v, &source) == 0) {
        FUZZ_CHECK(fat_find(&v, "", &n) == 0);
        look(&v, &n, DEPTH);
        fat_find(&v, "dir/file.txt", &n);
        fat_close(&v);
    }
    free(source.arg);
    return 0;
}
