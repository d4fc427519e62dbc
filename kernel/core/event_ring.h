/*
 * A CPU's ring of events: written by that CPU with interrupts off, read by the
 * event thread. Pure; also built for the host tests.
 *
 * A rule's action may raise an event while another is being raised, so places
 * are reserved in the order of time and published when the outermost is done.
 */
#ifndef CORE_EVENT_RING_H
#define CORE_EVENT_RING_H

#include <rayos/event.h>

#define EVENT_RING_LENGTH 1024 /* a power of two */

struct event_ring {
    _Atomic uint32_t head; /* published; written by the producer */
    _Atomic uint32_t tail; /* taken; written by the consumer */
    /* An event is being raised: its TSC may be read already while it cannot be
     * seen yet. Written by the producer. */
    _Atomic uint32_t busy;
    uint32_t reserved, depth; /* the producer's own */
    struct event slots[EVENT_RING_LENGTH];
};

/* --- producer --- */

/* Around everything from reading the TSC on; may be nested. */
void event_ring_enter(struct event_ring *r);
/* The outermost one publishes; a full memory barrier. */
void event_ring_leave(struct event_ring *r);
/* The next place, between the two; NULL: full. */
struct event *event_ring_reserve(struct event_ring *r);

/* --- consumer --- */

bool event_ring_empty(const struct event_ring *r);
/* The oldest event of all rings (NULLs are skipped) that was raised before
 * `before`, in *out; false: there is none. */
bool event_rings_take(struct event_ring *const *rings, size_t count,
                      uint64_t before, struct event *out);

#endif
