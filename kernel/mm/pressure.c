/*
 * Memory that runs out, as events. They are posted, since the caller may hold
 * the locks of what is short. Any context but NMI.
 */
#include <string.h>

#include <rayos/event.h>
#include <rayos/mm.h>

#include "frame.h"

/* Frames are low below a sixteenth of them, and no longer so from twice that
 * on, so that a machine at the edge does not say it all the time. */
#define LOW_SHARE 16

static const struct event_constant kinds[] = {{"refused", PRESSURE_REFUSED},
                                              {"low", PRESSURE_LOW},
                                              {"exhausted", PRESSURE_EXHAUSTED},
                                              {0}};

static const struct event_field pressure_fields[] = {
    {.name = "code",
     .doc = "a cap refused, frames are low, or there is none of that size",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(uint32_t),
     .constants = kinds},
    EVENT_FIELD(source, EVENT_U32, "the domain whose cap refused, else 0"),
    EVENT_FIELD_AS("bytes", value, EVENT_I64,
                   "what was asked for, or what is free"),
    EVENT_FIELD_AS("name", text, EVENT_TEXT, "the domain"),
    {0}};

EVENT_TYPE(memory_pressure, .doc = "memory is short, or a cap was reached",
           .fields = pressure_fields);

void memory_pressure(enum memory_pressure kind, uint32_t source, size_t bytes,
                     const char *name)
{
    struct event e = {.code = kind, .source = source, .value = (int64_t)bytes};

    if (name)
        memcpy(e.text, name, strnlen(name, sizeof(e.text)));
    event_post(&event_type_memory_pressure, &e);
}

void memory_pressure_frames(uint64_t free, uint64_t total)
{
    static bool low; /* frame_lock */

    if (!low && free < total / LOW_SHARE) {
        low = true;
        memory_pressure(PRESSURE_LOW, 0, free * PAGE_SIZE, NULL);
    } else if (low && free > total / LOW_SHARE * 2) {
        low = false;
    }
}
