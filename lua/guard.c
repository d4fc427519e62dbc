/*
 * The debug library with its unsafe doors shut. Stock Lua trusts whoever calls
 * it: through the registry, through upvalues and temporaries of C functions, or
 * by giving a userdata another class, a script can make C code use a value as
 * something it is not, and here that C code is the kernel. What remains is all
 * that tracers, debuggers and test suites commonly use. Domain's thread.
 */
#include <string.h>

#include <lualib.h>

#include "lua/module.h"
#include "lua/stdlib.h"

static int refuse(lua_State *L, const char *what)
{
    return luaL_error(L, "debug.%s is not allowed: it could break the kernel",
                      what);
}

static int guard_getregistry(lua_State *L)
{
    return refuse(L, "getregistry");
}

static int guard_setuservalue(lua_State *L)
{
    return refuse(L, "setuservalue");
}

static int guard_setmetatable(lua_State *L)
{
    int type = lua_type(L, 2);

    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2,
                     "nil or table");
    if (lua_isuserdata(L, 1))
        return refuse(L, "setmetatable on a userdata");
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

static int guard_setupvalue(lua_State *L)
{
    int n = (int)luaL_checkinteger(L, 2);
    const char *name;

    luaL_checkany(L, 3);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (lua_iscfunction(L, 1))
        return refuse(L, "setupvalue on a C function");
    lua_settop(L, 3);
    name = lua_setupvalue(L, 1, n);
    if (!name)
        return 0;
    lua_pushstring(L, name);
    return 1;
}

/*
 * Only named variables of Lua functions. The values that the interpreter keeps
 * beside them, whose names begin with '(', have the types it expects; only
 * variable arguments (n < 0) are free.
 */
static int guard_setlocal(lua_State *L)
{
    int arg = lua_isthread(L, 1);
    lua_State *L1 = arg ? lua_tothread(L, 1) : L;
    int level = (int)luaL_checkinteger(L, arg + 1);
    int n = (int)luaL_checkinteger(L, arg + 2);
    lua_Debug ar;
    const char *name;

    luaL_checkany(L, arg + 3);
    if (!lua_getstack(L1, level, &ar))
        return luaL_argerror(L, arg + 1, "level out of range");
    if (L != L1 && !lua_checkstack(L1, 2))
        return luaL_error(L, "stack overflow");
    lua_getinfo(L1, "S", &ar);
    name = lua_getlocal(L1, &ar, n);
    if (name)
        lua_pop(L1, 1);
    if (!strcmp(ar.what, "C") || (name && name[0] == '(' && n > 0))
        return refuse(L, "setlocal on an unnamed value");
    lua_settop(L, arg + 3);
    lua_xmove(L, L1, 1);
    name = lua_setlocal(L1, &ar, n);
    if (!name)
        lua_pop(L1, 1);
    lua_pushstring(L, name);
    return 1;
}

static const luaL_Reg replacements[] = {
    {"getregistry", guard_getregistry},   {"setuservalue", guard_setuservalue},
    {"setmetatable", guard_setmetatable}, {"setupvalue", guard_setupvalue},
    {"setlocal", guard_setlocal},         {0},
};

int guard_open_debug(lua_State *L)
{
    luaopen_debug(L);
    luaL_setfuncs(L, replacements, 0);
    return 1;
}
