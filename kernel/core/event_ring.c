/* Rings of events, and their merge by time: see event_ring.h. Pure; the
 * producer's functions in any context, the consumer's in one thread. */
#include "event_ring.h"

static uint32_t load(const _Atomic uint32_t *v)
{
    return __atomic_load_n((const uint32_t *)v, __ATOMIC_ACQUIRE);
}

static void store(_Atomic uint32_t *v, uint32_t value)
{
    __atomic_store_n((uint32_t *)v, value, __ATOMIC_RELEASE);
}

void event_ring_enter(struct event_ring *r)
{
    /* Seen before the TSC is read: an exchange is a barrier. */
    if (r->depth++ == 0)
        __atomic_exchange_n((uint32_t *)&r->busy, 1, __ATOMIC_SEQ_CST);
}

void event_ring_leave(struct event_ring *r)
{
    if (--r->depth)
        return;
    store(&r->head, r->reserved);
    __atomic_exchange_n((uint32_t *)&r->busy, 0, __ATOMIC_SEQ_CST);
}

struct event *event_ring_reserve(struct event_ring *r)
{
    if (r->reserved - load(&r->tail) >= EVENT_RING_LENGTH)
        return NULL;
    return &r->slots[r->reserved++ % EVENT_RING_LENGTH];
}

bool event_ring_empty(const struct event_ring *r)
{
    return load(&r->head) == load(&r->tail);
}

static const struct event *oldest_of(const struct event_ring *r)
{
    uint32_t tail = load(&r->tail);

    return load(&r->head) == tail ? NULL : &r->slots[tail % EVENT_RING_LENGTH];
}

bool event_rings_take(struct event_ring *const *rings, size_t count,
                      uint64_t before, struct event *out)
{
    struct event_ring *from = NULL;
    const struct event *first = NULL;

    for (size_t i = 0; i < count; i++) {
        const struct event *e = rings[i] ? oldest_of(rings[i]) : NULL;

        if (e && e->tsc < before && (!first || e->tsc < first->tsc)) {
            first = e;
            from = rings[i];
        }
    }
    if (!first)
        return false;
    *out = *first;
    store(&from->tail, load(&from->tail) + 1);
    return true;
}
