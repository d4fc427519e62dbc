/*
 * Event types: those that the linker gathered, and those that are made at run
 * time. A type stays for good once it is known. Looking up: any context but
 * NMI; defining: thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/spinlock.h>

#include "event_internal.h"

#define NAME_MAX_LENGTH  31
#define DOC_MAX_LENGTH   119
#define USER_CODES_MAX   64
#define USER_TYPES_MAX   48
#define USER_FIELD_CODE  0
#define USER_FIELD_COUNT 4

/* kernel.ld: the ends of the section. */
extern const struct event_type __start_rayos_event_types[],
    __stop_rayos_event_types[];

static struct spinlock lock = SPINLOCK_INIT;
static const struct event_type *sorted[EVENT_TYPES_MAX];   /* lock */
static const struct event_type *by_index[EVENT_TYPES_MAX]; /* atomic entries */
static uint32_t type_count, user_count;                    /* lock */

static const struct event_field user_fields[USER_FIELD_COUNT + 1] = {
    EVENT_FIELD(code, EVENT_U32, "what it is; see its constants"),
    EVENT_FIELD(source, EVENT_U32, "id of the domain that raised it"),
    EVENT_FIELD(value, EVENT_I64, "a number"),
    EVENT_FIELD(text, EVENT_TEXT, "a text of up to 32 bytes"),
    {0}};

struct user_type {
    struct event_type type;
    struct event_type_state state;
    char name[NAME_MAX_LENGTH + 1], doc[DOC_MAX_LENGTH + 1];
    struct event_field fields[USER_FIELD_COUNT + 1];
    struct event_constant codes[USER_CODES_MAX + 1];
    char code_names[USER_CODES_MAX][NAME_MAX_LENGTH + 1];
};

/* The place of `name` in the order; *found: it is there. Lock held. */
static uint32_t place_of(const char *name, bool *found)
{
    uint32_t i = 0;
    int order = 1;

    while (i < type_count && (order = strcmp(sorted[i]->name, name)) < 0)
        i++;
    *found = i < type_count && order == 0;
    return i;
}

/* Lock held. */
static int insert(const struct event_type *type)
{
    bool found;
    uint32_t at = place_of(type->name, &found);

    if (found)
        return -EEXIST;
    if (type_count == EVENT_TYPES_MAX)
        return -ENOSPC;
    type->state->index = (uint16_t)type_count;
    for (uint32_t i = type_count; i > at; i--)
        sorted[i] = sorted[i - 1];
    sorted[at] = type;
    __atomic_store_n(&by_index[type_count], type, __ATOMIC_RELEASE);
    type_count++;
    return 0;
}

void event_types_init(void)
{
    for (const struct event_type *t = __start_rayos_event_types;
         t < __stop_rayos_event_types; t++) {
        irqflags_t flags = spin_lock(&lock);
        int err = insert(t);

        spin_unlock(&lock, flags);
        if (err)
            panic("event type '%s': error %d (two of one name?)", t->name, err);
    }
}

const struct event_type *event_type_at(size_t i)
{
    irqflags_t flags = spin_lock(&lock);
    const struct event_type *type = i < type_count ? sorted[i] : NULL;

    spin_unlock(&lock, flags);
    return type;
}

const struct event_type *event_type_find(const char *name)
{
    irqflags_t flags = spin_lock(&lock);
    bool found;
    uint32_t at = place_of(name, &found);
    const struct event_type *type = found ? sorted[at] : NULL;

    spin_unlock(&lock, flags);
    return type;
}

const struct event_type *event_type_of(const struct event *e)
{
    return e->type < EVENT_TYPES_MAX
               ? __atomic_load_n(&by_index[e->type], __ATOMIC_ACQUIRE)
               : NULL;
}

/* --- types made at run time --- */

bool event_type_is_user(const struct event_type *type)
{
    return type < __start_rayos_event_types || type >= __stop_rayos_event_types;
}

/* Lower-case identifiers, so that a rule can name them. */
static bool name_valid(const char *name)
{
    size_t n = strnlen(name, NAME_MAX_LENGTH + 1);

    if (n == 0 || n > NAME_MAX_LENGTH || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];

        if (c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9'))
            return false;
    }
    return true;
}

static int copy_codes(struct user_type *u, const struct event_constant *codes)
{
    size_t n = 0;

    for (; codes && codes->name; codes++, n++) {
        if (n == USER_CODES_MAX || !name_valid(codes->name))
            return -EINVAL;
        strcpy(u->code_names[n], codes->name);
        u->codes[n] = (struct event_constant){u->code_names[n], codes->value};
    }
    return 0;
}

static int fill(struct user_type *u, const char *name, const char *doc,
                const struct event_constant *codes)
{
    if (!name_valid(name))
        return -EINVAL;
    strcpy(u->name, name);
    strncpy(u->doc, doc, DOC_MAX_LENGTH);
    memcpy(u->fields, user_fields, sizeof(user_fields));
    u->fields[USER_FIELD_CODE].constants = u->codes;
    u->type = (struct event_type){
        .name = u->name,
        .doc = u->doc,
        .fields = u->fields,
        .state = &u->state,
    };
    return copy_codes(u, codes);
}

static bool same_codes(const struct event_constant *a,
                       const struct event_constant *b)
{
    for (; a->name && b->name; a++, b++)
        if (strcmp(a->name, b->name) || a->value != b->value)
            return false;
    return !a->name && !b->name;
}

static int define(struct user_type *u, const struct event_type **out)
{
    bool found;
    uint32_t at = place_of(u->name, &found);
    int err = user_count == USER_TYPES_MAX ? -ENOSPC : 0;

    if (found) {
        const struct event_type *other = sorted[at];

        if (!event_type_is_user(other) ||
            !same_codes(other->fields[USER_FIELD_CODE].constants, u->codes))
            return -EEXIST;
        *out = other;
        return 0;
    }
    if (!err)
        err = insert(&u->type);
    if (!err) {
        user_count++;
        *out = &u->type;
    }
    return err;
}

int event_type_define(const char *name, const char *doc,
                      const struct event_constant *codes,
                      const struct event_type **out)
{
    struct user_type *u = kzalloc(sizeof(*u));
    irqflags_t flags;
    int err;

    if (!u)
        return -ENOMEM;
    err = fill(u, name, doc, codes);
    if (!err) {
        flags = spin_lock(&lock);
        err = define(u, out);
        spin_unlock(&lock, flags);
    }
    if (err || *out != &u->type)
        kfree(u);
    return err;
}
