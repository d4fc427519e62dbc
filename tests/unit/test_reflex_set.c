/* sources: kernel/reflex/set.c */
/* Every event finds the rules over its type and code, in their order, and no
 * others; the worst event's steps are known. */
#include "check.h"

#include <stdlib.h>

#include <rayos/mm.h>

#include "kernel/reflex/rule.h"

#define TYPES 3
#define CODES 40
#define RULES 600

static struct event_type_state states[TYPES] = {
    {.index = 4}, {.index = 0}, {.index = 127}};
static const struct event_type types[TYPES] = {
    {"a", "", NULL, &states[0]},
    {"b", "", NULL, &states[1]},
    {"c", "", NULL, &states[2]},
};

const struct event_type *event_type_find(const char *name)
{
    return &types[name[0] - 'a'];
}

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

struct test_rule {
    struct rule rule;
    struct reflex_header header;
    struct reflex_entry entries[3];
};

static uint32_t rnd(void)
{
    static uint32_t x = 2463534242u;

    x ^= x << 13;
    x ^= x >> 17;
    return x ^= x << 5;
}

/* Codes that are near each other, and far. */
static uint32_t code_of(uint32_t n)
{
    return n % 2 ? n : n * UINT32_C(0x10000);
}

static void rule_make(struct test_rule *t)
{
    t->header.priority = (uint8_t)(rnd() % 4);
    t->header.entries = (uint16_t)(1 + rnd() % 3);
    t->rule.bound = 1 + rnd() % 50;
    t->rule.image.header = &t->header;
    t->rule.image.entries = t->entries;
    for (unsigned i = 0; i < t->header.entries; i++) {
        t->entries[i].type[0] = (char)('a' + rnd() % TYPES);
        t->entries[i].by_code = rnd() % 8 != 0;
        t->entries[i].code = code_of(rnd() % CODES);
        t->entries[i].start = (uint16_t)i;
    }
}

/* How many entries the index gives for this event; all must be the event's. */
static unsigned found(const struct rule_set *s, unsigned type, uint32_t code,
                      uint64_t *steps)
{
    const struct type_rules *t = s->types[states[type].index];
    const struct stretch *keyed = t ? rule_set_find(t, code) : NULL;
    unsigned n = 0;

    for (int k = 0; t && k < 2; k++) {
        const struct stretch *st = k ? keyed : &t->all;
        uint32_t rank = 0;

        for (uint32_t i = 0; st && i < st->count; i++, n++) {
            const struct attachment *a = &s->attachments[st->first + i];

            CHECK_EQ(a->type, states[type].index);
            CHECK_EQ(a->by_code, k);
            CHECK(!k || a->code == code);
            CHECK(a->rank >= rank);
            CHECK(s->rules[a->rank] == a->rule);
            rank = a->rank;
            *steps += a->rule->bound;
        }
    }
    return n;
}

static unsigned expected(const struct rule_set *s, unsigned type, uint32_t code)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < s->count; i++) {
        const struct reflex_image *image = &s->rules[i]->image;

        for (unsigned k = 0; k < image->header->entries; k++)
            n += image->entries[k].type[0] == (char)('a' + type) &&
                 (!image->entries[k].by_code || image->entries[k].code == code);
    }
    return n;
}

TEST(an_empty_set_has_nothing)
{
    struct rule_set *s = rule_set_create(calloc(1, sizeof(struct rule *)), 0);

    CHECK_EQ(s->count, 0);
    CHECK_EQ(rule_set_worst(s), 0);
    for (int i = 0; i < EVENT_TYPES_MAX; i++)
        CHECK(!s->types[i]);
    rule_set_free(s);
}

TEST(events_find_their_rules_and_no_others)
{
    static struct test_rule made[RULES];
    struct rule **rules = calloc(RULES, sizeof(*rules));
    uint64_t worst = 0;
    struct rule_set *s;

    for (int i = 0; i < RULES; i++) {
        rule_make(&made[i]);
        rules[i] = &made[i].rule;
    }
    s = rule_set_create(rules, RULES);
    for (unsigned type = 0; type < TYPES; type++) {
        for (uint32_t n = 0; n < CODES + 5; n++) {
            uint64_t steps = 0;

            CHECK_EQ(found(s, type, code_of(n), &steps),
                     expected(s, type, code_of(n)));
            worst = worst > steps ? worst : steps;
        }
    }
    CHECK_EQ(rule_set_worst(s), worst);
    rule_set_free(s);
}

TEST(rules_are_in_the_order_of_priority_then_of_installation)
{
    static struct test_rule made[50];
    struct rule **rules = calloc(50, sizeof(*rules));
    struct rule_set *s;

    for (int i = 0; i < 50; i++) {
        rule_make(&made[i]);
        rules[i] = &made[i].rule;
    }
    s = rule_set_create(rules, 50);
    for (uint32_t i = 1; i < s->count; i++) {
        const struct rule *a = s->rules[i - 1], *b = s->rules[i];

        CHECK(a->image.header->priority >= b->image.header->priority);
        CHECK(a->image.header->priority > b->image.header->priority || a < b);
    }
    rule_set_free(s);
}

CHECK_MAIN
