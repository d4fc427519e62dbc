/*
 * The standard libraries as a domain sees them: stock, with our versions of
 * those whose C loops must stop, and with locks on the doors that lead from a
 * script into the kernel's memory (debug.c) or files (files.c). Domain's
 * thread.
 */
#include <lualib.h>

#include <rayos/random.h>

#include "lua/module.h"
#include "lua/stdlib.h"

static const luaL_Reg libraries[] = {
    {LUA_GNAME, luaopen_base},
    {LUA_LOADLIBNAME, luaopen_package},
    {LUA_COLIBNAME, limit_open_coroutine},
    {LUA_TABLIBNAME, limit_open_table},
    {LUA_IOLIBNAME, files_open_io},
    {LUA_OSLIBNAME, files_open_os},
    {LUA_STRLIBNAME, limit_open_string},
    {LUA_MATHLIBNAME, luaopen_math},
    {LUA_UTF8LIBNAME, luaopen_utf8},
    {LUA_DBLIBNAME, guard_open_debug},
    {0},
};

/* What Lua's own sources ask for, through luser.h: the seed of hashes. */
unsigned int luser_make_seed(void)
{
    return (unsigned int)random_u64();
}

/* math.random: lmathlib.c seeds it from the time and an address. */
static void seed_math(lua_State *L)
{
    lua_getglobal(L, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, (lua_Integer)random_u64());
    lua_pushinteger(L, (lua_Integer)random_u64());
    lua_call(L, 2, 0);
    lua_pop(L, 1);
}

void module_open_standard(lua_State *L)
{
    for (const luaL_Reg *lib = libraries; lib->func; lib++) {
        luaL_requiref(L, lib->name, lib->func, 1);
        lua_pop(L, 1);
    }
    seed_math(L);
}
