/*
 * The registry of actions, and those that need nothing but the kernel's core.
 * run functions: any context but NMI, interrupts off, where the action says so.
 */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/power.h>
#include <rayos/timer.h>

#include "rule.h"

extern const struct reflex_action __start_rayos_reflex_actions[],
    __stop_rayos_reflex_actions[];

const struct reflex_action *reflex_action_at(size_t i)
{
    size_t n = (size_t)(__stop_rayos_reflex_actions -
                        __start_rayos_reflex_actions);

    return i < n ? &__start_rayos_reflex_actions[i] : NULL;
}

const struct reflex_action *reflex_action_find(const char *name)
{
    const struct reflex_action *a;

    for (size_t i = 0; (a = reflex_action_at(i)); i++)
        if (!strcmp(a->name, name))
            return a;
    return NULL;
}

/* --- telling --- */

static int action_log(const struct reflex_args *a)
{
    log_write(LOG_INFO, "reflex", "%s: %.32s (source %u, value %lld)", a->rule,
              a->text[0], a->event->source, (long long)a->event->value);
    return 0;
}

REFLEX_ACTION(log, .doc = "write a record: the rule, the text, the event",
              .args = "t", .any_context = true, .run = action_log);

static int action_escalate(const struct reflex_args *a)
{
    report_raise(REPORT_ESCALATE, a->rule, a->event, a->event->value);
    return 0;
}

REFLEX_ACTION(escalate,
              .doc = "hand it to whoever decides: an event of type reflex",
              .args = "", .any_context = true, .run = action_escalate);

static const struct event_field notice_fields[] = {
    EVENT_FIELD(source, EVENT_U32, "the source of the event that it is over"),
    EVENT_FIELD(value, EVENT_I64, "its value"),
    EVENT_FIELD(text, EVENT_TEXT, "what a person shall read"),
    {0}};

EVENT_TYPE(notice, .doc = "a rule has something to say to a person",
           .fields = notice_fields);

static uint32_t deeper(const struct event *e)
{
    return (e->flags & EVENT_DEPTH_MASK) + (1u << EVENT_DEPTH_SHIFT);
}

static int action_notify(const struct reflex_args *a)
{
    struct event e = {
        .source = a->event->source,
        .flags = deeper(a->event),
        .value = a->event->value,
    };

    memcpy(e.text, a->text[0], sizeof(e.text));
    event_raise(&event_type_notice, &e);
    return 0;
}

REFLEX_ACTION(notify, .doc = "tell a person: an event of type notice",
              .args = "t", .any_context = true, .run = action_notify);

/* --- events --- */

static int resolve_type(const char *name, void **object)
{
    const struct event_type *t = event_type_find(name);

    if (!t)
        return -ENOENT;
    if (!event_type_is_user(t))
        return -EINVAL;
    *object = (void *)(uintptr_t)t;
    return 0;
}

static int action_raise(const struct reflex_args *a)
{
    const struct event_type *t = a->object;
    struct event e = {
        .code = (uint32_t)a->number[1],
        .source = a->event->source,
        .flags = deeper(a->event),
        .value = a->number[2],
    };

    event_raise(t, &e);
    return 0;
}

REFLEX_ACTION(raise,
              .doc = "raise an event of a type made by event.define: its name, "
                     "code, value",
              .args = "t?nn", .any_context = true, .run = action_raise,
              .resolve = resolve_type);

/* --- timers --- */

static const struct event_field timer_fields[] = {
    EVENT_FIELD(code, EVENT_U32, "the timer's number"),
    EVENT_FIELD(source, EVENT_U32, "the source of the event that set it"),
    EVENT_FIELD(value, EVENT_I64, "what was given with it"),
    {0}};

EVENT_TYPE(timer, .doc = "a timer that a rule has set is over",
           .fields = timer_fields);

/* Written before its timer is started, on the CPU that does so. */
struct alarm {
    struct timer timer;
    int64_t value;
    uint32_t source, flags;
};

static struct alarm alarms[REFLEX_TIMERS];

static void alarm_over(struct timer *t)
{
    const struct alarm *a = container_of(t, struct alarm, timer);
    struct event e = {
        .code = (uint32_t)(a - alarms),
        .source = a->source,
        .flags = a->flags,
        .value = a->value,
    };

    event_raise(&event_type_timer, &e);
}

static struct alarm *alarm_of(int64_t number)
{
    return number >= 0 && number < REFLEX_TIMERS ? &alarms[number] : NULL;
}

/* A timer starts a new story: were its events deep, a clock made of rules
 * would stop after a few ticks. What bounds it is the time between. */
static int action_set_timer(const struct reflex_args *a)
{
    struct alarm *alarm = alarm_of(a->number[0]);

    if (!alarm || a->number[1] < (int64_t)NS_PER_MS)
        return -EINVAL;
    alarm->source = a->event->source;
    alarm->value = a->number[2];
    alarm->timer.fn = alarm_over;
    timer_start(&alarm->timer, clock_now() + (uint64_t)a->number[1]);
    return 0;
}

REFLEX_ACTION(set_timer,
              .doc = "raise an event of type timer later: number (0 to 63), "
                     "time (at least 1 ms), value",
              .args = "nn?n", .any_context = true, .run = action_set_timer);

static int action_stop_timer(const struct reflex_args *a)
{
    struct alarm *alarm = alarm_of(a->number[0]);

    if (!alarm)
        return -EINVAL;
    timer_cancel(&alarm->timer);
    return 0;
}

REFLEX_ACTION(stop_timer, .doc = "stop a timer: number", .args = "n",
              .any_context = true, .run = action_stop_timer);

/* --- the machine --- */

/* A line, or a device's message; the machine's own vectors have no mask. */
static int device_vector(int64_t vector)
{
    struct irq_info info;

    if (vector < 0 || vector > UINT8_MAX || !irq_get_info((int)vector, &info))
        return -ENOENT;
    return info.maskable ? (int)vector : -ENOTSUP;
}

static int action_mask_irq(const struct reflex_args *a)
{
    int vector = device_vector(a->number[0]);

    if (vector < 0)
        return vector;
    irq_mask(vector);
    return 0;
}

REFLEX_ACTION(mask_irq, .capability = "dev",
              .doc = "mask a device's interrupt, a line or a message: vector",
              .args = "n", .any_context = true, .run = action_mask_irq);

static int action_unmask_irq(const struct reflex_args *a)
{
    int vector = device_vector(a->number[0]);

    if (vector < 0)
        return vector;
    irq_unmask(vector);
    return 0;
}

REFLEX_ACTION(unmask_irq, .capability = "dev",
              .doc = "let a device's interrupt come again: vector", .args = "n",
              .any_context = true, .run = action_unmask_irq);

static int action_poweroff(const struct reflex_args *a)
{
    (void)a;
    power_request(POWER_OFF);
    return 0;
}

REFLEX_ACTION(poweroff, .capability = "power",
              .doc = "shut the machine down in order", .args = "",
              .run = action_poweroff);

static int action_reset(const struct reflex_args *a)
{
    (void)a;
    power_request(POWER_RESET);
    return 0;
}

REFLEX_ACTION(reset, .capability = "power",
              .doc = "start the machine anew, in order", .args = "",
              .run = action_reset);
