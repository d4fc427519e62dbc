/*
 * LPeg's captures, unmodified but that its recursion over nested captures looks
 * how much C stack is left. Domain's thread.
 */
#include <string.h>

#include "lua/domain.h"
#include "lua/limit_lpeg.h"

#include <lauxlib.h>

static inline void checkstack_both(lua_State *L, int n, const char *what)
{
    domain_check_stack(L, LIMIT_STACK_RESERVE);
    luaL_checkstack(L, n, what);
}

#define luaL_checkstack checkstack_both
#include <lpcap.c>
