/* sources: kernel/fs/partition.c kernel/fs/partition_gpt.c
 * kernel/fs/partition_mbr.c kernel/core/fmt.c */
/* Partition tables are believed as far as they are right. Whole disks made by
 * Python are read in tests/machine/test_block.py. */
#include "check.h"

#include <errno.h>

#include "kernel/fs/partition.h"

#define BLOCKS  64
#define BLOCK   512
#define ENTRIES 4 /* one block of them */

static uint8_t disk[BLOCKS * BLOCK];
static uint8_t scratch[PARTITION_BLOCK];
static struct partition_table table;
static char said[1024];
static uint64_t bad_block; /* cannot be read */

static int read_disk(void *arg, uint64_t block, void *buffer, uint32_t count)
{
    (void)arg;
    if (block == bad_block)
        return -EIO;
    CHECK(block + count <= BLOCKS);
    memcpy(buffer, disk + block * BLOCK, count * BLOCK);
    return 0;
}

static void say(void *arg, const char *text)
{
    (void)arg;
    strncat(said, text, sizeof(said) - strlen(said) - 2);
    strcat(said, "\n");
}

static int read_table(void)
{
    struct partition_source s = {
        .read = read_disk,
        .say = say,
        .blocks = BLOCKS,
        .block_size = BLOCK,
        .scratch = scratch,
    };

    said[0] = '\0';
    return partition_read(&s, &table);
}

static void put32(size_t at, uint32_t x)
{
    memcpy(disk + at, &x, sizeof(x));
}

static void put64(size_t at, uint64_t x)
{
    memcpy(disk + at, &x, sizeof(x));
}

/* --- GPT --- */

static void seal_header(uint64_t where, uint64_t entries)
{
    size_t h = where * BLOCK;

    put32(h + 88, partition_crc32(0, disk + entries * BLOCK, BLOCK));
    put32(h + 16, 0);
    put32(h + 16, partition_crc32(0, disk + h, 92));
}

static void put_header(uint64_t where, uint64_t entries)
{
    size_t h = where * BLOCK;

    memcpy(disk + h, "EFI PART", 8);
    put32(h + 12, 92);
    put64(h + 24, where);
    put64(h + 40, 3);          /* first usable */
    put64(h + 48, BLOCKS - 4); /* last usable */
    put64(h + 72, entries);
    put32(h + 80, ENTRIES);
    put32(h + 84, 128);
    seal_header(where, entries);
}

static void put_entry(int i, uint64_t first, uint64_t last, const char *name)
{
    for (size_t block = 2; block <= BLOCKS - 2; block += BLOCKS - 4) {
        size_t e = block * BLOCK + (size_t)i * 128;

        disk[e] = 0x11;
        put64(e + 32, first);
        put64(e + 40, last);
        for (int k = 0; name[k]; k++)
            disk[e + 56 + 2 * (size_t)k] = (uint8_t)name[k];
    }
}

static void seal(void)
{
    put_header(1, 2);
    put_header(BLOCKS - 1, BLOCKS - 2);
}

static void gpt(void)
{
    memset(disk, 0, sizeof(disk));
    bad_block = UINT64_MAX;
    disk[446 + 4] = 0xee;
    disk[446 + 8] = 1;
    disk[446 + 12] = BLOCKS - 1;
    disk[510] = 0x55;
    disk[511] = 0xaa;
    put_entry(0, 4, 9, "one");
    put_entry(2, 10, 10, "three");
    seal();
}

TEST(the_checksum_is_that_of_ieee_802_3)
{
    CHECK_EQ(partition_crc32(0, "123456789", 9), 0xcbf43926);
}

TEST(a_right_table_is_read_silently)
{
    gpt();
    CHECK_EQ(read_table(), 0);
    CHECK_STR(table.kind, "gpt");
    CHECK_EQ(table.count, 2);
    CHECK_EQ(table.at[0].number, 1);
    CHECK_EQ(table.at[0].first, 4);
    CHECK_EQ(table.at[0].last, 9);
    CHECK_STR(table.at[0].label, "one");
    CHECK_STR(table.at[0].type, "00000011-0000-0000-0000-000000000000");
    CHECK_EQ(table.at[1].number, 3);
    CHECK_STR(said, "");
}

TEST(one_wrong_bit_anywhere_in_header_or_entries_is_noticed)
{
    for (size_t bit = 512 * 8; bit < (512 + 92) * 8; bit += 5) {
        gpt();
        disk[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQ(read_table(), 0);
        CHECK_EQ(table.count, 2);
        CHECK(strstr(said, "end of the disk is used"));
    }
    for (size_t bit = 1024 * 8; bit < 1536 * 8; bit += 29) {
        gpt();
        disk[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CHECK_EQ(read_table(), 0);
        CHECK(strstr(said, "entries have a wrong checksum"));
        CHECK(strstr(said, "end of the disk is used"));
    }
}

TEST(a_block_that_cannot_be_read_is_no_end)
{
    gpt();
    bad_block = 1;
    CHECK_EQ(read_table(), 0);
    CHECK_EQ(table.count, 2);
    gpt();
    bad_block = 2;
    CHECK_EQ(read_table(), 0);
    CHECK_EQ(table.count, 2);
}

TEST(without_any_right_table_there_are_no_partitions)
{
    gpt();
    disk[512 + 60] ^= 1;
    disk[(BLOCKS - 1) * BLOCK + 60] ^= 1;
    CHECK_EQ(read_table(), -EINVAL);
    CHECK_EQ(table.count, 0);
}

TEST(an_old_table_at_the_end_of_a_disk_with_an_mbr_is_not_used)
{
    gpt();
    memset(disk + 512, 0, 512);
    CHECK_EQ(read_table(), 0);
    CHECK_STR(table.kind, "gpt");
    disk[446 + 4] = 0x83;
    CHECK_EQ(read_table(), 0);
    CHECK_STR(table.kind, "mbr");
    CHECK_EQ(table.count, 1);
}

TEST(headers_that_are_wrong_in_themselves_are_refused)
{
    static const struct {
        size_t at;
        uint64_t value;
        const char *why;
    } wrong[] = {
        {12, 91, "wrong size"},
        {12, 513, "wrong size"},
        {24, 2, "belongs elsewhere"},
        {72, 1, "entries are not on"},
        {72, 1ull << 60, "entries are"},
        {72, BLOCKS, "entries are not on"},
        {40, 60, "usable range"},
        {48, BLOCKS, "usable range"},
        {80, 0, "too many"},
        {80, 129, "too many"},
        {84, 64, "entries have a wrong"},
        {84, 192, "entries have a wrong"},
        {84, 1024, "entries have a"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        gpt();
        if (wrong[i].at == 80 || wrong[i].at == 84 || wrong[i].at == 12)
            put32(512 + wrong[i].at, (uint32_t)wrong[i].value);
        else
            put64(512 + wrong[i].at, wrong[i].value);
        put32(512 + 16, 0);
        put32(512 + 16, partition_crc32(0, disk + 512, 92));
        CHECK_EQ(read_table(), 0);
        if (!strstr(said, wrong[i].why))
            CHECK_FAIL("row %zu says \"%s\"", i, said);
    }
}

TEST(entries_that_overlap_or_leave_the_range_are_refused)
{
    gpt();
    put_entry(1, 9, 12, "over one");
    put_entry(3, 50, BLOCKS - 3, "too far");
    seal();
    CHECK_EQ(read_table(), 0);
    CHECK_EQ(table.count, 2);
    CHECK_STR(table.at[0].label, "one");
    CHECK_STR(table.at[1].label, "three");
    CHECK(strstr(said, "partition 2 overlaps partition 1: refused"));
    CHECK(strstr(said, "partition 4 is outside of the usable range"));
}

TEST(names_become_text_that_a_terminal_can_show)
{
    static const uint8_t name[] = {
        'a', 0, 0xf6, 0,    0x3d, 0xd8, 0x00, 0xde, /* U+1F600 */
        7,   0, 0x00, 0xd8, 'b',  0,    0,    0};

    gpt();
    memcpy(disk + 1024 + 56, name, sizeof(name));
    seal();
    CHECK_EQ(read_table(), 0);
    CHECK_STR(table.at[0].label, "a\xc3\xb6\xf0\x9f\x98\x80"
                                 "\xef\xbf\xbd\xef\xbf\xbd"
                                 "b");
}

/* --- MBR --- */

static void entry(uint64_t block, int i, uint8_t type, uint32_t first,
                  uint32_t count)
{
    size_t e = block * BLOCK + 446 + 16 * (size_t)i;

    disk[e + 4] = type;
    put32(e + 8, first);
    put32(e + 12, count);
    disk[block * BLOCK + 510] = 0x55;
    disk[block * BLOCK + 511] = 0xaa;
}

static void mbr(void)
{
    memset(disk, 0, sizeof(disk));
    bad_block = UINT64_MAX;
    entry(0, 0, 0x83, 1, 4);
    entry(0, 1, 0x05, 10, 40);
    entry(10, 0, 0x83, 1, 4);
    entry(10, 1, 0x05, 10, 10);
    entry(20, 0, 0x82, 2, 4);
}

TEST(primary_and_logical_partitions_are_found)
{
    mbr();
    CHECK_EQ(read_table(), 0);
    CHECK_STR(table.kind, "mbr");
    CHECK_EQ(table.count, 3);
    CHECK_EQ(table.at[1].number, 5);
    CHECK_EQ(table.at[1].first, 11);
    CHECK_EQ(table.at[1].last, 14);
    CHECK_EQ(table.at[2].number, 6);
    CHECK_EQ(table.at[2].first, 22);
    CHECK_STR(table.at[2].type, "0x82");
}

TEST(links_backwards_and_out_of_the_extended_partition_end_the_chain)
{
    mbr();
    entry(10, 1, 0x05, 0, 10); /* to itself */
    CHECK_EQ(read_table(), 0);
    CHECK_EQ(table.count, 2);
    CHECK(strstr(said, "loop"));
    mbr();
    entry(10, 1, 0x05, 45, 10);
    CHECK_EQ(read_table(), 0);
    CHECK_EQ(table.count, 2);
    CHECK(strstr(said, "leads off"));
    mbr();
    entry(0, 1, 0x05, UINT32_MAX, UINT32_MAX);
    CHECK_EQ(read_table(), 0);
    CHECK_EQ(table.count, 1);
}

TEST(the_boot_sector_of_a_file_system_is_no_table)
{
    mbr();
    disk[446] = 0x13;
    CHECK_EQ(read_table(), -ENOENT);
    mbr();
    disk[511] = 0;
    CHECK_EQ(read_table(), -ENOENT);
}

TEST(a_protective_mbr_without_a_gpt_has_no_partitions)
{
    mbr();
    entry(0, 2, 0xee, 1, 60);
    CHECK_EQ(read_table(), -EINVAL);
    CHECK_EQ(table.count, 0);
}

CHECK_MAIN
