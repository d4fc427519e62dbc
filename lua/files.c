/*
 * io and os: stock, with what needs a capability wrapped ("fs.read",
 * "fs.write"), and os.exit made an end of the domain. The stock functions are
 * kept in the registry, because debug.getupvalue would show upvalues. Domain's
 * thread.
 */
#include <string.h>

#include <lualib.h>

#include "lua/module.h"
#include "lua/stdlib.h"

/* Call the stock function that is kept under `key` with all the arguments. */
static int call_stock(lua_State *L, const void *key)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, key);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int guarded_open(lua_State *L)
{
    const char *mode = luaL_optstring(L, 2, "r");
    bool reads = mode[0] == 'r' && !strchr(mode, '+');

    if (!module_permits(L, reads ? "fs.read" : "fs.write"))
        return 3;
    return call_stock(L, (void *)guarded_open);
}

/* Without a name it is the domain's own standard input. */
static int guarded_lines(lua_State *L)
{
    if (!lua_isnoneornil(L, 1) && !module_permits(L, "fs.read"))
        return luaL_error(L, "%s", lua_tostring(L, -2));
    return call_stock(L, (void *)guarded_lines);
}

static int guarded_input(lua_State *L)
{
    if (lua_isstring(L, 1) && !module_permits(L, "fs.read"))
        return luaL_error(L, "%s", lua_tostring(L, -2));
    return call_stock(L, (void *)guarded_input);
}

static int guarded_output(lua_State *L)
{
    if (lua_isstring(L, 1) && !module_permits(L, "fs.write"))
        return luaL_error(L, "%s", lua_tostring(L, -2));
    return call_stock(L, (void *)guarded_output);
}

static int no_processes(lua_State *L)
{
    lua_pushnil(L);
    lua_pushliteral(L, "there are no processes here: see domain.spawn");
    lua_pushliteral(L, "ENOSYS");
    return 3;
}

/* os.execute() asks whether there is a shell. */
static int os_execute(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) {
        lua_pushboolean(L, false);
        return 1;
    }
    return no_processes(L);
}

static int os_exit(lua_State *L)
{
    int code = 0;

    if (lua_isboolean(L, 1))
        code = lua_toboolean(L, 1) ? 0 : 1;
    else
        code = (int)luaL_optinteger(L, 1, 0);
    domain_of(L)->exit_code = code;
    domain_limit_raise_own(L, PENDING_EXIT);
    return 0;
}

/* Put the guards of the list in front of the functions of the table on top. */
static void guard_functions(lua_State *L, const luaL_Reg *list)
{
    for (; list->name; list++) {
        lua_getfield(L, -1, list->name);
        lua_rawsetp(L, LUA_REGISTRYINDEX, (void *)list->func);
        lua_pushcfunction(L, list->func);
        lua_setfield(L, -2, list->name);
    }
}

static const luaL_Reg io_guards[] = {
    {"open", guarded_open},
    {"lines", guarded_lines},
    {"input", guarded_input},
    {"output", guarded_output},
    {0},
};

/* Refused as a whole. */
static void refuse_functions(lua_State *L, const char *const *names,
                             const char *capability)
{
    struct lua_function refused[2] = {{.capability = capability}};

    for (; *names; names++) {
        refused[0].name = *names;
        module_set_functions(L, refused);
    }
}

int files_open_io(lua_State *L)
{
    static const char *const writers[] = {"tmpfile", NULL};

    luaopen_io(L);
    guard_functions(L, io_guards);
    if (!caps_has(domain_of(L)->caps, "fs.write"))
        refuse_functions(L, writers, "fs.write");
    lua_pushcfunction(L, no_processes);
    lua_setfield(L, -2, "popen");
    return 1;
}

int files_open_os(lua_State *L)
{
    static const char *const writers[] = {"remove", "rename", "tmpname", NULL};

    luaopen_os(L);
    if (!caps_has(domain_of(L)->caps, "fs.write"))
        refuse_functions(L, writers, "fs.write");
    lua_pushcfunction(L, os_execute);
    lua_setfield(L, -2, "execute");
    lua_pushcfunction(L, os_exit);
    lua_setfield(L, -2, "exit");
    return 1;
}
