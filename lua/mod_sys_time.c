/* The part of module `sys` that is about the wall clock and about chance.
 * Domain's thread. */
#include <errno.h>

#include <rayos/random.h>
#include <rayos/rtc.h>

#include "lua/mod_sys.h"

#define RANDOM_MAX (1 << 20) /* bytes in one call */
/* So that the product below is a number of nanoseconds; the year 2262. */
#define SECONDS_MAX 9223372035.0

int sys_time(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)wall_clock_now() / 1e9);
    return 1;
}

/* set_time(seconds [, hardware]) */
int sys_set_time(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    bool hardware = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);
    int err;

    luaL_argcheck(L, seconds >= 0 && seconds <= SECONDS_MAX, 1,
                  "seconds since 1970, before 2262");
    err = wall_clock_set((int64_t)(seconds * 1e9), hardware);
    if (err)
        return module_fail(L, err, "clock");
    lua_pushboolean(L, true);
    return 1;
}

/* random(n): n bytes. The buffer is a string in the making: it is charged to
 * the domain before it is filled. */
int sys_random(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    luaL_Buffer b;
    char *out;

    luaL_argcheck(L, n >= 0 && n <= RANDOM_MAX, 1, "0 to 1048576 bytes");
    if (!random_ready())
        return module_fail(L, -EAGAIN, "random");
    out = luaL_buffinitsize(L, &b, (size_t)n);
    random_bytes(out, (size_t)n);
    luaL_pushresultsize(&b, (size_t)n);
    return 1;
}

int sys_entropy(lua_State *L)
{
    struct random_source s;

    lua_newtable(L);
    for (size_t i = 0; random_source_at(i, &s); i++) {
        lua_createtable(L, 0, 3);
        sys_set_string(L, "name", s.name);
        sys_set_integer(L, "bytes", s.bytes);
        sys_set_integer(L, "bits", s.bits);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_pushboolean(L, random_ready());
    return 2;
}
