/*
 * What happens to domains, as events. domain_event_end: thread context;
 * domain_event_overrun: interrupt context too.
 */
#include <string.h>

#include <rayos/event.h>

#include "lua/domain.h"

#define INTERRUPT __attribute__((target("general-regs-only"), noinline))

static const struct event_constant ends[] = {
    {"exit", END_EXIT},     {"error", END_ERROR},   {"killed", END_KILLED},
    {"memory", END_MEMORY}, {"budget", END_BUDGET}, {0}};

static const struct event_field end_fields[] = {
    {.name = "code",
     .doc = "how it ended",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(uint32_t),
     .constants = ends},
    EVENT_FIELD(source, EVENT_U32, "id of the domain"),
    EVENT_FIELD_AS("status", value, EVENT_I64, "its exit code"),
    EVENT_FIELD_AS("name", text, EVENT_TEXT, "the domain's"),
    {0}};

EVENT_TYPE(domain_end, .doc = "a Lua domain ended", .fields = end_fields);

static const struct event_field overrun_fields[] = {
    EVENT_FIELD(source, EVENT_U32, "id of the domain"),
    EVENT_FIELD_AS("budget", value, EVENT_I64, "its CPU budget, nanoseconds"),
    EVENT_FIELD_AS("name", text, EVENT_TEXT, "the domain's"),
    {0}};

EVENT_TYPE(overrun, .doc = "a domain used up its CPU budget without waiting",
           .fields = overrun_fields);

void domain_event_end(const struct domain *d)
{
    struct event e = {
        .code = d->reason.kind, .source = d->id, .value = d->reason.code};

    memcpy(e.text, d->name, strnlen(d->name, sizeof(e.text)));
    event_raise(&event_type_domain_end, &e);
}

INTERRUPT void domain_event_overrun(const struct domain *d)
{
    struct event e = {.source = d->id, .value = (int64_t)d->budget};

    memcpy(e.text, d->name, strnlen(d->name, sizeof(e.text)));
    event_raise(&event_type_overrun, &e);
}
