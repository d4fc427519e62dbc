/* Module `trace_ring`: the kernel's flight recorder, as lua/trace.lua uses it.
 * Domain's thread. */
#include <string.h>

#include <rayos/trace.h>

#include "lua/module.h"

#define CAPABILITY "trace"

static uint32_t class_mask(lua_State *L, int arg)
{
    const char *wanted = luaL_checkstring(L, arg), *name;
    luaL_Buffer text;

    for (uint32_t i = 0; (name = trace_class_name(i)); i++)
        if (strcmp(name, wanted) == 0)
            return 1u << i;
    luaL_buffinit(L, &text);
    luaL_addstring(&text, "expected one of");
    for (uint32_t i = 0; (name = trace_class_name(i)); i++) {
        luaL_addchar(&text, ' ');
        luaL_addstring(&text, name);
    }
    luaL_pushresult(&text);
    return (uint32_t)luaL_argerror(L, arg, lua_tostring(L, -1));
}

/* start(class...): record these; all when none is named. */
static int ring_start(lua_State *L)
{
    uint32_t mask = lua_gettop(L) ? 0 : (1u << TRACE_CLASSES) - 1;
    int err;

    for (int i = 1, n = lua_gettop(L); i <= n; i++)
        mask |= class_mask(L, i);
    err = trace_start(mask);
    if (err)
        return module_fail(L, err, "trace rings");
    lua_pushboolean(L, true);
    return 1;
}

/* types() -> { name = { class =, shape =, a =, b = } }: what records there are
 * and what their numbers mean. */
static int ring_types(lua_State *L)
{
    static const char *const shapes[] = {[TRACE_SHAPE_OWN] = "own",
                                         [TRACE_SHAPE_POINT] = "point",
                                         [TRACE_SHAPE_BEGIN] = "begin",
                                         [TRACE_SHAPE_END] = "end"};
    const struct trace_type_info *info;

    lua_newtable(L);
    for (uint32_t i = 0; (info = trace_type_info(i)); i++) {
        lua_newtable(L);
        lua_pushstring(L, trace_class_name(info->class));
        lua_setfield(L, -2, "class");
        lua_pushstring(L, shapes[info->shape]);
        lua_setfield(L, -2, "shape");
        lua_pushstring(L, info->a); /* nil for a text */
        lua_setfield(L, -2, "a");
        lua_pushstring(L, info->b);
        lua_setfield(L, -2, "b");
        lua_setfield(L, -2, info->name);
    }
    return 1;
}

static int ring_stop(lua_State *L)
{
    trace_stop();
    lua_pushboolean(L, true);
    return 1;
}

/* mark(text): a point of the user's own in the trace. */
static int ring_mark(lua_State *L)
{
    const char *text = luaL_checkstring(L, 1);
    uint64_t word[2] = {0};

    strncpy((char *)word, text, sizeof(word) - 1);
    trace_point(TRACE_MARK, TRACE_USER, word[0], word[1]);
    return 0;
}

/* The text of a mark lies in the two numbers. */
static void push_mark(lua_State *L, const struct trace_record *r)
{
    char text[sizeof(r->a) + sizeof(r->b) + 1] = "";

    memcpy(text, &r->a, sizeof(r->a));
    memcpy(text + sizeof(r->a), &r->b, sizeof(r->b));
    lua_pushstring(L, text);
}

/* get(cpu, index) -> nanoseconds, type, a, b; index from 0; nil past the end.
 * `a` is a text for marks, and where its type says so. */
static int ring_get(lua_State *L)
{
    struct trace_record r;
    const struct trace_type_info *info;

    if (!trace_get((uint32_t)luaL_checkinteger(L, 1),
                   (uint32_t)luaL_checkinteger(L, 2), &r))
        return 0;
    info = trace_type_info(r.type);
    lua_pushinteger(L, (lua_Integer)r.time);
    lua_pushstring(L, info->name);
    if (r.type == TRACE_USER)
        push_mark(L, &r);
    else if (!info->a)
        lua_pushstring(L, (const char *)(uintptr_t)r.a);
    else
        lua_pushinteger(L, (lua_Integer)r.a);
    lua_pushinteger(L, (lua_Integer)r.b);
    return 4;
}

static int ring_lost(lua_State *L)
{
    lua_pushinteger(L,
                    (lua_Integer)trace_lost((uint32_t)luaL_checkinteger(L, 1)));
    return 1;
}

static const struct lua_function trace_functions[] = {
    {"start", ring_start, CAPABILITY},
    {"stop", ring_stop, CAPABILITY},
    {"mark", ring_mark, NULL},
    {"types", ring_types, CAPABILITY},
    {"get", ring_get, CAPABILITY},
    {"lost", ring_lost, CAPABILITY},
    {0},
};

LUA_MODULE(trace_ring, .functions = trace_functions);
