/*
 * Module `event_core`: what lua/event.lua is made of: types, subscriptions,
 * events of the user's own. Domain's thread; the bell is rung by the event
 * thread.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include <rayos/event.h>
#include <rayos/sync.h>

#include "lua/message.h"
#include "lua/module.h"

#define CAPABILITY     "event"
#define QUEUE_CLASS    "event subscription"
#define LENGTH_DEFAULT 256
#define LENGTH_MAX     4096
#define FILTERS_MAX    32
#define CODES_MAX      64
#define QUEUE_OVERHEAD 256

struct subscription {
    struct event_queue *queue; /* NULL: closed */
    size_t charged;            /* to the domain's account */
    bool announced;            /* in the domain's mailbox */
};

/* --- what types there are --- */

static const char *kind_name(enum event_kind kind)
{
    static const char *const names[] = {
        [EVENT_U32] = "u32",
        [EVENT_U64] = "u64",
        [EVENT_I64] = "i64",
        [EVENT_TEXT] = "text",
    };

    return names[kind];
}

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void push_field(lua_State *L, const struct event_field *f)
{
    lua_newtable(L);
    set_string(L, "name", f->name);
    set_string(L, "doc", f->doc ? f->doc : "");
    set_string(L, "kind", kind_name(f->kind));
    set_integer(L, "offset", f->offset);
    set_integer(L, "size", f->size);
    lua_newtable(L);
    for (const struct event_constant *c = f->constants; c && c->name; c++)
        set_integer(L, c->name, (uint64_t)c->value);
    lua_setfield(L, -2, "constants");
}

static void push_type(lua_State *L, const struct event_type *t)
{
    const struct event_type_state *s = t->state;
    lua_Integer n = 0;

    lua_newtable(L);
    set_string(L, "name", t->name);
    set_string(L, "doc", t->doc ? t->doc : "");
    set_integer(L, "raised", s->raised);
    set_integer(L, "dropped", s->dropped);
    set_integer(L, "subscribers", s->subscribers & ~EVENT_WANTED_BY_RULE);
    lua_pushboolean(L, event_type_is_user(t));
    lua_setfield(L, -2, "user");
    lua_newtable(L);
    for (const struct event_field *f = t->fields; f && f->name; f++) {
        push_field(L, f);
        lua_rawseti(L, -2, ++n);
    }
    lua_setfield(L, -2, "fields");
}

/* types(): all, in the order of names. */
static int core_types(lua_State *L)
{
    const struct event_type *t;

    lua_newtable(L);
    for (size_t i = 0; (t = event_type_at(i)); i++) {
        push_type(L, t);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* sources(): who raised how much of what. */
static int core_sources(lua_State *L)
{
    struct event_source_info info;

    lua_newtable(L);
    for (size_t i = 0; event_source_at(i, &info); i++) {
        lua_newtable(L);
        set_string(L, "type", info.type ? info.type->name : "?");
        set_integer(L, "source", info.source);
        set_integer(L, "raised", info.raised);
        set_integer(L, "limited", info.limited);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int core_source_limit(lua_State *L)
{
    lua_Integer limit;

    if (!lua_isnoneornil(L, 1)) {
        limit = luaL_checkinteger(L, 1);
        luaL_argcheck(L, limit >= 0 && limit <= INT32_MAX, 1,
                      "events a second, 0 for no limit");
        event_set_source_limit((uint32_t)limit);
    }
    lua_pushinteger(L, event_source_limit());
    return 1;
}

/* --- events as tables --- */

static void push_field_value(lua_State *L, const struct event_field *f,
                             const struct event *e)
{
    const char *at = (const char *)e + f->offset;

    if (f->kind == EVENT_TEXT)
        lua_pushlstring(L, at, strnlen(at, f->size));
    else
        lua_pushinteger(L, event_field_get(f, e));
}

/* {type=, time=, cpu=, consumed=, and the type's fields} */
static void push_event(lua_State *L, const struct event *e)
{
    const struct event_type *t = event_type_of(e);

    lua_newtable(L);
    for (const struct event_field *f = t ? t->fields : NULL; f && f->name;
         f++) {
        push_field_value(L, f, e);
        lua_setfield(L, -2, f->name);
    }
    set_string(L, "type", t ? t->name : "?");
    lua_pushnumber(L, (lua_Number)event_time(e) / 1e9);
    lua_setfield(L, -2, "time");
    set_integer(L, "cpu", e->cpu);
    if (e->flags & EVENT_CONSUMED) {
        lua_pushboolean(L, true);
        lua_setfield(L, -2, "consumed");
    }
}

/* --- subscriptions --- */

static struct subscription *check_open(lua_State *L, int index)
{
    struct subscription *s = luaL_checkudata(L, index, QUEUE_CLASS);

    luaL_argcheck(L, s->queue, index, "the subscription is closed");
    return s;
}

static int field_index(const struct event_type *type, const char *name)
{
    const struct event_field *f = type->fields;

    for (int i = 0; f && f[i].name; i++)
        if (!strcmp(f[i].name, name) && f[i].kind != EVENT_TEXT)
            return i;
    return -1;
}

/* A filter is {type name, field name or false, value}; at the top. */
static void read_filter(lua_State *L, struct event_filter *out)
{
    const char *field;
    int index;

    luaL_checktype(L, -1, LUA_TTABLE);
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    lua_rawgeti(L, -3, 3);
    out->type = event_type_find(luaL_checkstring(L, -3));
    if (!out->type)
        luaL_error(L, "there is no event type '%s'", lua_tostring(L, -3));
    if (lua_toboolean(L, -2)) {
        field = luaL_checkstring(L, -2);
        index = field_index(out->type, field);
        if (index < 0)
            luaL_error(L, "events of type '%s' have no number '%s'",
                       out->type->name, field);
        out->by_field = true;
        out->field = (uint8_t)index;
        out->equals = luaL_checkinteger(L, -1);
    }
    lua_pop(L, 3);
}

/* The queue lies in the kernel's heap, so the domain's cap must know. */
static size_t queue_cost(size_t length)
{
    return length * sizeof(struct event) +
           FILTERS_MAX * sizeof(struct event_filter) + QUEUE_OVERHEAD;
}

/* subscribe({filter, ...}, length) */
static int core_subscribe(lua_State *L)
{
    struct event_filter filters[FILTERS_MAX] = {0};
    lua_Integer length = luaL_optinteger(L, 2, LENGTH_DEFAULT);
    struct subscription *s;
    lua_Unsigned n;
    int err;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = lua_rawlen(L, 1);
    luaL_argcheck(L, n >= 1 && n <= FILTERS_MAX, 1, "1 to 32 filters");
    luaL_argcheck(L, length >= 1 && length <= LENGTH_MAX, 2, "1 to 4096");
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        read_filter(L, &filters[i]);
        lua_pop(L, 1);
    }
    s = lua_newuserdatauv(L, sizeof(*s), 0);
    *s = (struct subscription){.charged = queue_cost((size_t)length)};
    luaL_setmetatable(L, QUEUE_CLASS);
    if (!account_charge(domain_of(L)->account, s->charged))
        return luaL_error(L, "not enough memory for the subscription");
    err = event_queue_open(filters, n, (uint32_t)length, &s->queue);
    if (!err)
        return 1;
    account_credit(domain_of(L)->account, s->charged);
    return module_fail(L, err, "event");
}

static int subscription_close(lua_State *L)
{
    struct subscription *s = luaL_checkudata(L, 1, QUEUE_CLASS);
    struct event_queue *q = s->queue;

    s->queue = NULL;
    if (q) {
        event_queue_close(q);
        account_credit(domain_of(L)->account, s->charged);
    }
    return 0;
}

/* read(timeout): an event, or nil, "timed out", code */
static int subscription_read(lua_State *L)
{
    struct subscription *s = check_open(L, 1);
    nstime_t deadline = module_deadline(L, 2);
    struct event e;
    int err;

    do
        err = event_queue_read(s->queue, &e, deadline);
    while (domain_wait_again(L, err));
    if (err)
        return module_fail(L, err, NULL);
    push_event(L, &e);
    return 1;
}

static int subscription_lost(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)event_queue_lost(check_open(L, 1)->queue));
    return 1;
}

static int subscription_tostring(lua_State *L)
{
    struct subscription *s = luaL_checkudata(L, 1, QUEUE_CLASS);

    lua_pushstring(L, s->queue ? "event subscription"
                               : "event subscription (closed)");
    return 1;
}

/* Event thread: one notice is enough, however many events wait. */
static void tell_domain(void *arg)
{
    struct domain *d = arg;
    struct message *m;

    if (atomic_exchange(&d->events_told, true))
        return;
    m = message_create_down();
    if (m)
        m->kind = MESSAGE_EVENT;
    if (m && !mailbox_post(&d->mailbox, m))
        return;
    d->events_told = false;
    if (m)
        message_free(m);
}

static void notify_default(lua_State *L, const struct subscription *s)
{
    event_queue_set_notify(s->queue, s->announced ? tell_domain : NULL,
                           domain_of(L));
}

/* announce(): a message of kind "event" comes whenever events begin to wait;
 * one comes now, for those that do. */
static int subscription_announce(lua_State *L)
{
    struct subscription *s = check_open(L, 1);

    s->announced = true;
    notify_default(L, s);
    tell_domain(domain_of(L));
    return 0;
}

/* --- waiting for several --- */

static void ring_bell(void *arg)
{
    sem_post(arg);
}

static struct subscription *subscription_at(lua_State *L, lua_Integer i)
{
    struct subscription *s;

    lua_rawgeti(L, 1, i);
    s = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return s;
}

static struct event_queue *queue_at(lua_State *L, lua_Integer i)
{
    return subscription_at(L, i)->queue;
}

static void hang_bell(lua_State *L, lua_Integer n, struct semaphore *bell)
{
    for (lua_Integer i = 1; i <= n; i++)
        if (queue_at(L, i))
            event_queue_set_notify(queue_at(L, i), ring_bell, bell);
}

static void take_bell(lua_State *L, lua_Integer n)
{
    for (lua_Integer i = 1; i <= n; i++)
        if (queue_at(L, i))
            notify_default(L, subscription_at(L, i));
}

/* The first that has an event: its index; 0: none has. */
static lua_Integer poll_all(lua_State *L, lua_Integer n, struct event *e)
{
    for (lua_Integer i = 1; i <= n; i++)
        if (queue_at(L, i) && !event_queue_read(queue_at(L, i), e, 0))
            return i;
    return 0;
}

/* One wait; nothing here may raise while the bell hangs. Which has one, or 0
 * with *err. */
static lua_Integer wait_all(lua_State *L, lua_Integer n, struct event *e,
                            nstime_t deadline, int *err)
{
    struct semaphore bell;
    lua_Integer found;

    sem_init(&bell, 0);
    hang_bell(L, n, &bell);
    found = poll_all(L, n, e);
    *err = found ? 0 : sem_wait(&bell, deadline);
    take_bell(L, n);
    return found || *err ? found : poll_all(L, n, e);
}

/* select({subscription, ...}, timeout): index, event; or nil, why, code. */
static int core_select(lua_State *L)
{
    nstime_t deadline = module_deadline(L, 2);
    lua_Integer n, found;
    struct event e;
    int err;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = (lua_Integer)lua_rawlen(L, 1);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        luaL_checkudata(L, -1, QUEUE_CLASS);
        lua_pop(L, 1);
    }
    do
        found = wait_all(L, n, &e, deadline, &err);
    while (domain_wait_again(L, err) || (!found && !err));
    if (!found)
        return module_fail(L, err, NULL);
    lua_pushinteger(L, found);
    push_event(L, &e);
    return 2;
}

/* --- events of the user's own --- */

/* The table at `index`, name -> number, as constants that point into it. */
static void read_codes(lua_State *L, int index, struct event_constant *codes)
{
    size_t n = 0;

    if (lua_isnoneornil(L, index))
        return;
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1), n++) {
        if (n == CODES_MAX)
            luaL_error(L, "at most %d codes", CODES_MAX);
        if (lua_type(L, -2) != LUA_TSTRING || !lua_isinteger(L, -1))
            luaL_error(L, "codes are a table of names and whole numbers");
        codes[n].name = lua_tostring(L, -2);
        codes[n].value = lua_tointeger(L, -1);
        luaL_argcheck(L, codes[n].value >= 0 && codes[n].value <= UINT32_MAX,
                      index, "a code is between 0 and 2^32 - 1");
    }
}

static int by_value(const struct event_constant *a,
                    const struct event_constant *b)
{
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return strcmp(a->name, b->name);
}

/* lua_next gives them in any order; one definition has one order. */
static void sort_codes(struct event_constant *codes)
{
    for (size_t i = 1; codes[0].name && codes[i].name; i++) {
        struct event_constant c = codes[i];
        size_t k = i;

        for (; k && by_value(&codes[k - 1], &c) > 0; k--)
            codes[k] = codes[k - 1];
        codes[k] = c;
    }
}

/* define(name, doc, codes) */
static int core_define(lua_State *L)
{
    struct event_constant codes[CODES_MAX + 1] = {0};
    const char *name = luaL_checkstring(L, 1);
    const char *doc = luaL_optstring(L, 2, "");
    const struct event_type *type;
    int err;

    read_codes(L, 3, codes);
    sort_codes(codes);
    err = event_type_define(name, doc, codes, &type);
    if (err)
        return module_fail(L, err, name);
    lua_pushboolean(L, true);
    return 1;
}

/* A code by number or by its name. */
static uint32_t read_code(lua_State *L, const struct event_type *type)
{
    const struct event_constant *c = type->fields[0].constants;
    lua_Integer code;

    if (lua_type(L, -1) == LUA_TSTRING) {
        for (; c && c->name; c++)
            if (!strcmp(c->name, lua_tostring(L, -1)))
                return (uint32_t)c->value;
        luaL_error(L, "events of type '%s' have no code '%s'", type->name,
                   lua_tostring(L, -1));
    }
    code = luaL_optinteger(L, -1, 0);
    if (code < 0 || code > UINT32_MAX)
        luaL_error(L, "a code is between 0 and 2^32 - 1");
    return (uint32_t)code;
}

/* raise(name, {code=, value=, text=}): was it consumed by a rule? The source
 * is the domain, so that nobody raises in another's name. */
static int core_raise(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const struct event_type *type = event_type_find(name);
    struct event e = {.source = domain_of(L)->id};
    const char *text;
    size_t size;

    if (!type)
        return luaL_error(L, "there is no event type '%s'", name);
    if (!event_type_is_user(type))
        return luaL_error(L, "events of type '%s' are the kernel's", name);
    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        lua_getfield(L, 2, "text");
        text = luaL_optlstring(L, -1, "", &size);
        memcpy(e.text, text, size < sizeof(e.text) ? size : sizeof(e.text));
        lua_getfield(L, 2, "value");
        e.value = luaL_optinteger(L, -1, 0);
        lua_getfield(L, 2, "code");
        e.code = read_code(L, type);
    }
    lua_pushboolean(L, event_raise(type, &e));
    return 1;
}

static const struct lua_function subscription_methods[] = {
    {"read", subscription_read, NULL},
    {"lost", subscription_lost, NULL},
    {"announce", subscription_announce, NULL},
    {"close", subscription_close, NULL},
    {0},
};

static const luaL_Reg subscription_meta[] = {
    {"__gc", subscription_close},
    {"__close", subscription_close},
    {"__tostring", subscription_tostring},
    {0},
};

static const struct lua_function event_functions[] = {
    {"types", core_types, NULL},
    {"sources", core_sources, NULL},
    {"source_limit", core_source_limit, CAPABILITY},
    {"subscribe", core_subscribe, CAPABILITY},
    {"select", core_select, CAPABILITY},
    {"define", core_define, CAPABILITY},
    {"raise", core_raise, CAPABILITY},
    {0},
};

static void event_extend(lua_State *L)
{
    module_new_class(L, QUEUE_CLASS, subscription_methods, subscription_meta);
    lua_pop(L, 1);
}

LUA_MODULE(event_core, .functions = event_functions, .extend = event_extend);
