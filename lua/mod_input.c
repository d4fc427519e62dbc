/*
 * Module `input_router`: devices, streams and injection, as lua/input.lua uses
 * them. Domain's thread.
 */
#include <errno.h>
#include <string.h>

#include <rayos/input.h>
#include <rayos/keynames.h>

#include "lua/module.h"

#define CAPABILITY "input"

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

/* Names of the keys that are down, as a list. */
static void push_held(lua_State *L, const uint32_t *down)
{
    lua_Integer n = 0;

    lua_newtable(L);
    for (uint16_t code = 1; code < KEY_COUNT; code++) {
        const char *name = input_key_name(code);

        if (!(down[code / 32] >> code % 32 & 1))
            continue;
        if (name)
            lua_pushstring(L, name);
        else
            lua_pushfstring(L, "key %d", code);
        lua_rawseti(L, -2, ++n);
    }
}

static void push_device(lua_State *L, const struct input_device *d)
{
    lua_newtable(L);
    set_integer(L, "id", d->id);
    set_string(L, "name", d->name);
    set_integer(L, "bus", d->bus);
    set_integer(L, "vendor", d->vendor);
    set_integer(L, "product", d->product);
    set_boolean(L, "keys", d->has_keys);
    set_boolean(L, "relative", d->has_relative);
    set_boolean(L, "absolute", d->has_absolute);
    set_boolean(L, "leds", d->has_leds);
    set_integer(L, "events", d->events);
    push_held(L, d->down);
    lua_setfield(L, -2, "held");
}

static int router_devices(lua_State *L)
{
    struct input_device d;

    lua_newtable(L);
    for (size_t i = 0; input_device_at(i, &d); i++) {
        push_device(L, &d);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int router_streams(lua_State *L)
{
    struct input_stream_info s;

    lua_newtable(L);
    for (size_t i = 0; input_stream_at(i, &s); i++) {
        lua_newtable(L);
        set_integer(L, "id", s.id);
        set_string(L, "name", s.name);
        set_integer(L, "held", s.held);
        set_integer(L, "events", s.events);
        set_boolean(L, "focused", s.focused);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int router_leds(lua_State *L)
{
    unsigned leds = input_leds();

    lua_newtable(L);
    set_boolean(L, "num", leds >> LED_NUML & 1);
    set_boolean(L, "caps", leds >> LED_CAPSL & 1);
    set_boolean(L, "scroll", leds >> LED_SCROLLL & 1);
    return 1;
}

/* codes(): name -> code, of keys and buttons. */
static int router_codes(lua_State *L)
{
    static const struct event_constant *const lists[] = {input_key_names,
                                                         input_button_names};

    lua_newtable(L);
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
        for (const struct event_constant *c = lists[i]; c->name; c++)
            set_integer(L, c->name, (uint64_t)c->value);
    return 1;
}

/* repeat_rate() -> delay, interval in seconds. */
static int router_repeat_rate(lua_State *L)
{
    nstime_t delay, interval;

    input_get_repeat(&delay, &interval);
    lua_pushnumber(L, (lua_Number)delay / (lua_Number)NS_PER_SEC);
    lua_pushnumber(L, (lua_Number)interval / (lua_Number)NS_PER_SEC);
    return 2;
}

#define REPEAT_MIN 0.001 /* s: no more than an interrupt a millisecond */
#define REPEAT_MAX 60.0

static nstime_t check_seconds(lua_State *L, int index)
{
    lua_Number s = luaL_checknumber(L, index);

    luaL_argcheck(L, s == 0 || (s >= REPEAT_MIN && s <= REPEAT_MAX), index,
                  "expected 0 (none), or 0.001 to 60 seconds");
    return (nstime_t)(s * (lua_Number)NS_PER_SEC);
}

static int router_set_repeat_rate(lua_State *L)
{
    nstime_t delay = check_seconds(L, 1), interval = check_seconds(L, 2);

    input_set_repeat(delay, interval);
    lua_pushboolean(L, true);
    return 1;
}

/* key(code, value): as from a keyboard or a mouse. */
static int router_key(lua_State *L)
{
    lua_Integer code = luaL_checkinteger(L, 1);

    luaL_argcheck(L, code > 0 && code < KEY_COUNT, 1, "there is no such key");
    input_inject(INPUT_KEY, (uint16_t)code,
                 lua_toboolean(L, 2) ? KEY_PRESSED : KEY_RELEASED);
    input_inject(INPUT_SYN, 0, 0);
    lua_pushboolean(L, true);
    return 1;
}

/* move(x, y, wheel): as from a mouse. */
static int router_move(lua_State *L)
{
    static const uint16_t axes[] = {REL_X, REL_Y, REL_WHEEL};

    for (int i = 0; i < (int)ARRAY_SIZE(axes); i++) {
        lua_Integer n = luaL_optinteger(L, i + 1, 0);

        luaL_argcheck(L, n >= INT16_MIN && n <= INT16_MAX, i + 1, "too far");
        input_inject(INPUT_REL, axes[i], (int32_t)n);
    }
    input_inject(INPUT_SYN, 0, 0);
    lua_pushboolean(L, true);
    return 1;
}

static const struct lua_function router_functions[] = {
    {"codes", router_codes, NULL},
    {"devices", router_devices, NULL},
    {"key", router_key, CAPABILITY},
    {"leds", router_leds, NULL},
    {"move", router_move, CAPABILITY},
    {"repeat_rate", router_repeat_rate, NULL},
    {"set_repeat_rate", router_set_repeat_rate, CAPABILITY},
    {"streams", router_streams, NULL},
    {0},
};

LUA_MODULE(input_router, .functions = router_functions);
