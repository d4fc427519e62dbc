/*
 * The generator's state: a pool that SHA-256 mixes, a ChaCha20 key, and the way
 * from one to the other. Pure; any context.
 */
#include "random_pool.h"

#include <string.h>

/* What a hash is for, so that no two of them are of the same input. */
enum purpose { PURPOSE_ADD = 1, PURPOSE_KEY, PURPOSE_POOL };

static const uint8_t no_nonce[CHACHA20_NONCE_SIZE];

static void hash_begin(struct sha256 *s, enum purpose purpose)
{
    uint8_t tag = (uint8_t)purpose;

    sha256_init(s);
    sha256_update(s, &tag, sizeof(tag));
}

void random_pool_add(struct random_pool *p, const void *data, size_t size,
                     uint32_t bits)
{
    struct sha256 s;

    if (bits > size * 8)
        bits = (uint32_t)(size * 8);
    hash_begin(&s, PURPOSE_ADD);
    sha256_update(&s, p->pool, sizeof(p->pool));
    sha256_update(&s, data, size);
    sha256_final(&s, p->pool);
    /* More than the pool can hold does not count. */
    p->bits = p->bits + bits > SHA256_SIZE * 8 ? SHA256_SIZE * 8
                                               : p->bits + bits;
}

bool random_pool_full(const struct random_pool *p)
{
    return p->bits >= RANDOM_READY_BITS;
}

void random_pool_reseed(struct random_pool *p)
{
    struct sha256 s;

    hash_begin(&s, PURPOSE_KEY);
    sha256_update(&s, p->key, sizeof(p->key));
    sha256_update(&s, p->pool, sizeof(p->pool));
    sha256_final(&s, p->key);
    hash_begin(&s, PURPOSE_POOL);
    sha256_update(&s, p->pool, sizeof(p->pool));
    sha256_final(&s, p->pool);
    if (random_pool_full(p))
        p->ready = true;
    p->bits = 0;
    p->given = 0;
}

void random_pool_take(struct random_pool *p, struct chacha20 *c, size_t size)
{
    uint8_t block[CHACHA20_BLOCK_SIZE];
    struct chacha20 own;

    chacha20_init(&own, p->key, 0, no_nonce);
    chacha20_block(&own, block);
    memcpy(p->key, block, sizeof(p->key));
    chacha20_init(c, block + sizeof(p->key), 0, no_nonce);
    chacha20_wipe(block, sizeof(block));
    chacha20_wipe(&own, sizeof(own));
    p->given += size;
}

bool random_health_ok(struct random_health *h, uint64_t word)
{
    bool bad = word == 0 || word == UINT64_MAX ||
               (h->started && word == h->last);

    h->started = true;
    h->last = word;
    h->bad = bad ? h->bad + 1 : 0;
    if (h->bad >= RANDOM_BAD_MAX)
        h->dead = true;
    return !bad && !h->dead;
}
