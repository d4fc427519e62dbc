/* Disks as events: they come and go, are reset, and fail. Any context but NMI.
 */
#include <string.h>

#include <rayos/event.h>

#include "block_queue.h"

static const struct event_constant disk_codes[] = {
    {"came", BLOCK_CAME},
    {"gone", BLOCK_GONE},
    {"reset", BLOCK_RESET},
    {"error", BLOCK_ERROR},
    {"lost", BLOCK_LOST},
    {"slow", BLOCK_SLOW},
    {0},
};

static const struct event_field disk_fields[] = {
    {.name = "what",
     .doc =
         "came, gone, reset, error (of a request), lost (after a reset), slow "
         "(a request that took long, but was done)",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(((struct event *)0)->code),
     .constants = disk_codes},
    EVENT_FIELD(value, EVENT_I64,
                "error number, 0: none; of slow: how long it took, ns"),
    EVENT_FIELD_AS("name", text, EVENT_TEXT, "which disk or partition"),
    {0}};

EVENT_TYPE(disk, .doc = "a disk came, went, was reset, failed or is slow",
           .fields = disk_fields);

static struct event event_of(const struct block_device *b,
                             enum block_event what, int64_t value)
{
    struct event e = {.code = what, .value = value};

    _Static_assert(sizeof(e.text) >= BLOCK_NAME_MAX, "names fit");
    memcpy(e.text, b->name, strnlen(b->name, sizeof(e.text)));
    return e;
}

void block_event(const struct block_device *b, enum block_event what, int err)
{
    struct event e = event_of(b, what, -err);

    event_raise(&event_type_disk, &e);
}

void block_event_slow(const struct block_device *b, nstime_t took)
{
    struct event e = event_of(b, BLOCK_SLOW, (int64_t)took);

    event_post(&event_type_disk, &e);
}
