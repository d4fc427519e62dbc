/*
 * Module `keymap_table`: the layout in force as a Lua table, and a compiled one
 * put in its place. lua/keymap.lua compiles. Domain's thread.
 */
#include <errno.h>
#include <string.h>

#include <rayos/keymap.h>

#include "lua/module.h"

#define CAPABILITY "input"
#define SYMBOLS    (KEYMAP_KEYS * KEYMAP_LEVELS)

/* get(): {name, altgr, symbols = {[code * 4 + level] = character}, compose =
 * {dead, base, result, ...}}. Level 0 is plain; dead ones are negative. */
static int table_get(lua_State *L)
{
    struct keymap_table *t = lua_newuserdatauv(L, sizeof(*t), 0);

    keymap_current(t);
    lua_newtable(L);
    lua_pushstring(L, t->name);
    lua_setfield(L, -2, "name");
    lua_pushboolean(L, t->altgr);
    lua_setfield(L, -2, "altgr");
    lua_newtable(L);
    for (int i = 0; i < SYMBOLS; i++) {
        uint32_t c = t->symbols[i / KEYMAP_LEVELS][i % KEYMAP_LEVELS];
        lua_Integer n = (lua_Integer)(c & ~KEYMAP_DEAD);

        if (!c)
            continue;
        lua_pushinteger(L, c & KEYMAP_DEAD ? -n : n);
        lua_rawseti(L, -2, i);
    }
    lua_setfield(L, -2, "symbols");
    lua_newtable(L);
    for (uint32_t i = 0; i < t->compose_count; i++) {
        const struct keymap_compose *c = &t->compose[i];
        const uint32_t three[] = {c->dead, c->base, c->result};

        for (uint32_t k = 0; k < ARRAY_SIZE(three); k++) {
            lua_pushinteger(L, three[k]);
            lua_rawseti(L, -2, (lua_Integer)i * 3 + k + 1);
        }
    }
    lua_setfield(L, -2, "compose");
    return 1;
}

/* An integer that is there and fits, or an error. Pops it. */
static uint32_t take_character(lua_State *L, bool may_be_dead)
{
    int is_integer;
    lua_Integer n = lua_tointegerx(L, -1, &is_integer);
    bool dead = n < 0;

    if (!is_integer || n > INT32_MAX || n < -INT32_MAX ||
        (dead && !may_be_dead))
        luaL_error(L, "keymap: %s is no character",
                   luaL_tolstring(L, -1, NULL));
    lua_pop(L, 1);
    return dead ? (uint32_t)-n | KEYMAP_DEAD : (uint32_t)n;
}

static void read_symbols(lua_State *L, struct keymap_table *t)
{
    if (lua_getfield(L, 1, "symbols") != LUA_TTABLE)
        luaL_error(L, "keymap: 'symbols' must be a table");
    for (int i = 0; i < SYMBOLS; i++) {
        if (lua_rawgeti(L, -1, i) == LUA_TNIL)
            lua_pop(L, 1);
        else
            t->symbols[i / KEYMAP_LEVELS][i % KEYMAP_LEVELS] = take_character(
                L, true);
    }
    lua_pop(L, 1);
}

static void read_compose(lua_State *L, struct keymap_table *t)
{
    lua_Unsigned n;

    if (lua_getfield(L, 1, "compose") != LUA_TTABLE)
        luaL_error(L, "keymap: 'compose' must be a table");
    n = lua_rawlen(L, -1);
    if (n % 3 || n / 3 > KEYMAP_COMPOSE_MAX)
        luaL_error(L, "keymap: at most %d compositions", KEYMAP_COMPOSE_MAX);
    t->compose_count = (uint32_t)(n / 3);
    for (lua_Unsigned i = 0; i < n; i++) {
        struct keymap_compose *c = &t->compose[i / 3];
        uint32_t *member[] = {&c->dead, &c->base, &c->result};

        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        *member[i % 3] = take_character(L, false);
    }
    lua_pop(L, 1);
}

/* set(table): as of get. true, or nil, message, code; the old one stays. */
static int table_set(lua_State *L)
{
    struct keymap_table *t;
    const char *name;
    int err;

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    t = lua_newuserdatauv(L, sizeof(*t), 0);
    memset(t, 0, sizeof(*t));
    lua_getfield(L, 1, "name");
    name = luaL_checkstring(L, -1);
    if (strlen(name) < sizeof(t->name))
        strcpy(t->name, name);
    lua_getfield(L, 1, "altgr");
    t->altgr = lua_toboolean(L, -1);
    read_symbols(L, t);
    read_compose(L, t);
    err = keymap_install(t);
    if (err)
        return module_fail(L, err, "keymap");
    lua_pushboolean(L, true);
    return 1;
}

static const struct lua_function table_functions[] = {
    {"get", table_get, NULL},
    {"set", table_set, CAPABILITY},
    {0},
};

LUA_MODULE(keymap_table, .functions = table_functions);
