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
/* Apart from irq_rate, so that no rule runs for interrupts that are well. */
EVENT_TYPE(irq_flood,
           .doc = "256 interrupts have come faster than any device needs: more "
                  "than 100,000 a second of a line, a million of a device's "
                  "messages, which fast disks send often",
           .fields = rate_fields);

#define STORM_OF_LINE     100000 /* a second */
#define STORM_OF_MESSAGES 1000000

static bool storms(int64_t line, int64_t rate)
{
    if (line >= 0)
        return rate > STORM_OF_LINE;
    return line == IRQ_RATE_MESSAGE && rate > STORM_OF_MESSAGES;
}

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
    if (storms(line, e.value))
        event_raise(&event_type_irq_flood, &e);
}
