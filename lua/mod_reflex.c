/*
 * Module `reflex_core`: what lua/reflex.lua is made of: images in, figures out.
 * Domain's thread.
 */
#include <errno.h>
#include <string.h>

#include <rayos/reflex.h>

#include "lua/module.h"

#define CAPABILITY "reflex"

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

/* --- rules in --- */

static int refused(lua_State *L, int err, const char *why)
{
    module_fail(L, err, NULL);
    lua_pushstring(L, why);
    lua_replace(L, -3); /* the text is the verifier's */
    return 3;
}

/* May this domain do all that the rule would do for it? Else nil, message, code
 * are pushed. */
static bool may_install(lua_State *L, const char *image, size_t size)
{
    void *copy = lua_newuserdatauv(L, size + 1, 0);
    const char *need;

    memcpy(copy, image, size);
    for (size_t i = 0; (need = reflex_needs(copy, size, i)); i++)
        if (!module_permits(L, need))
            return false;
    lua_pop(L, 1);
    return true;
}

/*
 * change(images, leave): true; or nil, why, code, index of the image at fault.
 * The images are strings in the table at 1, which keeps them alive; they are
 * copied to places that are aligned.
 */
static int core_change(lua_State *L)
{
    const char *leave = luaL_optstring(L, 2, NULL);
    char why[REFLEX_WHY_MAX] = "";
    const void **images;
    size_t *sizes, bad;
    lua_Unsigned n;
    int err;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = lua_rawlen(L, 1);
    luaL_argcheck(L, n <= REFLEX_RULES_MAX, 1, "too many rules");
    images = lua_newuserdatauv(L, (n + 1) * sizeof(*images), 0);
    sizes = lua_newuserdatauv(L, (n + 1) * sizeof(*sizes), 0);
    for (lua_Unsigned i = 0; i < n; i++) {
        lua_rawgeti(L, 1, (lua_Integer)i + 1);
        luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1,
                      "images are strings");
        images[i] = lua_tolstring(L, -1, &sizes[i]);
        if (!may_install(L, images[i], sizes[i]))
            return 3;
        lua_pop(L, 1);
    }
    err = reflex_change(images, sizes, n, leave, &bad, why);
    domain_check(L);
    if (!err) {
        lua_pushboolean(L, true);
        return 1;
    }
    refused(L, err, why);
    lua_pushinteger(L, (lua_Integer)bad + 1);
    return 4;
}

/* check(image): proven bound in steps; or nil, why, code. */
static int core_check(lua_State *L)
{
    char why[REFLEX_WHY_MAX] = "";
    const char *image;
    unsigned bound;
    size_t size;
    void *copy;
    int err;

    image = luaL_checklstring(L, 1, &size);
    copy = lua_newuserdatauv(L, size + 1, 0);
    memcpy(copy, image, size);
    err = reflex_check(copy, size, &bound, why);
    if (err)
        return refused(L, err, why);
    lua_pushinteger(L, bound);
    return 1;
}

static int core_enable(lua_State *L)
{
    int err = reflex_enable(luaL_checkstring(L, 1), lua_toboolean(L, 2));

    if (err)
        return module_fail(L, err, lua_tostring(L, 1));
    lua_pushboolean(L, true);
    return 1;
}

/* --- figures out --- */

static void push_stats(lua_State *L, const struct reflex_stats *s)
{
    lua_newtable(L);
    set_integer(L, "runs", s->runs);
    set_integer(L, "hits", s->hits);
    set_integer(L, "suppressed", s->suppressed);
    set_integer(L, "failures", s->failures);
    set_integer(L, "overruns", s->overruns);
    set_integer(L, "lost", s->lost);
    set_integer(L, "actions", s->actions);
    set_integer(L, "min", s->ns_min);
    set_integer(L, "max", s->ns_max);
    set_integer(L, "mean", s->actions ? s->ns_sum / s->actions : 0);
    set_integer(L, "ticks_min", s->ticks_min);
    set_integer(L, "ticks_max", s->ticks_max);
    set_integer(L, "ticks_mean", s->actions ? s->ticks_sum / s->actions : 0);
    lua_createtable(L, REFLEX_HISTOGRAM, 0);
    for (int i = 0; i < REFLEX_HISTOGRAM; i++) {
        lua_pushinteger(L, (lua_Integer)s->histogram[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "histogram");
}

/* list(): all rules in the order in which they run. */
static int core_list(lua_State *L)
{
    struct reflex_info info;

    lua_newtable(L);
    for (size_t i = 0; reflex_info_at(i, &info); i++) {
        push_stats(L, &info.stats);
        set_string(L, "name", info.name);
        set_integer(L, "priority", info.priority);
        set_integer(L, "instructions", info.insns);
        set_integer(L, "bound", info.bound);
        set_boolean(L, "disabled", info.disabled);
        set_boolean(L, "expired", info.expired);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* image(name): as a string; nil, why, code. The rule may be replaced between
 * the two looks: then it is looked at again. */
static int core_image(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    int size, again;
    void *copy;

    for (;;) {
        size = reflex_image_of(name, NULL, 0);
        if (size < 0)
            return module_fail(L, size, name);
        copy = lua_newuserdatauv(L, (size_t)size, 0);
        again = reflex_image_of(name, copy, (size_t)size);
        if (again == size)
            break;
        lua_pop(L, 1);
    }
    lua_pushlstring(L, copy, (size_t)size);
    return 1;
}

static int core_actions(lua_State *L)
{
    const struct reflex_action *a;

    lua_newtable(L);
    for (size_t i = 0; (a = reflex_action_at(i)); i++) {
        lua_newtable(L);
        set_string(L, "name", a->name);
        set_string(L, "doc", a->doc);
        set_string(L, "args", a->args);
        if (a->capability)
            set_string(L, "capability", a->capability);
        set_boolean(L, "any_context", a->any_context);
        set_boolean(L, "named", a->resolve != NULL);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* operations(): {name=, steps=} by number, from 0. */
static int core_operations(lua_State *L)
{
    lua_newtable(L);
    for (int op = 0; op < REFLEX_OPS; op++) {
        lua_newtable(L);
        set_string(L, "name", reflex_op_name((uint8_t)op));
        set_integer(L, "steps", reflex_op_steps((uint8_t)op));
        lua_rawseti(L, -2, op);
    }
    return 1;
}

static int core_counters(lua_State *L)
{
    const char *name;
    uint64_t value;

    lua_newtable(L);
    for (size_t i = 0; (name = reflex_counter_at(i, &value)); i++)
        set_integer(L, name, value);
    return 1;
}

/* set_counter(name, value) */
static int core_set_counter(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_Integer value = luaL_checkinteger(L, 2);
    uint64_t *word;
    int err;

    luaL_argcheck(L, value >= 0, 2, "a counter is not negative");
    err = reflex_counter(name, &word);
    if (err)
        return module_fail(L, err, name);
    __atomic_store_n(word, (uint64_t)value, __ATOMIC_RELAXED);
    lua_pushboolean(L, true);
    return 1;
}

static int core_totals(lua_State *L)
{
    struct reflex_totals t;

    reflex_get_totals(&t);
    lua_newtable(L);
    set_integer(L, "too_deep", t.too_deep);
    set_integer(L, "lost", t.lost);
    return 1;
}

static const struct lua_function reflex_functions[] = {
    {"change", core_change, CAPABILITY},
    {"check", core_check, NULL},
    {"enable", core_enable, CAPABILITY},
    {"list", core_list, NULL},
    {"image", core_image, NULL},
    {"actions", core_actions, NULL},
    {"operations", core_operations, NULL},
    {"counters", core_counters, NULL},
    {"set_counter", core_set_counter, CAPABILITY},
    {"totals", core_totals, NULL},
    {0},
};

LUA_MODULE(reflex_core, .functions = reflex_functions);
