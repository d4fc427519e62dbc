/*
 * From an event to the rules that want it, and to their actions. The way of
 * every reflex: interrupts off, no lock, no allocation, nothing that could take
 * longer than the verifier has proven. Any context but NMI.
 */
#include <string.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/smp.h>

#include "rule.h"

static struct rule_set *current; /* atomic */
static uint64_t too_deep;        /* atomic */

static void count(uint64_t *counter, uint64_t by)
{
    __atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

/* --- accounting --- */

/* Losing against another CPU loses one sample, not the order of magnitude. */
static void keep_extremes(struct reflex_stats *s, uint64_t ticks)
{
    uint64_t min = s->ticks_min, max = s->ticks_max;

    if (ticks < min)
        __atomic_compare_exchange_n(&s->ticks_min, &min, ticks, false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    if (ticks > max)
        __atomic_compare_exchange_n(&s->ticks_max, &max, ticks, false,
                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

static unsigned bucket_of(nstime_t ns)
{
    unsigned bits = ns ? 64 - (unsigned)__builtin_clzll(ns) : 0;

    return bits < REFLEX_HISTOGRAM ? bits : REFLEX_HISTOGRAM - 1;
}

static void account_action(struct rule *r, const struct event *e)
{
    uint64_t now = arch_tsc(), ticks = now > e->tsc ? now - e->tsc : 0;
    struct reflex_stats *s = &r->stats;

    count(&s->actions, 1);
    count(&s->ticks_sum, ticks);
    count(&s->histogram[bucket_of(clock_from_tsc(now) -
                                  clock_from_tsc(now - ticks))],
          1);
    keep_extremes(s, ticks);
}

static void account_overrun(struct rule *r, const struct event *e,
                            uint64_t ticks)
{
    if (ticks <= r->budget_tsc) {
        __atomic_store_n(&r->overrun_row, 0, __ATOMIC_RELAXED);
        return;
    }
    count(&r->stats.overruns, 1);
    if (__atomic_add_fetch(&r->overrun_row, 1, __ATOMIC_RELAXED) !=
        REFLEX_OVERRUN_ROW)
        return;
    __atomic_store_n(&r->disabled, 1, __ATOMIC_RELAXED);
    report_raise(REPORT_OVERRUN, r->image.header->name, e, (int64_t)ticks);
}

/* --- actions --- */

int dispatch_perform(struct rule *r, unsigned call, struct reflex_args *args)
{
    int err;

    args->object = r->calls[call].object;
    args->rule = r->image.header->name;
    err = r->calls[call].action->run(args);
    account_action(r, args->event);
    if (err < 0) {
        count(&r->stats.failures, 1);
        report_raise(REPORT_FAILURE, args->rule, args->event, -err);
    }
    return err;
}

static void fill_args(const struct reflex_run *run, unsigned index,
                      const int64_t registers[REFLEX_REGISTERS],
                      struct reflex_args *args)
{
    const struct reflex_call *call = &run->image->calls[index];

    *args = (struct reflex_args){.event = run->event};
    for (unsigned i = 0; i < call->argc; i++) {
        unsigned at = call->arg[i].index;

        if (call->arg[i].kind == REFLEX_ARG_STRING)
            args->text[i] = run->image->strings[at].text;
        else if (call->arg[i].kind == REFLEX_ARG_CONSTANT)
            args->number[i] = run->image->constants[at];
        else
            args->number[i] = registers[at];
    }
}

static void act(struct reflex_run *run, unsigned call,
                const int64_t registers[REFLEX_REGISTERS])
{
    struct rule *r = run->arg;
    struct reflex_args args;

    fill_args(run, call, registers, &args);
    if (r->calls[call].action->any_context)
        run->consumed |= dispatch_perform(r, call, &args) == REFLEX_CONSUMED;
    else if (!defer_action(r, call, &args))
        count(&r->stats.lost, 1);
}

/* --- rules --- */

static bool run_rule(const struct attachment *a, const struct event_type *type,
                     struct event *e, nstime_t now)
{
    struct rule *r = a->rule;
    struct reflex_run run = {
        .image = &r->image,
        .type = type,
        .event = e,
        .now = now,
        .state = r->state,
        .shared = r->shared,
        .act = act,
        .arg = r,
    };
    uint64_t start = r->budget_tsc ? arch_tsc() : 0;

    if (__atomic_load_n(&r->disabled, __ATOMIC_RELAXED) || now >= r->expires)
        return false;
    reflex_machine_run(&run, a->start);
    count(&r->stats.runs, 1);
    if (run.hits)
        count(&r->stats.hits, run.hits);
    if (run.misses)
        count(&r->stats.suppressed, run.misses);
    if (start)
        account_overrun(r, e, arch_tsc() - start);
    return run.consumed;
}

/* The rules for all codes and those for this one, merged by rank. */
static bool run_all(const struct rule_set *s, const struct type_rules *t,
                    const struct event_type *type, struct event *e)
{
    const struct stretch *keyed = rule_set_find(t, e->code);
    const struct attachment *a = s->attachments + t->all.first;
    const struct attachment *a_end = a + t->all.count;
    const struct attachment *k = s->attachments + (keyed ? keyed->first : 0);
    const struct attachment *k_end = k + (keyed ? keyed->count : 0);
    nstime_t now;
    bool consumed = false;

    if (a == a_end && k == k_end)
        return false;
    now = clock_from_tsc(e->tsc);
    while (a < a_end || k < k_end) {
        bool general = k == k_end || (a < a_end && a->rank <= k->rank);

        consumed |= run_rule(general ? a++ : k++, type, e, now);
    }
    return consumed;
}

static bool dispatch(const struct event_type *type, struct event *e)
{
    const struct rule_set *s = __atomic_load_n(&current, __ATOMIC_ACQUIRE);
    const struct type_rules *t = s ? s->types[type->state->index] : NULL;

    if (!t)
        return false;
    if ((e->flags & EVENT_DEPTH_MASK) >> EVENT_DEPTH_SHIFT >=
        REFLEX_DEPTH_MAX) {
        count(&too_deep, 1);
        return false;
    }
    return run_all(s, t, type, e);
}

void reflex_get_totals(struct reflex_totals *out)
{
    out->too_deep = __atomic_load_n(&too_deep, __ATOMIC_RELAXED);
    out->lost = defer_lost();
}

/* --- exchanging sets --- */

static void nothing(void *arg)
{
    (void)arg;
}

struct rule_set *dispatch_current(void)
{
    return __atomic_load_n(&current, __ATOMIC_ACQUIRE);
}

struct rule_set *dispatch_exchange(struct rule_set *s)
{
    struct rule_set *old = __atomic_exchange_n(&current, s, __ATOMIC_SEQ_CST);
    const struct event_type *t;

    event_set_reflex(dispatch);
    for (size_t i = 0; (t = event_type_at(i)); i++)
        event_type_set_reflex(t, s && s->types[t->state->index]);
    /* A CPU that takes this call was not inside dispatch, or has left it. */
    smp_call_all(nothing, NULL);
    return old;
}
