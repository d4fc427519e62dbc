/*
 * domain.spawn: from a table to a domain. A child gets no capability that its
 * maker lacks. Domain's thread.
 */
#include <errno.h>
#include <string.h>

#include "lua/message.h"
#include "lua/mod_domain.h"

#define STACK_MIN  (UINT64_C(256) << 10)
#define STACK_MAX  (UINT64_C(16) << 20)
#define MEMORY_MIN (UINT64_C(256) << 10)

#define PARTS_CLASS "domain parts"

/* What is made on the way is owned by a userdata until the domain has it. */
struct parts {
    struct caps *caps;
    struct message *args;
};

static int parts_gc(lua_State *L)
{
    struct parts *p = luaL_checkudata(L, 1, PARTS_CLASS);

    kfree(p->caps);
    if (p->args)
        message_free(p->args);
    *p = (struct parts){0};
    return 0;
}

static struct parts *new_parts(lua_State *L)
{
    struct parts *p = lua_newuserdatauv(L, sizeof(*p), 0);

    *p = (struct parts){0};
    if (luaL_newmetatable(L, PARTS_CLASS)) {
        lua_pushcfunction(L, parts_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return p;
}

static const char *const known_fields[] = {
    "name",    "source",   "file",  "args",    "memory", "budget", "caps",
    "console", "priority", "stack", "monitor", "link",   NULL,
};

/* A misspelt option would be a limit that is not there. */
static void check_fields(lua_State *L)
{
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2)
                                                         : "?";
        int i = 0;

        while (known_fields[i] && strcmp(known_fields[i], key))
            i++;
        if (!known_fields[i])
            luaL_error(L, "domain.spawn does not know the field '%s'", key);
    }
}

/* The string in a field, which stays on the stack; NULL. */
static const char *string_field(lua_State *L, const char *name, size_t *size)
{
    int type = lua_getfield(L, 1, name);

    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TSTRING)
        luaL_error(L, "%s: a string is needed, not a %s", name,
                   luaL_typename(L, -1));
    return lua_tolstring(L, -1, size);
}

static lua_Number number_field(lua_State *L, const char *name, lua_Number min,
                               lua_Number max, lua_Number fallback)
{
    lua_Number value = fallback;

    if (lua_getfield(L, 1, name) != LUA_TNIL) {
        if (!lua_isnumber(L, -1))
            luaL_error(L, "%s: a number is needed", name);
        value = lua_tonumber(L, -1);
        if (!(value >= min && value <= max))
            luaL_error(L, "%s: %f is not between %f and %f", name, value, min,
                       max);
    }
    lua_pop(L, 1);
    return value;
}

static uint8_t priority_field(lua_State *L)
{
    static const struct {
        const char *name;
        uint8_t priority;
    } classes[] = {
        {"shell", PRIO_SHELL},
        {"control", PRIO_CONTROL},
        {"background", PRIO_BACKGROUND},
    };
    const char *name = string_field(L, "priority", NULL);

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        if (name && !strcmp(classes[i].name, name))
            return classes[i].priority;
    if (name)
        luaL_error(L, "priority: one of shell, control, background");
    return PRIO_CONTROL;
}

/* Absent: what its maker has. */
static void caps_field(lua_State *L, struct caps *caps)
{
    const char *missing;

    if (lua_getfield(L, 1, "caps") == LUA_TNIL) {
        *caps = *domain_of(L)->caps;
        return;
    }
    if (!lua_istable(L, -1))
        luaL_error(L, "caps: a list of names is needed");
    for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
        if (lua_type(L, -1) != LUA_TSTRING ||
            !caps_add(caps, lua_tostring(L, -1)))
            luaL_error(L, "caps: too many, or entry %I is not a short name",
                       (LUAI_UACINT)i);
        lua_pop(L, 1);
    }
    if (!caps_cover(domain_of(L)->caps, caps, &missing))
        luaL_error(L, "caps: cannot give '%s', which this domain lacks",
                   missing);
}

static struct message *args_field(lua_State *L)
{
    int type = lua_getfield(L, 1, "args");
    int first = lua_gettop(L) + 1, count;

    if (type == LUA_TNIL)
        return NULL;
    if (type != LUA_TTABLE)
        luaL_error(L, "args: a list is needed");
    /* A list of table.pack may have holes. */
    lua_getfield(L, -1, "n");
    count = lua_isinteger(L, -1) ? (int)lua_tointeger(L, -1)
                                 : (int)lua_rawlen(L, -2);
    lua_pop(L, 1);
    if (count < 0 || count > 200)
        luaL_error(L, "args: too many");
    luaL_checkstack(L, count + 8, "args");
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, first - 1, i);
    return message_encode(L, first, count, "args");
}

static struct tty *console_field(lua_State *L)
{
    const char *name = string_field(L, "console", NULL);
    struct tty *t = name ? tty_find(name) : NULL;

    if (name && !t)
        luaL_error(L, "console: there is no tty '%s'", name);
    if (t && t != domain_of(L)->console &&
        !caps_has(domain_of(L)->caps, "console"))
        luaL_error(L, "console: needs capability 'console'");
    return t;
}

static void fill_spec(lua_State *L, struct domain_spec *spec)
{
    spec->name = string_field(L, "name", NULL);
    spec->file = string_field(L, "file", NULL);
    spec->source = string_field(L, "source", &spec->source_size);
    if (!spec->file == !spec->source)
        luaL_error(L, "either 'file' or 'source' is needed");
    if (!spec->name)
        spec->name = spec->file ? spec->file : "domain";
    spec->memory = (size_t)number_field(L, "memory", (lua_Number)MEMORY_MIN,
                                        0x1p48, (lua_Number)DOMAIN_MEMORY);
    spec->stack = ALIGN_UP(
        (size_t)number_field(L, "stack", (lua_Number)STACK_MIN,
                             (lua_Number)STACK_MAX, (lua_Number)DOMAIN_STACK),
        PAGE_SIZE);
    spec->budget = (nstime_t)(number_field(L, "budget", 1e-3, 1e6, 0) * 1e9);
    spec->priority = priority_field(L);
    spec->console = console_field(L);
}

/* Watch before anybody else can learn that it is there. */
static int watch(lua_State *L, struct domain *d)
{
    struct domain *self = domain_of(L);
    bool link, monitor;
    int err = 0;

    lua_getfield(L, 1, "link");
    lua_getfield(L, 1, "monitor");
    link = lua_toboolean(L, -2);
    monitor = lua_toboolean(L, -1);
    lua_pop(L, 2);
    if (monitor)
        err = domain_monitor(d, self, false);
    if (link && !err)
        err = domain_monitor(self, d, true);
    if (link && !err)
        err = domain_monitor(d, self, true);
    return err;
}

int domain_spawn(lua_State *L)
{
    struct domain_spec spec = {0};
    struct parts *parts;
    struct domain **box;
    int err;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    luaL_checkstack(L, 40, "spawn");
    check_fields(L);
    parts = new_parts(L);
    parts->caps = kzalloc(sizeof(*parts->caps));
    if (!parts->caps)
        return module_fail(L, -ENOMEM, NULL);
    caps_field(L, parts->caps);
    fill_spec(L, &spec);
    parts->args = args_field(L);
    spec.args = parts->args;
    spec.caps = parts->caps;
    box = domain_new_handle(L);
    *parts = (struct parts){0};
    err = domain_create(&spec, box);
    if (!err)
        err = watch(L, *box);
    return err ? module_fail(L, err, spec.name) : 1;
}
