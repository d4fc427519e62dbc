/*
 * Log records at warning or above, as events. A writer of the log may hold any
 * lock, so they are posted. What rules write stays out: a rule over records
 * must not feed itself.
 */
#include <string.h>

#include <rayos/event.h>
#include <rayos/log.h>
#include <rayos/unit.h>

#define REFLEX_MODULE "reflex"

static const struct event_constant levels[] = {
    {"warn", LOG_WARN}, {"error", LOG_ERROR}, {0}};

static const struct event_field log_fields[] = {
    {.name = "code",
     .doc = "level of the record",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(uint32_t),
     .constants = levels},
    EVENT_FIELD_AS("seq", value, EVENT_I64, "number of the record, for log"),
    EVENT_FIELD_AS("module", text, EVENT_TEXT, "module that wrote it"),
    {0}};

EVENT_TYPE(log, .doc = "a log record at warning or above",
           .fields = log_fields);

static void watch(const struct log_record *r)
{
    struct event e = {.code = r->level, .value = (int64_t)r->seq};

    if (!strcmp(r->module, REFLEX_MODULE))
        return;
    memcpy(e.text, r->module, strnlen(r->module, sizeof(r->module)));
    event_post(&event_type_log, &e);
}

static int event_log_start(void)
{
    log_set_watcher(watch);
    return 0;
}

UNIT(event_log, .after = "event", .start = event_log_start);
