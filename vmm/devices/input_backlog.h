/*
 * Events on their way to a guest that may be slow to take them. They leave in
 * whole batches (up to a SYN), in order. The room is bounded, and still no key
 * stays down: a press is only taken when there is room for its release too, and
 * the release of a press that was not taken is not told either.
 *
 * Invariant: events inside, a SYN for the batch that is being made, and a
 * release with its SYN for each key held fit together. Pure; the caller locks.
 */
#ifndef VMM_DEVICES_INPUT_BACKLOG_H
#define VMM_DEVICES_INPUT_BACKLOG_H

#include <rayos/keycodes.h>
#include <rayos/types.h>

#define BACKLOG_SIZE 512 /* events; a power of two */

/* virtio 1.2 5.8.6: struct virtio_input_event, little endian */
struct backlog_event {
    uint16_t type, code;
    uint32_t value;
};

struct input_backlog {
    struct backlog_event ring[BACKLOG_SIZE];
    uint32_t first, count; /* complete batches */
    uint32_t open;         /* events of the batch that is being made */
    uint32_t motion; /* events of the last batch if it is only a place, and all
                        here still; 0 */
    uint32_t held;   /* keys whose press was taken */
    uint32_t down[KEY_COUNT / 32]; /* which */
    uint64_t dropped;
};

void backlog_reset(struct input_backlog *b);
void backlog_add(struct input_backlog *b, uint16_t type, uint16_t code,
                 int32_t value);
/* The oldest event of a complete batch; NULL. */
const struct backlog_event *backlog_first(const struct input_backlog *b);
void backlog_pop(struct input_backlog *b);

#endif
