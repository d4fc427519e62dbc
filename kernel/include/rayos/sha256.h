/* SHA-256 (FIPS 180-4). Pure; shared by loader, kernel and host tests; any
 * context. */
#ifndef RAYOS_SHA256_H
#define RAYOS_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

struct sha256 {
    uint32_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const void *data, size_t size);
void sha256_final(struct sha256 *s, uint8_t digest[SHA256_SIZE]);

#endif
