/*
 * lua-cjson, unmodified but that its recursion, whose limit a script may set as
 * high as it likes, looks how much C stack is left, and that it looks at every
 * element whether the domain must stop. Domain's thread.
 */
#include <lua.h>
#include <lauxlib.h>

#include "lua/module.h"
#include "lua/limit_cjson.h"

#define STACK_RESERVE (96u << 10)

static inline int checkstack_both(lua_State *L, int n)
{
    return domain_stack_left() > STACK_RESERVE && lua_checkstack(L, n);
}

/* Called for each value that is encoded. */
static inline int type_checked(lua_State *L, int index)
{
    if (domain_must_stop())
        domain_check(L);
    return lua_type(L, index);
}

/* Called for each element of an array, and of an object, that is decoded. */
static inline void rawseti_checked(lua_State *L, int index, lua_Integer i)
{
    if (domain_must_stop())
        domain_check(L);
    lua_rawseti(L, index, i);
}

static inline void rawset_checked(lua_State *L, int index)
{
    if (domain_must_stop())
        domain_check(L);
    lua_rawset(L, index);
}

#define lua_checkstack checkstack_both
#define lua_type       type_checked
#define lua_rawseti    rawseti_checked
#define lua_rawset     rawset_checked
int luaopen_cjson(lua_State *L);
int luaopen_cjson_safe(lua_State *L);
/* fpconv.h declares an inline function that is defined elsewhere. */
#define inline
#include <lua_cjson.c>
#undef inline

static const struct lua_module lua_module_cjson_safe
    __attribute__((used, section("rayos_lua_modules"), aligned(8))) = {
        .name = "cjson.safe", .open = luaopen_cjson_safe};

LUA_MODULE(cjson, .open = luaopen_cjson);
