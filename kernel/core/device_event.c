/*
 * Events of the device tree: what came, went, was bound, or failed. Thread
 * context, tree lock held.
 */
#include <string.h>

#include <rayos/event.h>

#include "device_internal.h"

static const struct event_constant device_codes[] = {
    {"added", DEVICE_EVENT_ADDED},   {"removed", DEVICE_EVENT_REMOVED},
    {"bound", DEVICE_EVENT_BOUND},   {"unbound", DEVICE_EVENT_UNBOUND},
    {"failed", DEVICE_EVENT_FAILED}, {0},
};

static const struct event_field device_fields[] = {
    {
        .name = "what",
        .doc = "what happened to it",
        .kind = EVENT_U32,
        .offset = offsetof(struct event, code),
        .size = sizeof(uint32_t),
        .constants = device_codes,
    },
    EVENT_FIELD(source, EVENT_U32, "the device's number, its id in dev.list()"),
    EVENT_FIELD_AS("name", text, EVENT_TEXT, "the device's name"),
    {0},
};

EVENT_TYPE(device, .doc = "a device came, went, or its driver did",
           .fields = device_fields);

void device_event(const struct device *d, enum device_event_code code)
{
    struct event e = {.code = code, .source = d->id};

    _Static_assert(sizeof(e.text) >= DEVICE_NAME_MAX, "a name fits");
    memcpy(e.text, d->name, DEVICE_NAME_MAX);
    event_raise(&event_type_device, &e);
}
