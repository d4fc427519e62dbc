/* Module `block`: overlays. Domain's thread. */
#include "lua/mod_block.h"

#include <errno.h>
#include <string.h>

#include <rayos/overlay.h>

/* A field that must be there; it stays on the stack. */
static const char *text_field(lua_State *L, const char *name)
{
    lua_getfield(L, 1, name);
    if (lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "block.overlay: %s must be a string", name);
    return lua_tostring(L, -1);
}

/* overlay{name=, base=, state= [, reset=]} */
int block_lua_overlay(lua_State *L)
{
    struct overlay_config c;
    const char *why;
    int err;

    luaL_checktype(L, 1, LUA_TTABLE);
    c.name = text_field(L, "name");
    c.base = text_field(L, "base");
    c.state = text_field(L, "state");
    if (!*c.name || strlen(c.name) >= BLOCK_NAME_MAX || strchr(c.name, ':'))
        return luaL_error(L, "block.overlay: not a name: '%s'", c.name);
    lua_getfield(L, 1, "reset");
    c.reset = lua_toboolean(L, -1);
    err = overlay_create(&c, &why);
    if (err)
        return module_fail(
            L, err, lua_pushfstring(L, "%s cannot be used: %s", c.name, why));
    lua_pushstring(L, c.name);
    return 1;
}

static void set_size(lua_State *L, const char *name, uint64_t bytes)
{
    lua_pushinteger(L, (lua_Integer)bytes);
    lua_setfield(L, -2, name);
}

/* overlay_info(name) */
int block_lua_overlay_info(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct overlay_info info;
    int err = overlay_get_info(name, &info);

    if (err)
        return module_fail(L, err, name);
    lua_createtable(L, 0, 4);
    lua_pushstring(L, info.base);
    lua_setfield(L, -2, "base");
    lua_pushstring(L, info.state);
    lua_setfield(L, -2, "state");
    set_size(L, "used", info.used);
    set_size(L, "size", info.size);
    return 1;
}

/* remove_overlay(name) */
int block_lua_remove_overlay(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    int err = overlay_remove(name);

    if (err)
        return module_fail(L, err, name);
    lua_pushboolean(L, true);
    return 1;
}
