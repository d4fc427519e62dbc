/* Disks as events: they come and go, are reset, and fail. Any context but NMI.
 */
#include <string.h>

#include <rayos/event.h>

#include "block_queue.h"

static const struct event_constant disk_codes[] = {
    {"came", BLOCK_CAME},   {"gone", BLOCK_GONE}, {"reset", BLOCK_RESET},
    {"error", BLOCK_ERROR}, {"lost", BLOCK_LOST}, {0},
};

static const struct event_field disk_fields[] = {
    {.name = "what",
     .doc = "came, gone, reset, error (of a request), lost (after a reset)",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(((struct event *)0)->code),
     .constants = disk_codes},
    EVENT_FIELD(value, EVENT_I64, "error number, 0: none"),
    EVENT_FIELD_AS("name", text, EVENT_TEXT, "which disk or partition"),
    {0}};

EVENT_TYPE(disk, .doc = "a disk came, went, was reset or failed",
           .fields = disk_fields);

void block_event(const struct block_device *b, enum block_event what, int err)
{
    struct event e = {.code = what, .value = -err};

    _Static_assert(sizeof(e.text) >= BLOCK_NAME_MAX, "names fit");
    memcpy(e.text, b->name, strnlen(b->name, sizeof(e.text)));
    event_raise(&event_type_disk, &e);
}
