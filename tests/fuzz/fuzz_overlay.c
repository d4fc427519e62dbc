/* sources: kernel/fs/overlay_map.c kernel/fs/overlay_store.c
 * kernel/fs/partition.c kernel/fs/partition_gpt.c kernel/fs/partition_mbr.c
 * kernel/core/fmt.c */
/*
 * Any bytes as the state disk of an overlay. The first byte says whether the
 * checksums, which chance does not find, are put right. What is accepted holds
 * together: it is read, written and accepted again.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>

#include <rayos/mm.h>

#include "kernel/fs/overlay_store.h"
#include "kernel/fs/partition.h"

#define BASE_SECTORS  (3 * OVERLAY_CHUNK + 1)
#define STATE_SECTORS (4 * OVERLAY_CHUNK)
#define BASE_SUM_AT   32 /* in the header; in the map's sectors 504 */

static uint8_t base[BASE_SECTORS * BLOCK_SECTOR];
static uint8_t state[STATE_SECTORS * BLOCK_SECTOR];

void *kalloc(size_t size)
{
    return malloc(size ? size : 1);
}

void *kzalloc(size_t size)
{
    return calloc(1, size ? size : 1);
}

void kfree(void *p)
{
    free(p);
}

static int get(void *arg, uint64_t sector, void *buffer, uint32_t n)
{
    uint64_t size = arg == base ? BASE_SECTORS : STATE_SECTORS;

    FUZZ_CHECK(sector < size && n <= size - sector);
    memcpy(buffer, (uint8_t *)arg + sector * BLOCK_SECTOR, n * BLOCK_SECTOR);
    return 0;
}

static int put(void *arg, uint64_t sector, const void *data, uint32_t n)
{
    FUZZ_CHECK(arg == state);
    FUZZ_CHECK(sector < STATE_SECTORS && n <= STATE_SECTORS - sector);
    memcpy(state + sector * BLOCK_SECTOR, data, n * BLOCK_SECTOR);
    return 0;
}

static int flush(void *arg)
{
    (void)arg;
    return 0;
}

static struct overlay_store store(void)
{
    return (struct overlay_store){
        .base = {get, put, flush, base, BASE_SECTORS},
        .state = {get, put, flush, state, STATE_SECTORS},
    };
}

static void put_right(void)
{
    uint32_t sum = partition_crc32(0, base, OVERLAY_CHUNK * BLOCK_SECTOR);
    uint32_t at = OVERLAY_HEADER_SECTORS * BLOCK_SECTOR;

    memcpy(state + BASE_SUM_AT, &sum, sizeof(sum));
    memcpy(state + at + BLOCK_SECTOR - 8, &sum, sizeof(sum));
    sum = partition_crc32(0, state, BLOCK_SECTOR - 4);
    memcpy(state + BLOCK_SECTOR - 4, &sum, sizeof(sum));
    sum = partition_crc32(0, state + at, BLOCK_SECTOR - 4);
    memcpy(state + at + BLOCK_SECTOR - 4, &sum, sizeof(sum));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t all[BASE_SECTORS * BLOCK_SECTOR];
    struct overlay_store s = store();
    const char *why = NULL;
    int err;

    if (!size)
        return 0;
    memset(state, 0, sizeof(state));
    memcpy(state, data + 1,
           size - 1 < sizeof(state) ? size - 1 : sizeof(state));
    if (*data & 1)
        put_right();
    err = overlay_store_open(&s, *data & 2 ? OVERLAY_RESET : OVERLAY_KEEP,
                             &why);
    if (err) {
        FUZZ_CHECK(why && *why);
        return 0;
    }
    FUZZ_CHECK(overlay_store_read(&s, 0, all, BASE_SECTORS) == 0);
    memset(all, 0xa5, 3 * BLOCK_SECTOR);
    err = overlay_store_write(&s, OVERLAY_CHUNK - 1, all, 3);
    FUZZ_CHECK(err == 0 || err == -ENOSPC);
    FUZZ_CHECK(overlay_store_flush(&s) == 0);
    overlay_store_close(&s);
    s = store();
    FUZZ_CHECK(overlay_store_open(&s, OVERLAY_KEEP, &why) == 0);
    FUZZ_CHECK(overlay_store_read(&s, OVERLAY_CHUNK - 1, all, 3) == 0);
    FUZZ_CHECK(err || all[3 * BLOCK_SECTOR - 1] == 0xa5);
    overlay_store_close(&s);
    return 0;
}
