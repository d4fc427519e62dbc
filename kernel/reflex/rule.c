/* One rule: from an image to something that can run. Thread context. */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/fmt.h>
#include <rayos/mm.h>

#include "rule.h"

static const struct reflex_world world = {event_type_find, reflex_action_find};

static void release_objects(struct rule *r)
{
    for (unsigned i = 0; i < REFLEX_CALLS_MAX; i++) {
        const struct rule_call *c = &r->calls[i];

        if (c->object && c->action->release)
            c->action->release(c->object);
    }
}

void rule_free(struct rule *r)
{
    release_objects(r);
    kfree(r->state);
    kfree(r->bytes);
    kfree(r);
}

/* The verifier has looked only at the calls that the program makes. */
static bool call_is_made(const struct reflex_image *image, unsigned call)
{
    for (unsigned pc = 0; pc < image->header->insns; pc++)
        if (image->insns[pc].op == REFLEX_ACT &&
            (unsigned)image->insns[pc].imm == call)
            return true;
    return false;
}

static int resolve_call(struct rule *r, unsigned i, char why[REFLEX_WHY_MAX])
{
    const struct reflex_call *call = &r->image.calls[i];
    const struct reflex_action *action = reflex_action_find(call->action);
    char name[REFLEX_TEXT + 1] = "";
    int err;

    r->calls[i].action = action;
    if (!action->resolve || !call->argc)
        return 0;
    if (call->arg[0].kind != REFLEX_ARG_STRING) {
        fmt_snprintf(why, REFLEX_WHY_MAX, "%s wants a name", call->action);
        return -EINVAL;
    }
    memcpy(name, r->image.strings[call->arg[0].index].text, REFLEX_TEXT);
    err = action->resolve(name, &r->calls[i].object);
    if (err)
        fmt_snprintf(why, REFLEX_WHY_MAX, "%s: there is no '%s'", call->action,
                     name);
    return err;
}

static int bind_counters(struct rule *r, char why[REFLEX_WHY_MAX])
{
    for (unsigned i = 0; i < r->image.header->counters; i++) {
        int err = reflex_counter(r->image.counters[i].name, &r->shared[i]);

        if (err) {
            fmt_snprintf(why, REFLEX_WHY_MAX, "more than %d shared counters",
                         REFLEX_COUNTERS);
            return err;
        }
    }
    return 0;
}

static int rule_bind(struct rule *r, char why[REFLEX_WHY_MAX])
{
    const struct reflex_header *h = r->image.header;
    int err = bind_counters(r, why);

    for (unsigned i = 0; !err && i < h->calls; i++)
        if (call_is_made(&r->image, i))
            err = resolve_call(r, i, why);
    r->expires = h->ttl && h->ttl < TIME_NEVER - clock_now()
                     ? clock_now() + h->ttl
                     : TIME_NEVER;
    /* Budgets of a second and more are as good as none. */
    if (h->budget && h->budget < NS_PER_SEC)
        r->budget_tsc = h->budget *
                        (clock_tsc_hz() / (NS_PER_SEC / NS_PER_US)) / NS_PER_US;
    return err;
}

int reflex_check(const void *image, size_t size, unsigned *bound,
                 char why[REFLEX_WHY_MAX])
{
    struct reflex_image parts;
    int err = reflex_image_open(image, size, &parts, why);

    return err ? err : reflex_image_verify(&parts, &world, bound, why);
}

const char *reflex_needs(const void *image, size_t size, size_t i)
{
    char why[REFLEX_WHY_MAX];
    struct reflex_image parts;

    if (reflex_image_open(image, size, &parts, why))
        return NULL;
    for (unsigned k = 0; k < parts.header->calls; k++) {
        const char *name = parts.calls[k].action;
        const struct reflex_action *a = strnlen(name, REFLEX_NAME_MAX) <
                                                REFLEX_NAME_MAX
                                            ? reflex_action_find(name)
                                            : NULL;

        if (a && a->capability && i-- == 0)
            return a->capability;
    }
    return NULL;
}

static int rule_fill(struct rule *r, char why[REFLEX_WHY_MAX])
{
    int err = reflex_image_open(r->bytes, r->size, &r->image, why);
    const struct reflex_header *h = r->bytes;

    if (!err)
        err = reflex_image_verify(&r->image, &world, &r->bound, why);
    if (err)
        return err;
    r->state = kzalloc(sizeof(*r->state) +
                       h->windows * sizeof(r->state->windows[0]));
    if (!r->state) {
        fmt_snprintf(why, REFLEX_WHY_MAX, "no memory for its state");
        return -ENOMEM;
    }
    return rule_bind(r, why);
}

int rule_create(const void *image, size_t size, struct rule **out,
                char why[REFLEX_WHY_MAX])
{
    struct rule *r = kzalloc(sizeof(*r));
    int err = -ENOMEM;

    fmt_snprintf(why, REFLEX_WHY_MAX, "no memory for the rule");
    if (!r)
        return -ENOMEM;
    r->bytes = kzalloc(size + sizeof(uint64_t));
    if (r->bytes) {
        /* The only look at what the caller has: it may change under us. */
        memcpy(r->bytes, image, size);
        r->size = size;
        r->stats.ticks_min = UINT64_MAX;
        err = rule_fill(r, why);
    }
    if (err)
        rule_free(r);
    else
        *out = r;
    return err;
}
