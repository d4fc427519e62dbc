/* What the engine itself has to say, as events. Any context but NMI. */
#include <string.h>

#include <rayos/reflex.h>

#include "rule.h"

static const struct event_constant reports[] = {{"escalate", REPORT_ESCALATE},
                                                {"failure", REPORT_FAILURE},
                                                {"overrun", REPORT_OVERRUN},
                                                {0}};

static const struct event_field report_fields[] = {
    {.name = "code",
     .doc = "escalate: a rule asks for a decision; failure: an action failed; "
            "overrun: a rule was switched off",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(uint32_t),
     .constants = reports},
    EVENT_FIELD(source, EVENT_U32, "the source of the event that it met"),
    EVENT_FIELD(value, EVENT_I64,
                "its value; error number; TSC ticks of the last run"),
    EVENT_FIELD_AS("rule", text, EVENT_TEXT, "the rule's name"),
    {0}};

EVENT_TYPE(reflex, .doc = "a rule escalates, failed, or took too long",
           .fields = report_fields);

void report_raise(enum reflex_report what, const char *rule,
                  const struct event *over, int64_t value)
{
    struct event e = {
        .code = what,
        .source = over->source,
        .flags = (over->flags & EVENT_DEPTH_MASK) + (1u << EVENT_DEPTH_SHIFT),
        .value = value,
    };

    memcpy(e.text, rule, strnlen(rule, sizeof(e.text)));
    event_post(&event_type_reflex, &e);
}

void reflex_failed(const char *rule, const struct event *over, int err)
{
    report_raise(REPORT_FAILURE, rule, over, -err);
}
