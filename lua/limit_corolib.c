/*
 * Lua's coroutine library, unmodified but for lua_resetthread: the __close
 * handlers that it runs on another coroutine must be found by an interrupt, and
 * must count their C calls on top of the caller's, or a chain of coroutines
 * that close each other overruns the C stack (Lua 5.4.5 does the same in
 * lua_closethread). Domain's thread.
 */
#define LUA_CORE
#define LUA_LIB
#include <lprefix.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>
#include <lstate.h>

#include "lua/domain.h"
#include "lua/stdlib.h"

static int close_tracked(lua_State *from, lua_State *co)
{
    luser_resume(co, from);
    co->nCcalls = getCcalls(from);
    if (from->hook && domain_must_stop())
        lua_sethook(co, from->hook, from->hookmask, 1);
    return lua_resetthread(co);
}

#undef LUA_LIB
#define lua_resetthread(co) close_tracked(L, co)
#define luaopen_coroutine   limit_open_coroutine
#include <lcorolib.c>
