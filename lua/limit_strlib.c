/*
 * Lua's string library, unmodified but for its loops. Every test for a rare
 * error is also true when the domain must stop: the matcher then reports
 * "pattern too complex", and whatever the error is, the limit's own replaces it
 * at the next instruction. Plain searches stop by finding nothing. Domain's
 * thread.
 */
#define LUA_LIB
#include <lprefix.h>

#include <string.h>

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>

#include <rayos/libc.h>

#include "lua/domain.h"
#include "lua/stdlib.h"

/* %a and %q: newlib's printf differs from glibc's in subnormal numbers. */
#undef lua_number2strx
#define lua_number2strx(L, out, size, format, x) \
    ((void)(L), libc_format_hex((out), (size), (format), (x)))

/* For the loops of lmemfind, which has no state to raise an error in. */
static inline void *memchr_checked(const void *s, int c, size_t n)
{
    return domain_must_stop() ? NULL : memchr(s, c, n);
}

#define COMPARE_PIECE (64u << 10)

/* A search compares long needles again and again. */
static inline int memcmp_checked(const void *a, const void *b, size_t n)
{
    const char *p = a, *q = b;

    for (; n > COMPARE_PIECE; n -= COMPARE_PIECE) {
        int difference = memcmp(p, q, COMPARE_PIECE);

        if (difference || domain_must_stop())
            return difference ? difference : 1;
        p += COMPARE_PIECE;
        q += COMPARE_PIECE;
    }
    return memcmp(p, q, n);
}

/* string.format does this for every item, whose number a script chooses. */
static inline char *prepbuffsize_checked(luaL_Buffer *b, size_t size)
{
    if (domain_must_stop())
        domain_check(b->L);
    return luaL_prepbuffsize(b, size);
}

#undef LUA_LIB
#undef l_unlikely
#define l_unlikely(x)     (luai_unlikely(x) || domain_must_stop())
#define luaL_prepbuffsize prepbuffsize_checked
#define memcmp            memcmp_checked
#define memchr            memchr_checked
#define luaopen_string    stock_open_string
int stock_open_string(lua_State *L);
#include <lstrlib.c>

/* The stock loop runs n times even when there is nothing to repeat. */
static int rep_checked(lua_State *L)
{
    if (luaL_checkinteger(L, 2) > 1 && luaL_len(L, 1) == 0 &&
        luaL_optstring(L, 3, "")[0] == '\0' && lua_rawlen(L, 3) == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    return str_rep(L);
}

static int dump_refused(lua_State *L)
{
    return luaL_error(L,
                      "string.dump is not allowed: bytecode is never loaded");
}

static const luaL_Reg replacements[] = {
    {"rep", rep_checked},
    {"dump", dump_refused},
    {0},
};

int limit_open_string(lua_State *L)
{
    stock_open_string(L);
    luaL_setfuncs(L, replacements, 0);
    return 1;
}
