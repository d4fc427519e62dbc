/* Fields of events, and filters over them. Pure; any context. */
#include <string.h>

#include "event_internal.h"

int64_t event_field_get(const struct event_field *f, const struct event *e)
{
    const char *at = (const char *)e + f->offset;
    uint64_t wide;
    uint32_t word;
    uint16_t half;

    if (f->kind == EVENT_TEXT)
        return 0;
    switch (f->size) {
    case sizeof(wide):
        memcpy(&wide, at, sizeof(wide));
        return (int64_t)wide;
    case sizeof(word):
        memcpy(&word, at, sizeof(word));
        return f->kind == EVENT_I64 ? (int32_t)word : (int64_t)word;
    case sizeof(half):
        memcpy(&half, at, sizeof(half));
        return f->kind == EVENT_I64 ? (int16_t)half : (int64_t)half;
    default:
        return f->kind == EVENT_I64 ? (int8_t)*at : (uint8_t)*at;
    }
}

bool event_filter_valid(const struct event_filter *f)
{
    const struct event_field *field = f->type ? f->type->fields : NULL;

    if (!f->by_field)
        return f->type;
    for (uint8_t i = 0; field && field->name && i < f->field; i++)
        field++;
    return field && field->name && field->kind != EVENT_TEXT;
}

bool event_filters_match(const struct event_filter *filters, size_t count,
                         const struct event *e)
{
    for (size_t i = 0; i < count; i++) {
        const struct event_filter *f = &filters[i];

        if (f->type->state->index != e->type)
            continue;
        if (!f->by_field ||
            event_field_get(&f->type->fields[f->field], e) == f->equals)
            return true;
    }
    return false;
}
