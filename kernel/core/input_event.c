/*
 * The event types of input: keys, buttons, motions. They are raised before the
 * router gives them to anybody, so that a rule can take them away. Any context
 * but NMI.
 */
#include "input_event.h"

#include <rayos/event.h>
#include <rayos/keynames.h>

#include "input_router.h"

#define FIELD_CODE(text, names)                                          \
    {                                                                    \
        .name = "code", .doc = (text), .kind = EVENT_U32,                \
        .offset = offsetof(struct event, code),                          \
        .size = sizeof(((struct event *)0)->code), .constants = (names), \
    }

static const struct event_constant key_values[] = {{"released", KEY_RELEASED},
                                                   {"pressed", KEY_PRESSED},
                                                   {"repeated", KEY_REPEATED},
                                                   {0}};

static const struct event_constant motion_types[] = {
    {"relative", INPUT_REL}, {"absolute", INPUT_ABS}, {0}};

#define FIELD_VALUE                                                          \
    {                                                                        \
        .name = "value", .doc = "0 released, 1 pressed, 2 repeated",         \
        .kind = EVENT_I64, .offset = offsetof(struct event, value),          \
        .size = sizeof(((struct event *)0)->value), .constants = key_values, \
    }

#define FIELD_SOURCE \
    EVENT_FIELD(source, EVENT_U32, "id of the input device, 0: injected")

static const struct event_field key_fields[] = {
    FIELD_CODE("which key, by the names of input.keys()", input_key_names),
    FIELD_VALUE,
    FIELD_SOURCE,
    {0}};

EVENT_TYPE(input_key, .doc = "a key of any keyboard", .fields = key_fields);

static const struct event_field button_fields[] = {
    FIELD_CODE("which button", input_button_names),
    FIELD_VALUE,
    FIELD_SOURCE,
    {0}};

EVENT_TYPE(input_button, .doc = "a button of a mouse or tablet",
           .fields = button_fields);

static const struct event_field motion_fields[] = {
    FIELD_CODE("0 x, 1 y, 8 wheel", NULL),
    EVENT_FIELD(value, EVENT_I64, "by how much, or where"),
    {.name = "kind",
     .doc = "a distance, or a place",
     .kind = EVENT_U64,
     .offset = offsetof(struct event, data),
     .size = sizeof(uint64_t),
     .constants = motion_types},
    FIELD_SOURCE,
    {0}};

EVENT_TYPE(input_motion, .doc = "a pointing device or its wheel moved",
           .fields = motion_fields);

bool input_event_raise(const struct input_event *e)
{
    struct event raised = {
        .code = e->code, .value = e->value, .source = e->device};

    if (e->type == INPUT_SYN)
        return false;
    if (e->type != INPUT_KEY) {
        raised.data[0] = e->type;
        return event_raise(&event_type_input_motion, &raised);
    }
    return event_raise(input_is_button(e->code) ? &event_type_input_button
                                                : &event_type_input_key,
                       &raised);
}
