/* sources: kernel/fs/fatfs_volume.c kernel/fs/fatfs_chain.c
 * kernel/fs/fatfs_name.c kernel/fs/fatfs_directory.c */
/* Small volumes of each width, made here byte by byte, and what is wrong in
 * them. Volumes that other programs made are read in
 * tests/machine/test_fat.py. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include "kernel/fs/fat.h"

#define SECTOR   512
#define RESERVED 4
#define ROOT     16 /* entries, FAT12 and FAT16 */
#define DISK     (4 << 20)

static uint8_t disk[DISK];
static uint32_t bits, clusters, fat_sectors;
static uint64_t disk_sectors, bad_sector;
static unsigned reads;
static struct fat_volume v;

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

/* --- making one --- */

static int read_disk(void *arg, uint64_t sector, void *buffer, uint32_t count)
{
    (void)arg;
    reads++;
    CHECK(sector + count <= disk_sectors);
    if (bad_sector >= sector && bad_sector < sector + count)
        return -EIO;
    memcpy(buffer, disk + sector * SECTOR, (size_t)count * SECTOR);
    return 0;
}

static void put(size_t at, uint32_t value, int bytes)
{
    memcpy(disk + at, &value, (size_t)bytes);
}

static void link_to(uint32_t cluster, uint32_t next)
{
    size_t at = RESERVED * SECTOR + (size_t)cluster * bits / 8;
    uint32_t old = disk[at] | (uint32_t)disk[at + 1] << 8;

    if (bits != 12)
        put(at, next, (int)bits / 8);
    else if (cluster & 1)
        put(at, (old & 0xf) | next << 4, 2);
    else
        put(at, (old & 0xf000) | (next & 0xfff), 2);
}

#define END 0x0fffffff

static uint64_t root_at(void)
{
    return (RESERVED + fat_sectors) * SECTOR;
}

static uint64_t cluster_at(uint32_t cluster)
{
    uint64_t data = root_at() + (bits == 32 ? 0 : ROOT * 32);

    return data + (uint64_t)(cluster - 2) * SECTOR;
}

/* One table, clusters of one sector; FAT32's root is cluster 2. */
static void format(uint32_t width, uint32_t count)
{
    memset(disk, 0, sizeof(disk));
    bits = width;
    clusters = count;
    fat_sectors = ((count + 2) * width / 8 + SECTOR) / SECTOR;
    disk_sectors = RESERVED + fat_sectors + (bits == 32 ? 0 : 1) + count;
    bad_sector = UINT64_MAX;
    disk[0] = 0xeb;
    put(11, SECTOR, 2);
    disk[13] = 1;
    put(14, RESERVED, 2);
    disk[16] = 1;
    put(510, 0xaa55, 2);
    put(32, (uint32_t)disk_sectors, 4);
    if (bits == 32) {
        put(36, fat_sectors, 4);
        put(44, 2, 4);
        link_to(2, END);
    } else {
        put(17, ROOT, 2);
        put(22, fat_sectors, 2);
    }
}

static uint64_t root_entries(void)
{
    return bits == 32 ? cluster_at(2) : root_at();
}

/* Entry number i of a directory whose first sector is at `dir`. */
static void entry(uint64_t dir, int i, const char *name, int attributes,
                  uint32_t cluster, uint32_t size)
{
    size_t at = dir + (size_t)i * 32;

    memcpy(disk + at, name, 11);
    disk[at + 11] = (uint8_t)attributes;
    put(at + 20, cluster >> 16, 2);
    put(at + 26, cluster, 2);
    put(at + 28, size, 4);
    put(at + 24, 44 << 9 | 2 << 5 | 29, 2); /* 2024-02-29 */
    put(at + 22, 12 << 11 | 34 << 5 | 28, 2);
}

/* A piece of a long name, ASCII. */
static void piece(uint64_t dir, int i, int number, const char *text,
                  const char *owner)
{
    static const int place[13] = {1,  3,  5,  7,  9,  14, 16,
                                  18, 20, 22, 24, 28, 30};
    size_t at = dir + (size_t)i * 32, length = strlen(text);

    disk[at] = (uint8_t)number;
    disk[at + 11] = 0x0f;
    disk[at + 13] = fat_short_checksum((const uint8_t *)owner);
    for (size_t k = 0; k < 13; k++)
        put(at + (size_t)place[k],
            k < length    ? (uint8_t)text[k]
            : k == length ? 0
                          : 0xffff,
            2);
}

static int mount(void)
{
    struct fat_source s = {
        .read = read_disk,
        .sectors = disk_sectors,
        .block_size = SECTOR,
    };

    return fat_open(&v, &s);
}

/* Chains and contents of the files that most tests use: one in three pieces,
 * its end not at a sector's. */
#define BODY (10 * SECTOR + 100)

static uint8_t body(size_t i)
{
    return (uint8_t)(i * 7 + i / SECTOR);
}

static void put_body(uint32_t first)
{
    const uint32_t chain[11] = {first,      first + 1,  first + 2,  first + 20,
                                first + 21, first + 22, first + 23, first + 10,
                                first + 11, first + 12, first + 13};

    for (size_t i = 0; i < 11; i++) {
        link_to(chain[i], i < 10 ? chain[i + 1] : END);
        for (size_t k = 0; k < SECTOR; k++)
            disk[cluster_at(chain[i]) + k] = body(i * SECTOR + k);
    }
}

static void typical(uint32_t width)
{
    format(width, width == 16 ? 5000 : 200);
    entry(root_entries(), 0, "RAYOSGUEST ", 0x08, 0, 0);
    piece(root_entries(), 1, 0x42, "of a file", "LONGNA~1BIN");
    piece(root_entries(), 2, 1, "A long name, ", "LONGNA~1BIN");
    entry(root_entries(), 3, "LONGNA~1BIN", 0x20, 40, BODY);
    entry(root_entries(), 4, "DIR        ", 0x10, 3, 0);
    link_to(3, 4);
    link_to(4, END);
    entry(cluster_at(3), 0, ".          ", 0x10, 3, 0);
    entry(cluster_at(3), 1, "..         ", 0x10, 0, 0);
    for (int i = 2; i < 16; i++)
        disk[cluster_at(3) + (size_t)i * 32] = 0xe5;
    entry(cluster_at(4), 0, "EMPTY   TXT", 0x20, 0, 0);
    put_body(40);
}

static const uint32_t widths[] = {12, 16, 32};
#define FOR_WIDTHS for (size_t w = 0; w < 3; w++)

/* --- what is right --- */

static void check_file(const char *path)
{
    static uint8_t got[BODY + 10];
    struct fat_node n;
    struct fat_file f;

    CHECK_EQ(fat_find(&v, path, &n), 0);
    CHECK_EQ(n.size, BODY);
    CHECK_EQ(n.mtime, 1709210096); /* 2024-02-29 12:34:56 */
    CHECK_EQ(fat_file_open(&v, &n, &f), 0);
    CHECK_EQ(f.chain.count, 3);
    for (size_t at = 0; at < BODY; at += 333) {
        ssize_t size = fat_file_read(&f, got, 1000, at);

        CHECK_EQ(size, BODY - at < 1000 ? BODY - at : 1000);
        for (ssize_t i = 0; i < size; i++)
            if (got[i] != body(at + (size_t)i)) {
                CHECK_EQ(got[i], body(at + (size_t)i));
                return;
            }
    }
    CHECK_EQ(fat_file_read(&f, got, 10, BODY), 0);
    CHECK_EQ(fat_file_read(&f, got, 10, UINT64_MAX), 0);
    CHECK_EQ(fat_file_read(&f, got, sizeof(got), 1), BODY - 1);
    fat_file_close(&f);
}

TEST(each_width_is_read)
{
    FOR_WIDTHS
    {
        const struct fat_list *l;
        struct fat_node n;

        typical(widths[w]);
        CHECK_EQ(mount(), 0);
        CHECK_EQ(v.bits, widths[w]);
        CHECK_EQ(v.clusters, clusters);
        CHECK_STR(v.label, "RAYOSGUEST");
        CHECK_EQ(fat_find(&v, "", &n), 0);
        CHECK_EQ(fat_list_get(&v, &n, &l), 0);
        CHECK_EQ(l->count, 2);
        CHECK_STR(l->entries[0].name, "A long name, of a file");
        CHECK_STR(l->entries[1].name, "DIR");
        check_file("A long name, of a file");
        check_file("a LONG name, OF a file");
        CHECK_EQ(fat_find(&v, "dir/empty.txt", &n), 0);
        CHECK(!n.is_dir && n.size == 0);
        CHECK_EQ(fat_find(&v, "dir/empty.txt/x", &n), -ENOTDIR);
        CHECK_EQ(fat_find(&v, "dir/none", &n), -ENOENT);
        CHECK_EQ(fat_find(&v, "LONGNA~1.BIN", &n), -ENOENT);
        fat_close(&v);
    }
}

TEST(large_reads_are_few)
{
    static uint8_t got[200 * SECTOR];
    struct fat_node n = {.cluster = 2, .size = 190 * SECTOR + 5};
    struct fat_file f;

    format(12, 200);
    for (uint32_t c = 2; c < 200; c++)
        link_to(c, c + 1);
    link_to(200, END);
    CHECK_EQ(mount(), 0);
    CHECK_EQ(fat_file_open(&v, &n, &f), 0);
    reads = 0;
    CHECK_EQ(fat_file_read(&f, got, sizeof(got), 0), 190 * SECTOR + 5);
    CHECK_EQ(reads, 2); /* whole sectors, and the end through the buffer */
    reads = 0;
    for (uint64_t at = 0; at < n.size; at += 100)
        CHECK(fat_file_read(&f, got, 100, at) > 0);
    CHECK_EQ(reads, 2); /* 64 KiB ahead, and the rest */
    fat_file_close(&f);
    fat_close(&v);
}

TEST(names_that_lie)
{
    const struct fat_list *l;
    struct fat_node n;

    FOR_WIDTHS
    {
        typical(widths[w]);
        disk[root_entries() + 2 * 32 + 13] ^= 1; /* another entry's piece */
        entry(root_entries(), 5, "A/B     C  ", 0x20, 0, 0);
        entry(root_entries(), 6, "\005MLAUT     ", 0x20, 0, 0);
        piece(root_entries(), 7, 0x41, "../../x", "SLASH      ");
        entry(root_entries(), 8, "SLASH      ", 0x20, 0, 0);
        disk[root_entries() + 8 * 32 + 12] = 0x08;
        entry(root_entries(), 9, "LOOSE      ", 0x10, 0x7fffffff, 0);
        CHECK_EQ(mount(), 0);
        CHECK_EQ(fat_find(&v, "", &n), 0);
        CHECK_EQ(fat_list_get(&v, &n, &l), 0);
        CHECK_EQ(l->count, 4);
        CHECK_EQ(l->skipped, 2);
        CHECK_STR(l->entries[0].name, "DIR");
        CHECK_STR(l->entries[1].name, "LONGNA~1.BIN");
        CHECK_STR(l->entries[2].name, "_MLAUT");
        CHECK_STR(l->entries[3].name, "slash");
        fat_close(&v);
    }
}

TEST(utf16)
{
    char out[FAT_NAME_MAX + 1];
    const uint8_t good[] = {'a', 0, 0xf6, 0, 0xac, 0x20, 0x3d, 0xd8, 0, 0xde};
    const uint8_t half[] = {0x3d, 0xd8, 'x', 0, 0, 0xde, 0x3d, 0xd8};
    uint8_t wide[2 * 255];

    CHECK_EQ(fat_long_name(good, 5, out), 10);
    CHECK_STR(out, "a\u00f6\u20ac\U0001f600");
    CHECK_EQ(fat_long_name(half, 4, out), 10);
    CHECK_STR(out, "\ufffdx\ufffd\ufffd");
    memset(wide, 0x20, sizeof(wide)); /* U+2020: three bytes each */
    CHECK_EQ(fat_long_name(wide, 85, out), 255);
    CHECK_EQ(fat_long_name(wide, 86, out), 0);
}

/* --- what is wrong --- */

static int open_error(const char *path)
{
    struct fat_node n;
    struct fat_file f;
    int err = fat_find(&v, path, &n);

    if (!err)
        err = fat_file_open(&v, &n, &f);
    if (!err)
        fat_file_close(&f);
    return err;
}

#define LONG "a long name, of a file"

TEST(chains_that_are_wrong)
{
    static const struct {
        uint32_t from, to;
    } faults[] = {
        {50, 40},   /* a circle in the file */
        {53, 53},   /* behind its end */
        {60, 0},    /* free */
        {60, 1},    /* reserved */
        {60, 6000}, /* no such cluster; END for FAT12 is above */
        {60, END},  /* too early */
    };

    FOR_WIDTHS
    {
        for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
            typical(widths[w]);
            if (widths[w] == 12 && faults[i].to == 6000)
                link_to(60, 202);
            else
                link_to(faults[i].from, faults[i].to);
            CHECK_EQ(mount(), 0);
            CHECK_EQ(open_error(LONG), -EIO);
            CHECK(v.why != NULL);
            CHECK_EQ(open_error("dir/empty.txt"), 0);
            fat_close(&v);
        }
        typical(widths[w]);
        link_to(4, 3); /* a directory without end */
        CHECK_EQ(mount(), 0);
        CHECK_EQ(open_error("dir/empty.txt"), -EIO);
        CHECK_EQ(open_error(LONG), 0);
        fat_close(&v);
    }
}

TEST(a_chain_that_goes_on_is_no_fault)
{
    typical(32);
    link_to(53, 70);
    link_to(70, END);
    CHECK_EQ(mount(), 0);
    check_file(LONG);
    fat_close(&v);
}

TEST(sectors_that_cannot_be_read)
{
    uint8_t got[BODY];
    struct fat_node n;
    struct fat_file f;

    typical(32);
    CHECK_EQ(mount(), 0);
    CHECK_EQ(fat_find(&v, LONG, &n), 0);
    CHECK_EQ(fat_file_open(&v, &n, &f), 0);
    bad_sector = cluster_at(61) / SECTOR;
    CHECK_EQ(fat_file_read(&f, got, 100, 4 * SECTOR), -EIO);
    CHECK_EQ(fat_file_read(&f, got, 100, 7 * SECTOR), 100);
    fat_file_close(&f);
    fat_close(&v);
    bad_sector = 0;
    CHECK_EQ(mount(), -EIO);
    typical(12);
    bad_sector = RESERVED;
    CHECK_EQ(mount(), 0);
    CHECK_EQ(open_error(LONG), -EIO);
    bad_sector = UINT64_MAX;
    CHECK_EQ(open_error(LONG), 0);
    fat_close(&v);
}

TEST(boot_sectors_that_are_wrong)
{
    static const struct {
        int width, at;
        uint32_t value;
        int bytes, error;
    } faults[] = {
        {12, 0, 0, 1, -ENOENT},           {12, 510, 0, 2, -ENOENT},
        {12, 11, 256, 2, -ENOENT},        {12, 11, 8192, 2, -ENOENT},
        {12, 11, 768, 2, -ENOENT},        {12, 13, 0, 1, -ENOENT},
        {12, 13, 3, 1, -ENOENT},          {12, 14, 0, 2, -ENOENT},
        {12, 16, 0, 1, -ENOENT},          {12, 16, 9, 1, -ENOENT},
        {12, 32, 1000, 4, -EINVAL},       {12, 32, 5, 4, -EINVAL},
        {12, 32, 0, 4, -EINVAL},          {12, 17, 0, 2, -EINVAL},
        {12, 17, 0xffff, 2, -EINVAL},     {12, 22, 0xffff, 2, -EINVAL},
        {12, 14, 0xffff, 2, -EINVAL},     {16, 22, 1, 2, -EINVAL},
        {32, 44, 1, 4, -EINVAL},          {32, 44, 202, 4, -EINVAL},
        {32, 36, 0xffffffff, 4, -EINVAL}, {32, 36, 1, 4, -EINVAL},
        {32, 40, 0x81, 2, -EINVAL},       {32, 42, 1, 2, -EINVAL},
        {32, 36, 0, 4, -EINVAL},
    };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        typical((uint32_t)faults[i].width);
        put((size_t)faults[i].at, faults[i].value, faults[i].bytes);
        CHECK_EQ(mount(), faults[i].error);
        CHECK((v.why != NULL) == (faults[i].error == -EINVAL));
    }
    typical(12);
    disk_sectors--;
    CHECK_EQ(mount(), -EINVAL);
    disk_sectors = 0;
    CHECK_EQ(mount(), -ENOENT);
}

TEST(a_file_larger_than_its_volume)
{
    typical(12);
    entry(root_entries(), 5, "HUGE       ", 0x20, 40, 0xffffffff);
    entry(root_entries(), 6, "NOWHERE    ", 0x20, 0, 1);
    CHECK_EQ(mount(), 0);
    CHECK_EQ(open_error("huge"), -EIO);
    CHECK_EQ(open_error("nowhere"), -EIO);
    fat_close(&v);
}

TEST(times)
{
    CHECK_EQ(fat_time(1 << 5 | 1, 0), 315532800); /* 1980-01-01 */
    CHECK_EQ(fat_time(120 << 9 | 3 << 5 | 1, 0), 4107542400);
    CHECK_EQ(fat_time(127 << 9 | 12 << 5 | 31, 23 << 11 | 59 << 5 | 29),
             4354819198);
    CHECK_EQ(fat_time(0, 0), 0);
    CHECK_EQ(fat_time(13 << 5 | 1, 0), 0);
}

CHECK_MAIN
