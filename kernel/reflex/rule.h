/*
 * Rules that are installed, and the sets that they are found in.
 *
 * A set never changes once it is current: dispatch reads it with interrupts off
 * and no lock. A set and the rules that only it has are freed after every CPU
 * has taken an interrupt since, so that none is inside dispatch, and after the
 * reflex thread has done what was handed to it before.
 */
#ifndef REFLEX_RULE_H
#define REFLEX_RULE_H

#include "image.h"

struct rule_call {
    const struct reflex_action *action;
    void *object; /* of action->resolve */
};

struct rule {
    void *bytes; /* the image; constant, as all to `expires` */
    size_t size;
    struct reflex_image image;
    unsigned bound;
    struct rule_call calls[REFLEX_CALLS_MAX];
    uint64_t *shared[REFLEX_COUNTERS];
    nstime_t expires;    /* TIME_NEVER: does not */
    uint64_t budget_tsc; /* 0: no limit */

    struct reflex_state *state;
    uint32_t disabled;         /* atomic */
    uint32_t overrun_row;      /* atomic */
    struct reflex_stats stats; /* atomic words; ns_* are left to readers */
    bool kept;                 /* in the set that is being built; replace.c's */
};

/* A rule's entry, where dispatch finds it. */
struct attachment {
    struct rule *rule;
    uint32_t rank; /* place of the rule in its set */
    uint32_t code;
    uint16_t type, start;
    bool by_code;
};

/* Attachments first..first+count-1 of the set, in the order of rank. */
struct stretch {
    uint32_t code, first, count;
};

struct type_rules {
    struct stretch all;       /* for every code */
    uint32_t mask;            /* of the hash table; its size is mask + 1 */
    struct stretch by_code[]; /* count 0: empty place */
};

struct rule_set {
    uint32_t count, attached;
    struct rule **rules; /* in the order in which they run */
    struct attachment *attachments;
    struct type_rules *types[EVENT_TYPES_MAX]; /* NULL: no rule */
};

/* --- set.c: pure but for the heap --- */

/* Takes over the rules (not on failure), which are in the order of their
 * installation. NULL: no memory. */
struct rule_set *rule_set_create(struct rule **rules, uint32_t count);
void rule_set_free(struct rule_set *s); /* the rules stay */
/* Those of one code; NULL: none. Any context. */
const struct stretch *rule_set_find(const struct type_rules *t, uint32_t code);
/* Steps that the worst event may take. */
uint64_t rule_set_worst(const struct rule_set *s);

/* --- rule.c: thread context --- */

/* Verify the image and make a rule of a copy of it: 0 or as reflex_replace. */
int rule_create(const void *image, size_t size, struct rule **out,
                char why[REFLEX_WHY_MAX]);
void rule_free(struct rule *r);

/* --- dispatch.c --- */

/* Have events meet this set from now on; the one before. On return no CPU is
 * inside the old one. Thread context, one caller at a time. */
struct rule_set *dispatch_exchange(struct rule_set *s);
struct rule_set *dispatch_current(void);
/* Run an action, here and now, and account for it; what it answers. Any context
 * but NMI, or the reflex thread. */
int dispatch_perform(struct rule *r, unsigned call, struct reflex_args *args);

/* --- defer.c --- */

/* Hand an action to the reflex thread. Interrupts off. false: no room. */
bool defer_action(struct rule *r, unsigned call,
                  const struct reflex_args *args);
/* All that was handed over before is done. Thread context. */
void defer_flush(void);
int defer_start(void);
uint64_t defer_lost(void);

/* --- report.c: any context but NMI --- */

enum reflex_report { REPORT_ESCALATE, REPORT_FAILURE, REPORT_OVERRUN };

/* Raise an event of type "reflex" about a rule. */
void report_raise(enum reflex_report what, const char *rule,
                  const struct event *over, int64_t value);

#endif
