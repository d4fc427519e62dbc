/*
 * The rate of each interrupt, as events for rules: one that storms is seen, and
 * masked, long before a script could. Interrupt context.
 */
#include <string.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/event.h>
#include <rayos/irq.h>

#include "irq_rate.h"

static const struct event_field rate_fields[] = {
    EVENT_FIELD_AS("code", code, EVENT_U32, "the vector"),
    EVENT_FIELD(source, EVENT_U32, "the vector"),
    EVENT_FIELD_AS("rate", value, EVENT_I64, "interrupts a second"),
    {.name = "line",
     .doc = "the line (GSI); -1: a device's message; -2: the machine's own",
     .kind = EVENT_I64,
     .offset = offsetof(struct event, data[0]),
     .size = sizeof(uint64_t)},
    {.name = "name",
     .doc = "who asked for it",
     .kind = EVENT_TEXT,
     .offset = offsetof(struct event, data[1]),
     .size = sizeof(uint64_t) * (EVENT_DATA_WORDS - 1)},
    {0}};

EVENT_TYPE(irq_rate, .doc = "256 interrupts of one vector have come",
           .fields = rate_fields);

void irq_rate_sample(int vector, int64_t line, const char *name, uint64_t *mark)
{
    uint64_t now = arch_tsc(), before = *mark;
    struct event e = {.code = (uint32_t)vector, .source = (uint32_t)vector};

    *mark = now;
    if (!before || now <= before)
        return;
    e.value = (int64_t)(IRQ_RATE_SAMPLE * clock_tsc_hz() / (now - before));
    e.data[0] = (uint64_t)line;
    if (name)
        memcpy(&e.data[1], name,
               strnlen(name, sizeof(e.data) - sizeof(e.data[0])));
    irq_window();
    event_raise(&event_type_irq_rate, &e);
}
