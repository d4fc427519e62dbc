/*
 * Events: what happens, as fixed records. A type is declared where its events
 * are raised:
 *
 *	static const struct event_field key_fields[] = {
 *	    EVENT_FIELD(code, EVENT_U32, "which key, as in rayos/keycodes.h"),
 *	    EVENT_FIELD(value, EVENT_I64, "0 released, 1 pressed, 2 repeated"),
 *	    {0}};
 *	EVENT_TYPE(key, .doc = "a key of any keyboard", .fields = key_fields);
 *	...
 *	event_raise(&event_type_key, &(struct event){.code = code, .value = 1});
 *
 * event_raise first shows the event to the reflex engine, in the raiser's own
 * context, then puts it into this CPU's ring, from which subscribers get it. A
 * full ring drops and counts; nothing here blocks, locks or allocates. While
 * nobody wants events of a type, raising one costs a load and a branch.
 */
#ifndef RAYOS_EVENT_H
#define RAYOS_EVENT_H

#include <rayos/types.h>

#define EVENT_DATA_WORDS 4
#define EVENT_TYPES_MAX  128

struct event {
    uint64_t tsc;    /* set by event_raise */
    uint16_t type;   /* index of its type; set by event_raise */
    uint16_t cpu;    /* where it was raised; set by event_raise */
    uint32_t code;   /* the field that tells events of a type apart */
    uint32_t source; /* id of the device, VM, thread or domain, 0: none */
    uint32_t flags;  /* EVENT_CONSUMED; set by event_raise */
    int64_t value;
    union {
        uint64_t data[EVENT_DATA_WORDS];
        char text[EVENT_DATA_WORDS * 8]; /* NUL padded, perhaps not ended */
    };
};

_Static_assert(sizeof(struct event) == 64, "one cache line");

#define EVENT_CONSUMED 1u /* a reflex said that nobody else shall act on it */
/* How many rules stand between this event and what happened in the world; a
 * rule's action that raises an event sets one more. */
#define EVENT_DEPTH_SHIFT 8
#define EVENT_DEPTH_MASK  (15u << EVENT_DEPTH_SHIFT)

enum event_kind { EVENT_U32, EVENT_U64, EVENT_I64, EVENT_TEXT };

/* A named constant of a field, for rules and listings. */
struct event_constant {
    const char *name; /* NULL ends the list */
    int64_t value;
};

struct event_field {
    const char *name; /* as Lua sees it; NULL ends the list */
    const char *doc;
    enum event_kind kind;
    uint8_t offset, size;                   /* in struct event, bytes */
    const struct event_constant *constants; /* may be NULL */
};

/* A field that keeps its C name; fields with another name are written out. */
#define EVENT_FIELD(member, k, text)                 \
    {                                                \
        .name = #member, .doc = (text), .kind = (k), \
        .offset = offsetof(struct event, member),    \
        .size = sizeof(((struct event *)0)->member), \
    }
/* The same under a name of its own. */
#define EVENT_FIELD_AS(as, member, k, text)          \
    {                                                \
        .name = (as), .doc = (text), .kind = (k),    \
        .offset = offsetof(struct event, member),    \
        .size = sizeof(((struct event *)0)->member), \
    }

/* What changes about a type; written by kernel/core/event*.c only. */
struct event_type_state {
    uint16_t index;
    /* Queues that want it, and EVENT_WANTED_BY_RULE; 0: nobody does. */
    _Atomic uint32_t subscribers;
    _Atomic uint64_t raised, dropped; /* counted while somebody wants it */
};

#define EVENT_WANTED_BY_RULE 0x80000000u

struct event_type {
    const char *name; /* "key", "vm_state" */
    const char *doc;
    const struct event_field *fields;
    struct event_type_state *state;
};

#define EVENT_TYPE(ident, ...)                                              \
    static struct event_type_state event_state_##ident;                     \
    static const struct event_type event_type_##ident                       \
        __attribute__((used, section("rayos_event_types"), aligned(8))) = { \
            .name = #ident, .state = &event_state_##ident, __VA_ARGS__}

/* Any context but NMI, no spin lock held that an action of a rule may want.
 * true: a reflex consumed it, so the raiser must not act on it as usual (a
 * consumed key goes to no surface). */
bool event_raise(const struct event_type *type, struct event *e);
/* The same for raisers that hold locks: it is raised on this CPU as soon as
 * interrupts are on again. Any context but NMI. */
void event_post(const struct event_type *type, const struct event *e);

/* i-th type in the order of names; NULL past the end. Any context. */
const struct event_type *event_type_at(size_t i);
const struct event_type *event_type_find(const char *name);
/* The type of an event; NULL when its index is none. Any context. */
const struct event_type *event_type_of(const struct event *e);
/* A field's value, numbers as they are; for EVENT_TEXT 0. Any context. */
int64_t event_field_get(const struct event_field *f, const struct event *e);

/* A type made at run time, with fields code, source, value and text; `codes`
 * are the named constants of its code (copied; NULL: none). It stays for good;
 * the same definition again is the same type. -EEXIST: another has the name;
 * -EINVAL: not a name; -ENOSPC, -ENOMEM. Thread context. */
int event_type_define(const char *name, const char *doc,
                      const struct event_constant *codes,
                      const struct event_type **out);
/* Was it made by event_type_define? */
bool event_type_is_user(const struct event_type *type);

/* --- subscribers: thread context --- */

/*
 * A subscription is a queue of its own, filled by the event thread from the
 * rings of all CPUs in the order of time, with events of the chosen types that
 * pass the filter. A full queue drops its oldest event and counts.
 */
struct event_queue;

struct event_filter {
    const struct event_type *type;
    uint8_t field; /* index into type->fields; ignored when !by_field */
    bool by_field;
    int64_t equals;
};

/* `filters` are alternatives. -ENOMEM, -EINVAL. */
int event_queue_open(const struct event_filter *filters, size_t count,
                     uint32_t length, struct event_queue **out);
void event_queue_close(struct event_queue *q);
/* Next event: 0, -ETIMEDOUT, -ECANCELED. */
int event_queue_read(struct event_queue *q, struct event *out,
                     nstime_t deadline);
uint64_t event_queue_lost(const struct event_queue *q);
/* Have fn(arg) called, in thread context, whenever the queue becomes non-empty
 * (a domain's mailbox is poked by it). NULL: nobody. */
void event_queue_set_notify(struct event_queue *q, void (*fn)(void *arg),
                            void *arg);
/* When it happened, on the monotonic clock. */
nstime_t event_time(const struct event *e);

/* --- sources: one that storms must not drown the others --- */

/* Events of one type from one source that reach subscribers, at most; those
 * above are counted and seen by rules only. 0: no limit. Any context. */
void event_set_source_limit(uint32_t per_second);
uint32_t event_source_limit(void);

struct event_source_info {
    const struct event_type *type;
    uint32_t source;
    uint64_t raised, limited;
};
/* i-th source that raised something while its type was wanted; false past the
 * end. Any context. */
bool event_source_at(size_t i, struct event_source_info *out);

/* --- for the reflex engine --- */

/* Called first for each event whose type rules want, in the raiser's context
 * with interrupts off. Set once at boot. true: consumed. */
typedef bool (*event_reflex_t)(const struct event_type *type, struct event *e);
void event_set_reflex(event_reflex_t fn);
/* Do rules want events of this type? Any context but NMI. */
void event_type_set_reflex(const struct event_type *type, bool wanted);

#endif
