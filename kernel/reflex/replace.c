/*
 * The rules as a whole: replacing, listing, switching off. Thread context; one
 * mutex for all.
 */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/sync.h>
#include <rayos/unit.h>

#include "rule.h"

static struct mutex mutex = MUTEX_INIT(mutex); /* of the current set */

static struct rule *find(const char *name)
{
    struct rule_set *s = dispatch_current();

    for (uint32_t i = 0; s && i < s->count; i++)
        if (!strcmp(s->rules[i]->image.header->name, name))
            return s->rules[i];
    return NULL;
}

/* --- changing --- */

struct change {
    struct rule **rules; /* the new ones, later all of the next set */
    uint32_t count;
    char *why;
};

static bool has_name(const struct rule *r, const char *name)
{
    return !strcmp(r->image.header->name, name);
}

static bool has_image(const struct rule *r, const void *image, size_t size)
{
    return r->size == size && !memcmp(r->bytes, image, size);
}

/* The rule that is installed from these very bytes, unless it is over. Looked
 * for from where the last one was: whole sets mostly come in their order. */
static struct rule *same_image(const void *image, size_t size)
{
    static uint32_t hint; /* mutex */
    struct rule_set *s = dispatch_current();

    for (uint32_t i = 0; s && i < s->count; i++) {
        uint32_t at = (hint + i) % s->count;
        struct rule *r = s->rules[at];

        if (has_image(r, image, size)) {
            hint = at + 1;
            return r->kept || clock_now() >= r->expires ? NULL : r;
        }
    }
    return NULL;
}

static bool name_taken(const struct change *c, const char *name)
{
    for (uint32_t i = 0; i < c->count; i++)
        if (has_name(c->rules[i], name))
            return true;
    return false;
}

static int change_add(struct change *c, const void *image, size_t size)
{
    struct rule *r = same_image(image, size);
    int err = 0;

    if (r)
        r->kept = true;
    else
        err = rule_create(image, size, &r, c->why);
    if (err)
        return err;
    if (name_taken(c, r->image.header->name)) {
        fmt_snprintf(c->why, REFLEX_WHY_MAX, "there are two rules '%s'",
                     r->image.header->name);
        err = -EEXIST;
    }
    c->rules[c->count++] = r;
    return err;
}

/* Drop what was made for nothing. */
static void change_undo(struct change *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (!c->rules[i]->kept)
            rule_free(c->rules[i]);
        else
            c->rules[i]->kept = false;
    }
    kfree(c->rules);
}

/* Put the rules that stay in front of the new ones. */
static int change_join(struct change *c, const char *leave)
{
    struct rule_set *s = dispatch_current();
    uint32_t count = 0;
    struct rule **all = kzalloc((c->count + (s ? s->count : 0) + 1) *
                                sizeof(*all));

    if (!all) {
        fmt_snprintf(c->why, REFLEX_WHY_MAX, "no memory");
        return -ENOMEM;
    }
    for (uint32_t i = 0; s && i < s->count; i++) {
        struct rule *r = s->rules[i];

        if (r->kept || name_taken(c, r->image.header->name) ||
            (leave && has_name(r, leave)))
            continue;
        all[count++] = r;
        r->kept = true;
    }
    memcpy(all + count, c->rules, c->count * sizeof(*all));
    kfree(c->rules);
    c->rules = all;
    c->count += count;
    if (c->count <= REFLEX_RULES_MAX)
        return 0;
    fmt_snprintf(c->why, REFLEX_WHY_MAX, "more than %d rules",
                 REFLEX_RULES_MAX);
    return -ENOSPC;
}

/* The change is in force: free what it has replaced. */
static void set_retire(struct rule_set *old)
{
    if (!old)
        return;
    defer_flush();
    for (uint32_t i = 0; i < old->count; i++)
        if (!old->rules[i]->kept)
            rule_free(old->rules[i]);
    rule_set_free(old);
}

static int change_commit(struct change *c)
{
    struct rule_set *s = rule_set_create(c->rules, c->count);

    if (!s) {
        fmt_snprintf(c->why, REFLEX_WHY_MAX, "no memory for the set");
        return -ENOMEM;
    }
    if (rule_set_worst(s) > REFLEX_CHAIN_MAX) {
        fmt_snprintf(c->why, REFLEX_WHY_MAX,
                     "one event may take %llu steps, at most %d",
                     (unsigned long long)rule_set_worst(s), REFLEX_CHAIN_MAX);
        s->rules = NULL; /* still the change's */
        rule_set_free(s);
        return -ENOSPC;
    }
    set_retire(dispatch_exchange(s));
    for (uint32_t i = 0; i < s->count; i++)
        s->rules[i]->kept = false;
    return 0;
}

static int change_make(struct change *c, const void *const *images,
                       const size_t *sizes, size_t count, const char *leave,
                       size_t *bad)
{
    bool all = leave && !strcmp(leave, "*");
    int err = 0;

    if (leave && !all && !find(leave)) {
        fmt_snprintf(c->why, REFLEX_WHY_MAX, "there is no rule '%s'", leave);
        err = -ENOENT;
    }
    for (*bad = 0; !err && *bad < count; *bad += !err)
        err = change_add(c, images[*bad], sizes[*bad]);
    if (!err && !all)
        err = change_join(c, leave);
    if (!err)
        err = change_commit(c);
    if (err)
        change_undo(c);
    return err;
}

int reflex_change(const void *const *images, const size_t *sizes, size_t count,
                  const char *leave, size_t *bad, char why[REFLEX_WHY_MAX])
{
    struct change c = {.why = why};
    int err;

    *bad = count;
    if (count > REFLEX_RULES_MAX) {
        fmt_snprintf(why, REFLEX_WHY_MAX, "more than %d rules",
                     REFLEX_RULES_MAX);
        return -ENOSPC;
    }
    c.rules = kzalloc((count + 1) * sizeof(*c.rules));
    if (!c.rules) {
        fmt_snprintf(why, REFLEX_WHY_MAX, "no memory");
        return -ENOMEM;
    }
    mutex_lock(&mutex);
    err = change_make(&c, images, sizes, count, leave, bad);
    mutex_unlock(&mutex);
    return err;
}

/* --- listing --- */

static void copy_stats(const struct rule *r, struct reflex_stats *out)
{
    uint64_t per_us = clock_tsc_hz() / (NS_PER_SEC / NS_PER_US);

    *out = r->stats;
    if (!out->actions)
        out->ticks_min = 0;
    out->ns_min = out->ticks_min * NS_PER_US / per_us;
    out->ns_max = out->ticks_max * NS_PER_US / per_us;
    out->ns_sum = out->ticks_sum / per_us * NS_PER_US;
}

bool reflex_info_at(size_t i, struct reflex_info *out)
{
    struct rule_set *s;
    bool there;

    mutex_lock(&mutex);
    s = dispatch_current();
    there = s && i < s->count;
    if (there) {
        const struct rule *r = s->rules[i];

        *out = (struct reflex_info){
            .priority = r->image.header->priority,
            .disabled = r->disabled,
            .expired = clock_now() >= r->expires,
            .insns = r->image.header->insns,
            .bound = r->bound,
        };
        memcpy(out->name, r->image.header->name, sizeof(out->name));
        copy_stats(r, &out->stats);
    }
    mutex_unlock(&mutex);
    return there;
}

int reflex_image_of(const char *name, void *out, size_t size)
{
    const struct rule *r;
    int result = -ENOENT;

    mutex_lock(&mutex);
    r = find(name);
    if (r) {
        result = (int)r->size;
        if (out)
            memcpy(out, r->bytes, size < r->size ? size : r->size);
    }
    mutex_unlock(&mutex);
    return result;
}

int reflex_enable(const char *name, bool on)
{
    struct rule *r;

    mutex_lock(&mutex);
    r = find(name);
    if (r) {
        __atomic_store_n(&r->overrun_row, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&r->disabled, !on, __ATOMIC_RELAXED);
    }
    mutex_unlock(&mutex);
    return r ? 0 : -ENOENT;
}

UNIT(reflex, .after = "event", .start = defer_start);
