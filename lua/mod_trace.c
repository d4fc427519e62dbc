/* Module `trace_ring`: the kernel's flight recorder, as lua/trace.lua uses it.
 * Domain's thread. */
#include <string.h>

#include <rayos/trace.h>

#include "lua/module.h"

#define CAPABILITY "trace"

/* start(class...): record these; all when none is named. */
static int ring_start(lua_State *L)
{
    uint32_t mask = lua_gettop(L) ? 0 : (1u << TRACE_CLASSES) - 1;
    int err;

    for (int i = 1; i <= lua_gettop(L); i++) {
        const char *name = luaL_checkstring(L, i);
        uint32_t class = 0;

        while (class < TRACE_CLASSES &&
               strcmp(trace_class_name(class), name) != 0)
            class ++;
        luaL_argcheck(L, class < TRACE_CLASSES, i,
                      "expected \"sched\", \"irq\" or \"mark\"");
        mask |= 1u << class;
    }
    err = trace_start(mask);
    if (err)
        return module_fail(L, err, "trace rings");
    lua_pushboolean(L, true);
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

/* get(cpu, index) -> nanoseconds, type, a, b; index from 0; nil past the end.
 * For marks `a` is the text. */
static int ring_get(lua_State *L)
{
    struct trace_record r;

    if (!trace_get((uint32_t)luaL_checkinteger(L, 1),
                   (uint32_t)luaL_checkinteger(L, 2), &r))
        return 0;
    lua_pushinteger(L, (lua_Integer)r.time);
    lua_pushstring(L, trace_type_name(r.type));
    if (r.type == TRACE_USER) {
        char text[sizeof(r.a) + sizeof(r.b) + 1] = "";

        memcpy(text, &r.a, sizeof(r.a));
        memcpy(text + sizeof(r.a), &r.b, sizeof(r.b));
        lua_pushstring(L, text);
        return 3;
    }
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
    {"start", ring_start, CAPABILITY}, {"stop", ring_stop, CAPABILITY},
    {"mark", ring_mark, NULL},         {"get", ring_get, CAPABILITY},
    {"lost", ring_lost, CAPABILITY},   {0},
};

LUA_MODULE(trace_ring, .functions = trace_functions);
