/*
 * Random numbers: a ChaCha20 generator, seeded from a pool that
 * RDSEED, RDRAND, virtio-rng and the timing of interrupts feed. Any context but
 * NMI.
 */
#ifndef RAYOS_RANDOM_H
#define RAYOS_RANDOM_H

#include <rayos/types.h>

/* Fit for keys once random_ready(); before that as good as what came in. */
void random_bytes(void *out, size_t size);
uint64_t random_u64(void);
/* Stir in; `bits`: how much of it nobody else could know. */
void random_add(const void *data, size_t size, uint32_t bits);
/* The same, listed under a name of its own; `source` is kept, not copied. */
void random_add_from(const char *source, const void *data, size_t size,
                     uint32_t bits);
bool random_ready(void);
/* Where entropy came from, for listings; false past the end. */
struct random_source {
    const char *name;
    uint64_t bytes, bits;
};
bool random_source_at(size_t i, struct random_source *out);

/* --- for the interrupt dispatcher --- */

extern bool random_timing_on; /* is the timing of interrupts wanted now? */
void random_timing_add(uint64_t vector);

/* An interrupt came. Interrupt context; near free. */
static inline void random_interrupt(uint64_t vector)
{
    if (__builtin_expect(random_timing_on, 0))
        random_timing_add(vector);
}

#endif
