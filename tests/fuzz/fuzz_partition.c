/* sources: kernel/fs/partition.c kernel/fs/partition_gpt.c
 * kernel/fs/partition_mbr.c kernel/core/fmt.c */
/*
 * Any bytes as a disk. The first byte says how big its blocks are, and whether
 * what chance does not find is put right: the checksums of GPT headers and
 * entries, the signature of MBRs.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include "kernel/fs/partition.h"

#define REPAIR      0x80
#define READS_MAX   1000 /* a parser that reads more runs in a circle */
#define HEADER_CRC  16
#define HEADER_MY   24
#define HEADER_AT   72
#define HEADER_N    80
#define HEADER_EACH 84
#define HEADER_SUM  88

struct disk {
    uint8_t *data;
    uint32_t block_size;
    uint64_t blocks;
    unsigned reads;
};

static int read_disk(void *arg, uint64_t block, void *buffer, uint32_t count)
{
    struct disk *d = arg;

    FUZZ_CHECK(block < d->blocks && count && count <= d->blocks - block);
    FUZZ_CHECK(count * d->block_size <= PARTITION_BLOCK);
    FUZZ_CHECK(++d->reads < READS_MAX);
    memcpy(buffer, d->data + block * d->block_size, count * d->block_size);
    return 0;
}

static void say_nothing(void *arg, const char *text)
{
    (void)arg;
    FUZZ_CHECK(strlen(text) > 0);
}

static uint32_t word(const uint8_t *p)
{
    uint32_t x;

    memcpy(&x, p, 4);
    return x;
}

static void put_word(uint8_t *p, uint32_t x)
{
    memcpy(p, &x, 4);
}

static void repair_gpt(struct disk *d, uint64_t where)
{
    uint8_t *h = d->data + where * d->block_size;
    uint64_t entries = word(h + HEADER_AT);
    uint64_t bytes = (uint64_t)word(h + HEADER_N) * word(h + HEADER_EACH);
    uint64_t end = d->blocks * d->block_size;

    if (memcmp(h, "EFI PART", 8) != 0)
        return;
    put_word(h + 12, 92);
    put_word(h + HEADER_MY, (uint32_t)where);
    put_word(h + HEADER_MY + 4, 0);
    if (entries < d->blocks && bytes <= end - entries * d->block_size)
        put_word(h + HEADER_SUM,
                 partition_crc32(0, d->data + entries * d->block_size,
                                 (size_t)bytes));
    put_word(h + HEADER_CRC, 0);
    put_word(h + HEADER_CRC, partition_crc32(0, h, 92));
}

static void repair(struct disk *d)
{
    if (d->blocks > 2) {
        repair_gpt(d, d->blocks - 1);
        repair_gpt(d, 1);
    }
    for (uint64_t i = 0; i < d->blocks; i++) {
        d->data[i * d->block_size + 510] = 0x55;
        d->data[i * d->block_size + 511] = 0xaa;
    }
}

static void check_text(const char *text, size_t size)
{
    FUZZ_CHECK(strnlen(text, size) < size);
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_table(const struct partition_table *t, uint64_t blocks)
{
    FUZZ_CHECK(t->count <= PARTITION_MAX);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct partition *p = &t->at[i];

        FUZZ_CHECK(p->first <= p->last && p->last < blocks);
        check_text(p->label, sizeof(p->label));
        check_text(p->type, sizeof(p->type));
        check_text(p->uuid, sizeof(p->uuid));
        for (uint32_t k = 0; k < i; k++) {
            const struct partition *o = &t->at[k];

            FUZZ_CHECK(p->first > o->last || o->first > p->last);
            FUZZ_CHECK(p->number != o->number);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct partition_table table;
    static uint8_t scratch[PARTITION_BLOCK];
    struct disk d = {.block_size = 512};
    int err;

    if (!size)
        return 0;
    d.block_size <<= data[0] % 4;
    d.blocks = (size - 1) / d.block_size;
    d.data = fuzz_copy(data + 1, d.blocks * d.block_size);
    if (data[0] & REPAIR)
        repair(&d);
    struct partition_source source = {
        .read = read_disk,
        .say = say_nothing,
        .arg = &d,
        .blocks = d.blocks,
        .block_size = d.block_size,
        .scratch = scratch,
    };
    err = partition_read(&source, &table);
    if (!err)
        check_table(&table, d.blocks);
    else
        FUZZ_CHECK(err == -ENOENT || err == -EINVAL);
    free(d.data);
    return 0;
}
