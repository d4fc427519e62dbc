/*
 * Lua's table library, unmodified but that every access to an element looks
 * whether the domain must stop: with metamethods, lengths are what a script
 * says, and most of these loops would run for years. Domain's thread.
 */
#define LUA_LIB
#include <lprefix.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include "lua/domain.h"
#include "lua/stdlib.h"

static inline int geti_checked(lua_State *L, int index, lua_Integer i)
{
    if (domain_must_stop())
        domain_check(L);
    return lua_geti(L, index, i);
}

static inline void seti_checked(lua_State *L, int index, lua_Integer i)
{
    if (domain_must_stop())
        domain_check(L);
    lua_seti(L, index, i);
}

#undef LUA_LIB
#define lua_geti      geti_checked
#define lua_seti      seti_checked
#define luaopen_table limit_open_table
#include <ltablib.c>
