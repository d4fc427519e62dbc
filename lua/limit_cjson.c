/*
 * lua-cjson, unmodified but that its recursion, whose limit a script may set as
 * high as it likes, looks how much C stack is left, and that long numerals are
 * read in good time. Domain's thread.
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

#define lua_checkstack checkstack_both
#define fpconv_strtod  number_parse
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
