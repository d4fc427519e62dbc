/*
 * A byte ring for one producer and one consumer. Pure; any context.
 *
 * head and tail run freely and are reduced by the mask when used, so a full
 * ring and an empty one differ. Each side publishes its own with release after
 * it has touched the bytes, and reads the other's with acquire before.
 */
#include <rayos/ring.h>

#include <string.h>

static uint32_t load(const _Atomic uint32_t *v)
{
    return __atomic_load_n((const uint32_t *)v, __ATOMIC_ACQUIRE);
}

static void store(_Atomic uint32_t *v, uint32_t value)
{
    __atomic_store_n((uint32_t *)v, value, __ATOMIC_RELEASE);
}

void ring_init(struct ring *r, void *data, uint32_t size)
{
    r->data = data;
    r->mask = size - 1;
    r->dropped = 0;
    store(&r->head, 0);
    store(&r->tail, 0);
}

uint32_t ring_used(const struct ring *r)
{
    return load(&r->head) - load(&r->tail);
}

uint32_t ring_free(const struct ring *r)
{
    return r->mask + 1 - ring_used(r);
}

uint32_t ring_write(struct ring *r, const void *data, uint32_t size)
{
    uint32_t head = load(&r->head), space = ring_free(r);
    uint32_t n = size < space ? size : space;
    uint32_t at = head & r->mask, to_end = r->mask + 1 - at;
    uint32_t first = n < to_end ? n : to_end;

    memcpy(r->data + at, data, first);
    memcpy(r->data, (const uint8_t *)data + first, n - first);
    store(&r->head, head + n);
    r->dropped += size - n;
    return n;
}

bool ring_put(struct ring *r, uint8_t byte)
{
    uint32_t head = load(&r->head);

    if (!ring_free(r))
        return false;
    r->data[head & r->mask] = byte;
    store(&r->head, head + 1);
    return true;
}

uint32_t ring_read(struct ring *r, void *data, uint32_t size)
{
    uint32_t tail = load(&r->tail), used = ring_used(r);
    uint32_t n = size < used ? size : used;
    uint32_t at = tail & r->mask, to_end = r->mask + 1 - at;
    uint32_t first = n < to_end ? n : to_end;

    memcpy(data, r->data + at, first);
    memcpy((uint8_t *)data + first, r->data, n - first);
    store(&r->tail, tail + n);
    return n;
}
