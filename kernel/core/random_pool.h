/*
 * The state of the random number generator, and how it moves; without locks,
 * clocks or instructions of the CPU. Pure; any context.
 */
#ifndef KERNEL_CORE_RANDOM_POOL_H
#define KERNEL_CORE_RANDOM_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rayos/sha256.h>

#include "chacha20.h"

#define RANDOM_READY_BITS 256 /* as strong as the key is long */

/*
 * What comes in is hashed into `pool`; what goes out comes from `key`. The pool
 * reaches the key in one step, when it has gathered what nobody can guess: if
 * it came drop by drop, whoever saw the output in between could guess each
 * drop.
 */
struct random_pool {
    uint8_t pool[SHA256_SIZE];
    uint8_t key[CHACHA20_KEY_SIZE];
    uint32_t bits;  /* in the pool, not yet in the key */
    bool ready;     /* RANDOM_READY_BITS have reached the key at once */
    uint64_t given; /* bytes since the key was last made of the pool */
};

/* Hash it in; `bits` of it nobody could guess. */
void random_pool_add(struct random_pool *p, const void *data, size_t size,
                     uint32_t bits);
/* Has it gathered enough for a new key? */
bool random_pool_full(const struct random_pool *p);
/* Make the key anew of itself and the pool. */
void random_pool_reseed(struct random_pool *p);
/*
 * The key goes and a new one comes, so that what was given before cannot be
 * worked out from what memory holds later ("fast key erasure"); *c gives
 * `size` bytes, which the caller takes from it once and then wipes it.
 */
void random_pool_take(struct random_pool *p, struct chacha20 *c, size_t size);

/* --- is a source of words alive? --- */

/* Words in a row that may be bad before a source is not asked any more. */
#define RANDOM_BAD_MAX 4

struct random_health {
    uint64_t last;
    uint32_t bad; /* refused, in a row */
    bool started, dead;
};

/*
 * Whether a word may count: not all zeros or ones, which is what broken
 * instructions gave, and not the one before (the repetition count test of NIST
 * SP 800-90B 4.4.1). A sound source of 64-bit words fails once in 2^62.
 */
bool random_health_ok(struct random_health *h, uint64_t word);

#endif
