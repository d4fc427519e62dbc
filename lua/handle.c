/*
 * Handles: how domains name each other in Lua. A handle is a reference; two
 * handles of one domain are equal. Domain's thread.
 */
#include <rayos/fmt.h>

#include "lua/message.h"
#include "lua/mod_domain.h"

#define HANDLE_CLASS "domain"

struct domain **domain_new_handle(lua_State *L)
{
    struct domain **box = lua_newuserdatauv(L, sizeof(*box), 0);

    *box = NULL;
    luaL_setmetatable(L, HANDLE_CLASS);
    return box;
}

void domain_push_handle(lua_State *L, struct domain *d)
{
    struct domain **box = domain_new_handle(L);

    domain_get(d);
    *box = d;
}

struct domain *domain_test_handle(lua_State *L, int index)
{
    struct domain **box = luaL_testudata(L, index, HANDLE_CLASS);

    return box ? *box : NULL;
}

struct domain *domain_check_handle(lua_State *L, int index)
{
    struct domain **box = luaL_checkudata(L, index, HANDLE_CLASS);

    luaL_argcheck(L, *box, index, "the handle is closed");
    return *box;
}

static int handle_gc(lua_State *L)
{
    struct domain **box = luaL_checkudata(L, 1, HANDLE_CLASS);
    struct domain *d = *box;

    *box = NULL;
    if (d)
        domain_put(d);
    return 0;
}

static int handle_eq(lua_State *L)
{
    struct domain *a = domain_test_handle(L, 1), *b = domain_test_handle(L, 2);

    lua_pushboolean(L, a && a == b);
    return 1;
}

static int handle_tostring(lua_State *L)
{
    struct domain *d = domain_check_handle(L, 1);
    char text[DOMAIN_NAME_MAX + 48];

    fmt_snprintf(text, sizeof(text), "domain \"%s\" (id %u, %s)", d->name,
                 d->id, domain_state_name(d->state));
    lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg handle_meta[] = {
    {"__gc", handle_gc},
    {"__eq", handle_eq},
    {"__tostring", handle_tostring},
    {0},
};

void handle_open(lua_State *L, const struct lua_function *methods)
{
    module_new_class(L, HANDLE_CLASS, methods, handle_meta);
    lua_pop(L, 1);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

void domain_push_reason(lua_State *L, const struct domain *d)
{
    lua_createtable(L, 0, 4);
    set_text(L, "kind", domain_end_name(d->reason.kind));
    set_text(L, "message", d->reason.message);
    set_text(L, "traceback", d->reason.traceback);
    if (d->reason.kind == END_EXIT) {
        lua_pushinteger(L, d->reason.code);
        lua_setfield(L, -2, "code");
    }
}
