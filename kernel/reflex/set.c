/*
 * Sets of rules, indexed by event type and code, so that rules over other keys
 * cost nothing. Building: thread context; looking up: any context.
 */
#include <rayos/mm.h>

#include "rule.h"

/* --- order --- */

/* By priority, and as they were installed; few are out of order. */
static void sort_rules(struct rule **rules, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct rule *r = rules[i];
        uint32_t k = i;

        for (; k &&
               rules[k - 1]->image.header->priority < r->image.header->priority;
             k--)
            rules[k] = rules[k - 1];
        rules[k] = r;
    }
}

static bool goes_before(const struct attachment *a, const struct attachment *b)
{
    if (a->type != b->type)
        return a->type < b->type;
    if (a->by_code != b->by_code)
        return !a->by_code;
    if (a->by_code && a->code != b->code)
        return a->code < b->code;
    return a->rank < b->rank || (a->rank == b->rank && a->start < b->start);
}

/* Shell's sort with gaps of 2^k - 1: no memory, no recursion. */
static void sort_attachments(struct attachment *a, uint32_t count)
{
    uint32_t gap = 1;

    while (gap < count / 2)
        gap = gap * 2 + 1;
    for (; gap; gap /= 2) {
        for (uint32_t i = gap; i < count; i++) {
            struct attachment x = a[i];
            uint32_t k = i;

            for (; k >= gap && goes_before(&x, &a[k - gap]); k -= gap)
                a[k] = a[k - gap];
            a[k] = x;
        }
    }
}

/* --- the index --- */

static uint32_t hash(uint32_t code)
{
    return (uint32_t)(code * UINT32_C(2654435769) >> 7); /* Knuth 6.4 */
}

static void index_put(struct type_rules *t, struct stretch s)
{
    uint32_t i = hash(s.code) & t->mask;

    while (t->by_code[i].count)
        i = (i + 1) & t->mask;
    t->by_code[i] = s;
}

const struct stretch *rule_set_find(const struct type_rules *t, uint32_t code)
{
    uint32_t i = hash(code) & t->mask;

    /* The table is never full. */
    for (; t->by_code[i].count; i = (i + 1) & t->mask)
        if (t->by_code[i].code == code)
            return &t->by_code[i];
    return NULL;
}

static bool same_stretch(const struct attachment *a, const struct attachment *b)
{
    return a->type == b->type && a->by_code == b->by_code &&
           (!a->by_code || a->code == b->code);
}

/* The stretch that begins at `first`. */
static struct stretch stretch_at(const struct rule_set *s, uint32_t first)
{
    const struct attachment *a = s->attachments;
    uint32_t end = first;

    while (end < s->attached && same_stretch(&a[first], &a[end]))
        end++;
    return (struct stretch){a[first].code, first, end - first};
}

/* The index of the type whose attachments begin at *at, moved behind them. */
static struct type_rules *index_type(const struct rule_set *s, uint32_t *at)
{
    const struct attachment *a = s->attachments;
    uint32_t end = *at, size = 2;
    struct type_rules *t;

    while (end < s->attached && a[end].type == a[*at].type)
        end++;
    while (size < 2 * (end - *at))
        size *= 2;
    t = kzalloc(sizeof(*t) + size * sizeof(t->by_code[0]));
    if (!t)
        return NULL;
    t->mask = size - 1;
    while (*at < end) {
        struct stretch st = stretch_at(s, *at);

        if (a[*at].by_code)
            index_put(t, st);
        else
            t->all = st;
        *at += st.count;
    }
    return t;
}

static bool index_all(struct rule_set *s)
{
    for (uint32_t at = 0; at < s->attached;) {
        uint16_t type = s->attachments[at].type;

        s->types[type] = index_type(s, &at);
        if (!s->types[type])
            return false;
    }
    return true;
}

/* --- making and ending --- */

static void attach_all(struct rule_set *s)
{
    for (uint32_t rank = 0; rank < s->count; rank++) {
        struct rule *r = s->rules[rank];

        for (unsigned i = 0; i < r->image.header->entries; i++) {
            const struct reflex_entry *e = &r->image.entries[i];

            s->attachments[s->attached++] = (struct attachment){
                .rule = r,
                .rank = rank,
                .code = e->by_code ? e->code : 0,
                .type = event_type_find(e->type)->state->index,
                .start = e->start,
                .by_code = e->by_code,
            };
        }
    }
    sort_attachments(s->attachments, s->attached);
}

struct rule_set *rule_set_create(struct rule **rules, uint32_t count)
{
    struct rule_set *s = kzalloc(sizeof(*s));
    size_t entries = 0;

    if (!s)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        entries += rules[i]->image.header->entries;
    sort_rules(rules, count);
    s->attachments = kzalloc((entries + 1) * sizeof(*s->attachments));
    if (!s->attachments) {
        rule_set_free(s);
        return NULL;
    }
    s->rules = rules;
    s->count = count;
    attach_all(s);
    if (!index_all(s)) {
        s->rules = NULL; /* the caller's */
        rule_set_free(s);
        return NULL;
    }
    return s;
}

void rule_set_free(struct rule_set *s)
{
    for (unsigned i = 0; i < EVENT_TYPES_MAX; i++)
        kfree(s->types[i]);
    kfree(s->attachments);
    kfree(s->rules);
    kfree(s);
}

static uint64_t stretch_steps(const struct rule_set *s,
                              const struct stretch *st)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < st->count; i++)
        sum += s->attachments[st->first + i].rule->bound;
    return sum;
}

uint64_t rule_set_worst(const struct rule_set *s)
{
    uint64_t worst = 0;

    for (unsigned i = 0; i < EVENT_TYPES_MAX; i++) {
        const struct type_rules *t = s->types[i];
        uint64_t all = t ? stretch_steps(s, &t->all) : 0;

        worst = worst > all ? worst : all;
        for (uint32_t k = 0; t && k <= t->mask; k++) {
            uint64_t sum = all + stretch_steps(s, &t->by_code[k]);

            worst = worst > sum ? worst : sum;
        }
    }
    return worst;
}
