/*
 * A byte ring for one producer and one consumer, each in any context (an
 * interrupt handler and a thread, say), without a lock. Pure; also built for
 * the host tests.
 */
#ifndef RAYOS_RING_H
#define RAYOS_RING_H

#include <rayos/types.h>

struct ring {
    uint8_t *data;
    uint32_t mask;         /* size - 1; the size is a power of two */
    _Atomic uint32_t head; /* written by the producer */
    _Atomic uint32_t tail; /* written by the consumer */
    uint64_t
        dropped; /* bytes refused since the start; written by the producer */
};

/* `size`: a power of two. */
void ring_init(struct ring *r, void *data, uint32_t size);
uint32_t ring_used(const struct ring *r);
uint32_t ring_free(const struct ring *r);
/* Producer: bytes taken; what does not fit is counted in `dropped`. */
uint32_t ring_write(struct ring *r, const void *data, uint32_t size);
/* Producer: like ring_write for one byte, without counting a refusal: for
 * callers that wait and retry. */
bool ring_put(struct ring *r, uint8_t byte);
/* Consumer: bytes given. */
uint32_t ring_read(struct ring *r, void *data, uint32_t size);

#endif
