/*
 * Floating windows, of module `display_core`. Domain's thread.
 *
 *	s:window{title=, x=, y=, width=, height=, z=, min_width=, min_height=,
 *	         fixed=}: shows the surface as a window, or changes what is
 *named s:window() -> such a table; nil: it is none s:unwindow(): hides it, and
 *it is a plain surface again s:activate(): nearest of those with its z, and
 *drawn as the active one title_height() -> pixels above a content
 *	window_area(x, y, width, height): what windows are kept in
 */
#include <errno.h>
#include <string.h>

#include <rayos/window.h>

#include "lua/mod_display.h"

#define FAR (1 << 20)

int32_t display_field_number(lua_State *L, const char *name, int32_t otherwise,
                             int32_t min, int32_t max)
{
    lua_Integer n = otherwise;
    int whole = 1;

    if (lua_getfield(L, 2, name) != LUA_TNIL)
        n = lua_tointegerx(L, -1, &whole);
    lua_pop(L, 1);
    if (!whole || n < min || n > max)
        luaL_error(L, "field '%s': expected a whole number from %d to %d", name,
                   (int)min, (int)max);
    return (int32_t)n;
}

bool display_field_boolean(lua_State *L, const char *name, bool otherwise)
{
    bool on = lua_getfield(L, 2, name) == LUA_TNIL ? otherwise
                                                   : lua_toboolean(L, -1);

    lua_pop(L, 1);
    return on;
}

static void set_integer(lua_State *L, const char *name, lua_Integer n)
{
    lua_pushinteger(L, n);
    lua_setfield(L, -2, name);
}

static int push_options(lua_State *L, const struct window_options *o)
{
    lua_createtable(L, 0, 9);
    lua_pushstring(L, o->title);
    lua_setfield(L, -2, "title");
    set_integer(L, "x", o->place.x);
    set_integer(L, "y", o->place.y);
    set_integer(L, "width", o->place.w);
    set_integer(L, "height", o->place.h);
    set_integer(L, "z", o->z);
    set_integer(L, "min_width", o->min_width);
    set_integer(L, "min_height", o->min_height);
    lua_pushboolean(L, o->fixed);
    lua_setfield(L, -2, "fixed");
    return 1;
}

/* Fields of the table at 2 into `o`; the title stays in the table. */
static void check_options(lua_State *L, struct window_options *o)
{
    struct rect *r = &o->place;

    r->x = display_field_number(L, "x", r->x, -FAR, FAR);
    r->y = display_field_number(L, "y", r->y, -FAR, FAR);
    r->w = display_field_number(L, "width", r->w, 1, 16000);
    r->h = display_field_number(L, "height", r->h, 1, 16000);
    o->z = display_field_number(L, "z", o->z, -FAR, FAR);
    o->min_width = (uint32_t)display_field_number(
        L, "min_width", (int32_t)o->min_width, 0, 16000);
    o->min_height = (uint32_t)display_field_number(
        L, "min_height", (int32_t)o->min_height, 0, 16000);
    o->fixed = display_field_boolean(L, "fixed", o->fixed);
    if (lua_getfield(L, 2, "title") != LUA_TNIL)
        o->title = luaL_checkstring(L, -1);
    /* It stays on the stack, and so alive. */
}

static int window_method(lua_State *L)
{
    struct surface *s = display_check_surface(L, 1)->surface;
    struct window_options o = {.title = ""};
    char text[WINDOW_TITLE_MAX];
    int err = window_get(s, &o, text);

    if (lua_isnoneornil(L, 2))
        return err ? 0 : push_options(L, &o);
    luaL_checktype(L, 2, LUA_TTABLE);
    if (err) {
        struct surface_view v;

        surface_get_view(s, &v);
        o.place = v.place;
        o.z = v.z;
        o.title = surface_name(s);
    }
    check_options(L, &o);
    err = err ? window_open(s, &o) : window_set(s, &o);
    if (err)
        return module_fail(L, err, surface_name(s));
    lua_pushboolean(L, true);
    return 1;
}

static int unwindow_method(lua_State *L)
{
    window_close(display_check_surface(L, 1)->surface);
    return 0;
}

static int activate_method(lua_State *L)
{
    window_activate(display_check_surface(L, 1)->surface);
    return 0;
}

int display_title_height(lua_State *L)
{
    lua_pushinteger(L, window_title_height());
    return 1;
}

int display_window_area(lua_State *L)
{
    window_set_area(display_check_rect(L, 1));
    return 0;
}

const struct lua_function display_window_methods[] = {
    {"window", window_method, DISPLAY_CAPABILITY},
    {"unwindow", unwindow_method, DISPLAY_CAPABILITY},
    {"activate", activate_method, DISPLAY_CAPABILITY},
    {0},
};
