/*
 * Lua's os library, unmodified but that os.date looks at every item of its
 * format whether the domain must stop. Domain's thread.
 */
#define LUA_LIB
#include <lprefix.h>

#include <time.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include "lua/domain.h"

static inline size_t strftime_checked(lua_State *L, char *buf, size_t size,
                                      const char *format, const struct tm *tm)
{
    if (domain_must_stop())
        domain_check(L);
    return strftime(buf, size, format, tm);
}

#undef LUA_LIB
#define strftime(buf, size, format, tm) \
    strftime_checked(L, buf, size, format, tm)
#include <loslib.c>
