/* The ChaCha20 block function (RFC 8439, 2.3). Pure; any context. */
#ifndef KERNEL_CORE_CHACHA20_H
#define KERNEL_CORE_CHACHA20_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CHACHA20_KEY_SIZE   32
#define CHACHA20_NONCE_SIZE 12
#define CHACHA20_BLOCK_SIZE 64

struct chacha20 {
    uint32_t state[16]; /* constants, key, counter, nonce: RFC 8439, 2.3 */
};

void chacha20_init(struct chacha20 *c, const uint8_t key[CHACHA20_KEY_SIZE],
                   uint32_t counter, const uint8_t nonce[CHACHA20_NONCE_SIZE]);
/* The next 64 bytes of the key stream. */
void chacha20_block(struct chacha20 *c, uint8_t out[CHACHA20_BLOCK_SIZE]);
/* The next `size` bytes, from a block's beginning; the rest of the last block
 * is thrown away. */
void chacha20_stream(struct chacha20 *c, void *out, size_t size);

/* Zero what was secret: a plain memset before the end of a function is what
 * compilers leave out. */
static inline void chacha20_wipe(void *p, size_t size)
{
    memset(p, 0, size);
    __asm__ volatile("" ::"r"(p) : "memory");
}

#endif
