/*
 * Lua's debug interface, unmodified but that a hook of ours is always allowed.
 * Lua forbids hooks inside hook functions and finalizers, and every pcall
 * restores that when it has caught an error; a loop around a pcall there would
 * otherwise never meet our hook. Domain's thread; called only while hooks are
 * set.
 */
#define LUA_CORE
#include <lprefix.h>

#include <lua.h>
#include <lstate.h>
#include <ldebug.h>

#include "lua/domain.h"

#undef LUA_CORE
#define luaG_traceexec stock_traceexec
int stock_traceexec(lua_State *L, const Instruction *pc);
#include <ldebug.c>
#undef luaG_traceexec

int luaG_traceexec(lua_State *L, const Instruction *pc)
{
    if (domain_must_stop() && domain_has_limit_hook(L))
        L->allowhook = 1;
    return stock_traceexec(L, pc);
}
