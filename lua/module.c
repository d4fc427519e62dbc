/*
 * What the modules share: capabilities, errors, classes, deadlines. Domain's
 * thread.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include <rayos/clock.h>

#include "lua/module.h"

/* Stands in for what the domain may not use; the text is its upvalue. */
static int refused(lua_State *L)
{
    lua_pushnil(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushliteral(L, "EPERM");
    return 3;
}

static void push_refusal(lua_State *L, const char *capability)
{
    lua_pushfstring(L, "not permitted: needs capability '%s'", capability);
}

void module_set_functions(lua_State *L, const struct lua_function *list)
{
    const struct caps *caps = domain_of(L)->caps;

    for (; list->name; list++) {
        if (!list->capability || caps_has(caps, list->capability)) {
            lua_pushcfunction(L, list->fn);
        } else {
            push_refusal(L, list->capability);
            lua_pushcclosure(L, refused, 1);
        }
        lua_setfield(L, -2, list->name);
    }
}

bool module_permits(lua_State *L, const char *capability)
{
    if (caps_has(domain_of(L)->caps, capability))
        return true;
    lua_pushnil(L);
    push_refusal(L, capability);
    lua_pushliteral(L, "EPERM");
    return false;
}

static const struct {
    int err;
    const char *name;
} error_names[] = {
    {EPERM, "EPERM"},
    {ENOENT, "ENOENT"},
    {EIO, "EIO"},
    {EBADF, "EBADF"},
    {EAGAIN, "EAGAIN"},
    {ENOMEM, "ENOMEM"},
    {EBUSY, "EBUSY"},
    {EEXIST, "EEXIST"},
    {ENODEV, "ENODEV"},
    {EXDEV, "EXDEV"},
    {ENOTDIR, "ENOTDIR"},
    {EISDIR, "EISDIR"},
    {EINVAL, "EINVAL"},
    {ENFILE, "ENFILE"},
    {EMFILE, "EMFILE"},
    {EFBIG, "EFBIG"},
    {ENOSPC, "ENOSPC"},
    {EROFS, "EROFS"},
    {EPIPE, "EPIPE"},
    {ENOTEMPTY, "ENOTEMPTY"},
    {ENAMETOOLONG, "ENAMETOOLONG"},
    {ENOSYS, "ENOSYS"},
    {ETIMEDOUT, "ETIMEDOUT"},
    {ECANCELED, "ECANCELED"},
    {EACCES, "EACCES"},
    {ESPIPE, "ESPIPE"},
    {ENOTSUP, "ENOTSUP"},
    {EILSEQ, "EILSEQ"},
    {ESTALE, "ESTALE"},
};

static const char *error_name(int err)
{
    for (size_t i = 0; i < ARRAY_SIZE(error_names); i++)
        if (error_names[i].err == err)
            return error_names[i].name;
    return "EUNKNOWN";
}

int module_fail(lua_State *L, int err, const char *what)
{
    const char *text = err == -ETIMEDOUT ? "timed out" : strerror(-err);

    lua_pushnil(L);
    if (what)
        lua_pushfstring(L, "%s: %s", what, text);
    else
        lua_pushstring(L, text);
    lua_pushstring(L, error_name(-err));
    return 3;
}

void module_new_class(lua_State *L, const char *name,
                      const struct lua_function *methods,
                      const luaL_Reg *metamethods)
{
    luaL_newmetatable(L, name);
    luaL_setfuncs(L, metamethods, 0);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    module_set_functions(L, methods);
    lua_setfield(L, -2, "__index");
}

nstime_t module_deadline(lua_State *L, int index)
{
    lua_Number seconds, now = (lua_Number)clock_now();

    if (lua_isnoneornil(L, index))
        return TIME_NEVER;
    seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, !isnan(seconds), index, "not a time");
    if (seconds <= 0)
        return 0;
    /* Beyond the clock's range is never. */
    if (now + seconds * 1e9 >= 0x1p63)
        return TIME_NEVER;
    return clock_now() + (nstime_t)(seconds * 1e9);
}
