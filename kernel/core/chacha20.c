/*
 * ChaCha20 as RFC 8439 has it: a stream of bytes from a key, a counter and a
 * nonce. Additions, rotations and xor only, so that its time does not depend on
 * the key. Pure; any context.
 */
#include "chacha20.h"

#define DOUBLE_ROUNDS 10
#define COUNTER       12 /* word of the state */

static inline uint32_t rotate_left(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static inline uint32_t load_le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

static inline void store_le32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
}

/* 2.1 */
static inline void quarter_round(uint32_t s[16], unsigned a, unsigned b,
                                 unsigned c, unsigned d)
{
    s[a] += s[b];
    s[d] = rotate_left(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotate_left(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotate_left(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotate_left(s[b] ^ s[c], 7);
}

void chacha20_init(struct chacha20 *c, const uint8_t key[CHACHA20_KEY_SIZE],
                   uint32_t counter, const uint8_t nonce[CHACHA20_NONCE_SIZE])
{
    /* "expand 32-byte k" */
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32,
                                          0x6b206574};

    memcpy(c->state, constants, sizeof(constants));
    for (unsigned i = 0; i < 8; i++)
        c->state[4 + i] = load_le32(key + 4 * i);
    c->state[COUNTER] = counter;
    for (unsigned i = 0; i < 3; i++)
        c->state[COUNTER + 1 + i] = load_le32(nonce + 4 * i);
}

/* 2.3.1 */
void chacha20_block(struct chacha20 *c, uint8_t out[CHACHA20_BLOCK_SIZE])
{
    uint32_t s[16];

    memcpy(s, c->state, sizeof(s));
    for (unsigned i = 0; i < DOUBLE_ROUNDS; i++) {
        quarter_round(s, 0, 4, 8, 12); /* columns */
        quarter_round(s, 1, 5, 9, 13);
        quarter_round(s, 2, 6, 10, 14);
        quarter_round(s, 3, 7, 11, 15);
        quarter_round(s, 0, 5, 10, 15); /* diagonals */
        quarter_round(s, 1, 6, 11, 12);
        quarter_round(s, 2, 7, 8, 13);
        quarter_round(s, 3, 4, 9, 14);
    }
    for (unsigned i = 0; i < 16; i++)
        store_le32(out + 4 * i, s[i] + c->state[i]);
    c->state[COUNTER]++;
}

void chacha20_stream(struct chacha20 *c, void *out, size_t size)
{
    uint8_t block[CHACHA20_BLOCK_SIZE];
    uint8_t *p = out;

    for (; size >= sizeof(block); p += sizeof(block), size -= sizeof(block))
        chacha20_block(c, p);
    if (!size)
        return;
    chacha20_block(c, block);
    memcpy(p, block, size);
    chacha20_wipe(block, sizeof(block));
}
