/* The time-stamp counter for the peer's Lua: under -icount one tick is one
 * instruction. Loaded with require "tsc"; tsc() gives an integer. */
#include <lua.h>
#include <x86intrin.h>

static int tsc(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)__rdtsc());
    return 1;
}

int luaopen_tsc(lua_State *L);

int luaopen_tsc(lua_State *L)
{
    lua_pushcfunction(L, tsc);
    return 1;
}
