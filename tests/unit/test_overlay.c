/* sources: kernel/fs/overlay_map.c kernel/fs/overlay_store.c
 * kernel/fs/partition.c kernel/fs/partition_gpt.c kernel/fs/partition_mbr.c
 * kernel/core/fmt.c */
/* Overlays: what is written is read, the base is left alone, damage is noticed,
 * and what was flushed is there after the power went at any moment. The state
 * disk has a cache, of which a loss of power keeps what chance says. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include <rayos/mm.h>

#include "kernel/fs/overlay_store.h"

#define CHUNKS        5
#define BASE_SECTORS  (CHUNKS * OVERLAY_CHUNK - 28) /* the last one is short */
#define STATE_SECTORS ((CHUNKS + 1) * OVERLAY_CHUNK)
#define CACHE_MAX     4096

static uint8_t base[BASE_SECTORS][BLOCK_SECTOR];
static uint8_t medium[STATE_SECTORS][BLOCK_SECTOR]; /* survives */
static uint8_t state[STATE_SECTORS][BLOCK_SECTOR];  /* as it is read */
static uint32_t cached[CACHE_MAX];
static unsigned cache_count, state_writes, fail_write_at;
static const char *why;

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

static int base_read(void *arg, uint64_t sector, void *buffer, uint32_t n)
{
    (void)arg;
    CHECK(sector + n <= BASE_SECTORS);
    memcpy(buffer, base[sector], (size_t)n * BLOCK_SECTOR);
    return 0;
}

static int base_write(void *arg, uint64_t sector, const void *data, uint32_t n)
{
    (void)arg, (void)sector, (void)data, (void)n;
    CHECK_FAIL("the base was written");
    return -EIO;
}

static int state_read(void *arg, uint64_t sector, void *buffer, uint32_t n)
{
    (void)arg;
    CHECK(sector + n <= STATE_SECTORS);
    memcpy(buffer, state[sector], (size_t)n * BLOCK_SECTOR);
    return 0;
}

static int state_write(void *arg, uint64_t sector, const void *data, uint32_t n)
{
    (void)arg;
    CHECK(sector + n <= STATE_SECTORS && cache_count + n <= CACHE_MAX);
    if (++state_writes == fail_write_at)
        return -EIO;
    memcpy(state[sector], data, (size_t)n * BLOCK_SECTOR);
    for (uint32_t i = 0; i < n; i++)
        cached[cache_count++] = (uint32_t)sector + i;
    return 0;
}

static int state_flush(void *arg)
{
    (void)arg;
    memcpy(medium, state, sizeof(medium));
    cache_count = 0;
    return 0;
}

/* Each sector in the cache reached the medium, or did not. */
static void lose_power(void)
{
    for (unsigned i = 0; i < cache_count; i++)
        if (rand() % 2)
            memcpy(medium[cached[i]], state[cached[i]], BLOCK_SECTOR);
    memcpy(state, medium, sizeof(state));
    cache_count = 0;
}

static struct overlay_store store(void)
{
    return (struct overlay_store){
        .base = {base_read, base_write, state_flush, NULL, BASE_SECTORS},
        .state = {state_read, state_write, state_flush, NULL, STATE_SECTORS},
    };
}

static void fresh(void)
{
    srand(7);
    for (unsigned i = 0; i < BASE_SECTORS; i++)
        memset(base[i], (int)(1 + i % 250), BLOCK_SECTOR);
    memset(medium, 0, sizeof(medium));
    memset(state, 0, sizeof(state));
    cache_count = state_writes = fail_write_at = 0;
}

static int reopen(struct overlay_store *s, enum overlay_start start)
{
    *s = store();
    return overlay_store_open(s, start, &why);
}

/* --- tests --- */

TEST(what_is_written_is_read_and_stays)
{
    static uint8_t data[200][BLOCK_SECTOR], back[BASE_SECTORS][BLOCK_SECTOR];
    struct overlay_store s;

    fresh();
    CHECK_EQ(reopen(&s, OVERLAY_KEEP), 0);
    memset(data, 0xee, sizeof(data));
    CHECK_EQ(overlay_store_write(&s, 100, data, 200), 0);
    CHECK_EQ(overlay_store_write(&s, BASE_SECTORS - 1, data, 1), 0);
    CHECK_EQ(s.map.taken, 4);
    CHECK_EQ(overlay_store_flush(&s), 0);
    overlay_store_close(&s);
    CHECK_EQ(reopen(&s, OVERLAY_KEEP), 0);
    CHECK_EQ(overlay_store_read(&s, 0, back, BASE_SECTORS), 0);
    for (unsigned i = 0; i < BASE_SECTORS; i++) {
        bool ours = (i >= 100 && i < 300) || i == BASE_SECTORS - 1;

        CHECK_EQ(back[i][0], ours ? 0xee : base[i][0]);
        CHECK_EQ(back[i][BLOCK_SECTOR - 1], back[i][0]);
    }
    overlay_store_close(&s);
}

TEST(a_reset_shows_the_base_again)
{
    uint8_t data[BLOCK_SECTOR] = {0xee}, back[BLOCK_SECTOR];
    struct overlay_store s;

    fresh();
    CHECK_EQ(reopen(&s, OVERLAY_KEEP), 0);
    CHECK_EQ(overlay_store_write(&s, 7, data, 1), 0);
    CHECK_EQ(overlay_store_flush(&s), 0);
    overlay_store_close(&s);
    CHECK_EQ(reopen(&s, OVERLAY_RESET), 0);
    CHECK_EQ(s.map.taken, 0);
    CHECK_EQ(overlay_store_read(&s, 7, back, 1), 0);
    CHECK(memcmp(back, base[7], BLOCK_SECTOR) == 0);
    overlay_store_close(&s);
}

TEST(a_reset_that_is_cut_off_leaves_old_or_new)
{
    static uint8_t data[BLOCK_SECTOR] = {0xee}, back[BLOCK_SECTOR];
    struct overlay_store s;

    for (unsigned cut = 1; cut <= 4; cut++) {
        fresh();
        CHECK_EQ(reopen(&s, OVERLAY_KEEP), 0);
        CHECK_EQ(overlay_store_write(&s, 7, data, 1), 0);
        CHECK_EQ(overlay_store_flush(&s), 0);
        overlay_store_close(&s);
        fail_write_at = state_writes + cut;
        CHECK_EQ(reopen(&s, OVERLAY_RESET), cut < 4 ? -EIO : 0);
        overlay_store_close(&s);
        lose_power();
        fail_write_at = 0;
        CHECK_EQ(reopen(&s, OVERLAY_KEEP), 0);
        CHECK_EQ(overlay_store_read(&s, 7, back, 1), 0);
        CHECK(back[0] == (cut == 1 ? 0xee : base[7][0]));
        overlay_store_close(&s);
    }
}

TEST(damage_is_noticed_and_said)
{
    struct overlay_store s;
    uint8_t data[BLOCK_SECTOR] = {1};

    fresh();
    CHECK_EQ(reopen(&s, OVERLAY_KEEP), 0);
    CHECK_EQ(overlay_store_write(&s, 0, data, 1), 0);
    CHECK_EQ(overlay_store_flush(&s), 0);
    overlay_store_close(&s);
    for (unsigned sector = 0; sector <= 8; sector += 8)
        for (unsigned at = 0; at < BLOCK_SECTOR; at += 5) {
            int expected = sector == 0 && at < 8 ? -EINVAL : -EILSEQ;

            state[sector][at] ^= 0x40;
            CHECK_EQ(reopen(&s, OVERLAY_KEEP), expected);
            state[sector][at] ^= 0x40;
        }
    base[3][9] ^= 1;
    CHECK_EQ(reopen(&s, OVERLAY_KEEP), -ESTALE);
    CHECK_STR(why, "it was made over another base");
    base[3][9] ^= 1;
    state[0][1] = 'x';
    CHECK_EQ(reopen(&s, OVERLAY_RESET), -EINVAL);
    CHECK_STR(why, "the state disk holds something else");
}

TEST(two_chunks_do_not_share_a_slot)
{
    struct overlay_shape shape;
    struct overlay_map m;
    uint8_t sector[BLOCK_SECTOR];

    CHECK_EQ(overlay_shape_new(BASE_SECTORS, 5, STATE_SECTORS, &shape), 0);
    CHECK_EQ(overlay_map_init(&m, &shape), 0);
    overlay_map_set(&m, 0, 2);
    overlay_map_set(&m, 3, 2);
    overlay_map_store(&m, 0, sector);
    overlay_map_free(&m);
    CHECK_EQ(overlay_map_init(&m, &shape), 0);
    CHECK_EQ(overlay_map_load(&m, 0, sector), -EILSEQ);
    overlay_map_free(&m);
}

TEST(a_full_state_disk_says_so)
{
    struct overlay_store s = store();
    uint8_t data[BLOCK_SECTOR] = {1}, back[BLOCK_SECTOR];

    fresh();
    s.state.sectors = 3 * OVERLAY_CHUNK; /* two slots */
    CHECK_EQ(overlay_store_open(&s, OVERLAY_KEEP, &why), 0);
    CHECK_EQ(overlay_store_write(&s, 0, data, 1), 0);
    CHECK_EQ(overlay_store_write(&s, 3 * OVERLAY_CHUNK, data, 1), 0);
    CHECK_EQ(overlay_store_write(&s, OVERLAY_CHUNK, data, 1), -ENOSPC);
    CHECK_EQ(overlay_store_write(&s, 1, data, 1), 0); /* has a slot */
    CHECK_EQ(overlay_store_read(&s, OVERLAY_CHUNK, back, 1), 0);
    CHECK_EQ(back[0], base[OVERLAY_CHUNK][0]);
    overlay_store_close(&s);
    s = store();
    s.state.sectors = OVERLAY_CHUNK;
    CHECK_EQ(overlay_store_open(&s, OVERLAY_RESET, &why), -ENOSPC);
}

/* Each sector has a number that grows; after a loss of power it is one that was
 * written at the last flush or later. */
TEST(what_was_flushed_survives_a_loss_of_power)
{
    static uint32_t flushed[BASE_SECTORS], written[BASE_SECTORS];
    static uint8_t buffer[40][BLOCK_SECTOR];
    struct overlay_store s;
    uint32_t number = 1000;

    fresh();
    for (unsigned i = 0; i < BASE_SECTORS; i++) {
        flushed[i] = written[i] = i;
        memset(base[i], 0, BLOCK_SECTOR);
        memcpy(base[i], &i, sizeof(i));
    }
    CHECK_EQ(reopen(&s, OVERLAY_KEEP), 0);
    for (unsigned round = 0; round < 3000 && !check_failures; round++) {
        uint32_t n = 1 + (uint32_t)rand() % 40;
        uint32_t at = (uint32_t)rand() % (BASE_SECTORS - n);
        int what = rand() % 20;

        if (what < 15) {
            for (uint32_t i = 0; i < n; i++) {
                written[at + i] = ++number;
                memcpy(buffer[i], &number, sizeof(number));
            }
            CHECK_EQ(overlay_store_write(&s, at, buffer, n), 0);
            if (cache_count < CACHE_MAX - 1000)
                continue;
        }
        if (what == 19) {
            lose_power();
            overlay_store_close(&s);
            CHECK_EQ(reopen(&s, OVERLAY_KEEP), 0);
            for (uint32_t i = 0; i < BASE_SECTORS; i++) {
                uint32_t x;

                CHECK_EQ(overlay_store_read(&s, i, buffer, 1), 0);
                memcpy(&x, buffer, sizeof(x));
                CHECK(x == flushed[i] || (x > flushed[i] && x <= written[i]));
                flushed[i] = written[i] = x;
            }
            CHECK_EQ(overlay_store_flush(&s), 0);
        } else {
            CHECK_EQ(overlay_store_flush(&s), 0);
            memcpy(flushed, written, sizeof(flushed));
        }
    }
    overlay_store_close(&s);
}

CHECK_MAIN
