/*
 * Handles on surfaces, of module `display_core`. Domain's thread.
 *
 *	s:info() -> {name, width, height, shown, x, y, view_width, view_height,
 *z, scaling, blend, opacity} s:size() -> width, height of the picture
 *	s:set{shown=, x=, y=, width=, height=, z=, scaling=, blend=, opacity=,
 *	      passive=}: changes what is named, all at once; scaling is "none",
 *	      "integer", "fit" or "fill"; passive: the pointer sees through it
 *	s:show([on]), s:hide(), s:raise()
 *	s:resize(width, height): the picture; its pixels are cleared
 *	s:read() -> its own pixels: red, green, blue of each; width; height
 *	s:png() -> the same as a PNG file
 *	s:close(): ends one that this handle has made; lets go of another
 */
#include <errno.h>
#include <string.h>

#include "lua/mod_display.h"
#include "lua/png.h"

static const char *const scaling_names[] = {
    [SCALE_NONE] = "none", [SCALE_INTEGER] = "integer", [SCALE_FIT] = "fit",
    [SCALE_FILL] = "fill", [SCALE_FILL + 1] = NULL,
};

struct display_surface *display_check_surface(lua_State *L, int index)
{
    struct display_surface *d = luaL_checkudata(L, index, SURFACE_CLASS);

    luaL_argcheck(L, d->surface, index, "the surface is closed");
    return d;
}

struct display_surface *display_check_canvas(lua_State *L, int index)
{
    struct display_surface *d = display_check_surface(L, index);

    luaL_argcheck(L, d->owned, index,
                  "only who has made a surface draws on it");
    return d;
}

struct display_surface *display_new_handle(lua_State *L)
{
    struct display_surface *d = lua_newuserdatauv(L, sizeof(*d), 1);

    *d = (struct display_surface){.surface = NULL};
    luaL_setmetatable(L, SURFACE_CLASS);
    return d;
}

/* Give the handle on top a canvas of that size. */
static void new_canvas(lua_State *L, struct display_surface *d, uint32_t width,
                       uint32_t height)
{
    size_t size = (size_t)width * height * sizeof(uint32_t);
    uint32_t *pixels = lua_newuserdatauv(L, size, 0);

    for (size_t i = 0; i < (size_t)width * height; i++)
        pixels[i] = 0;
    d->canvas = (struct canvas){pixels, width, height, width};
    lua_setiuservalue(L, -2, 1);
}

static uint32_t check_side(lua_State *L, int index)
{
    lua_Integer n = luaL_checkinteger(L, index);

    luaL_argcheck(L, n >= 1 && n <= 16384, index, "out of range");
    return (uint32_t)n;
}

int display_create(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    uint32_t width = check_side(L, 2), height = check_side(L, 3);
    struct display_surface *d;
    struct surface *there;

    luaL_argcheck(L, *name && strlen(name) < SURFACE_NAME_MAX, 1,
                  "expected a name of 1 to 31 bytes");
    d = display_new_handle(L);
    new_canvas(L, d, width, height);
    there = surface_find(name);
    if (there) {
        surface_put(there);
        return module_fail(L, -EEXIST, name);
    }
    d->surface = surface_create(name, width, height, NULL, NULL);
    if (!d->surface)
        return module_fail(L, -ENOMEM, name);
    d->owned = true;
    return 1;
}

static void close_handle(struct display_surface *d)
{
    struct surface *s = d->surface;

    if (!s)
        return;
    display_drop_input(d);
    d->surface = NULL;
    if (d->owned)
        surface_destroy(s);
    else
        surface_put(s);
}

static int surface_close(lua_State *L)
{
    struct display_surface *d = luaL_checkudata(L, 1, SURFACE_CLASS);

    close_handle(d);
    d->canvas = (struct canvas){0};
    lua_pushnil(L);
    lua_setiuservalue(L, 1, 1);
    return 0;
}

/* --- views --- */

static void set_integer(lua_State *L, const char *name, lua_Integer n)
{
    lua_pushinteger(L, n);
    lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, bool on)
{
    lua_pushboolean(L, on);
    lua_setfield(L, -2, name);
}

void display_push_info(lua_State *L, struct surface *s)
{
    struct surface_view v;
    struct surface_input input;
    uint32_t width, height;

    surface_get_view(s, &v);
    surface_get_input(s, &input);
    surface_size(s, &width, &height);
    lua_createtable(L, 0, 14);
    lua_pushstring(L, surface_name(s));
    lua_setfield(L, -2, "name");
    set_integer(L, "width", width);
    set_integer(L, "height", height);
    set_boolean(L, "shown", v.shown);
    set_integer(L, "x", v.place.x);
    set_integer(L, "y", v.place.y);
    set_integer(L, "view_width", v.place.w);
    set_integer(L, "view_height", v.place.h);
    set_integer(L, "z", v.z);
    lua_pushstring(L, scaling_names[v.scaling]);
    lua_setfield(L, -2, "scaling");
    set_boolean(L, "blend", v.blend);
    set_integer(L, "opacity", v.opacity);
    set_boolean(L, "passive", input.passive);
}

static int surface_info(lua_State *L)
{
    display_push_info(L, display_check_surface(L, 1)->surface);
    return 1;
}

static int surface_get_size(lua_State *L)
{
    uint32_t width, height;

    surface_size(display_check_surface(L, 1)->surface, &width, &height);
    lua_pushinteger(L, width);
    lua_pushinteger(L, height);
    return 2;
}

static enum surface_scaling field_scaling(lua_State *L,
                                          enum surface_scaling otherwise)
{
    const char *name = scaling_names[otherwise];
    int i = 0;

    if (lua_getfield(L, 2, "scaling") != LUA_TNIL)
        name = luaL_checkstring(L, -1);
    while (scaling_names[i] && strcmp(scaling_names[i], name) != 0)
        i++;
    if (!scaling_names[i])
        luaL_error(L,
                   "field 'scaling': one of \"none\", \"integer\", "
                   "\"fit\", \"fill\", not \"%s\"",
                   name);
    lua_pop(L, 1);
    return (enum surface_scaling)i;
}

static int surface_set(lua_State *L)
{
    struct surface *s = display_check_surface(L, 1)->surface;
    const int32_t far = 1 << 20;
    struct surface_view v;
    struct surface_input input;

    luaL_checktype(L, 2, LUA_TTABLE);
    surface_get_view(s, &v);
    surface_get_input(s, &input);
    v.shown = display_field_boolean(L, "shown", v.shown);
    v.place.x = display_field_number(L, "x", v.place.x, -far, far);
    v.place.y = display_field_number(L, "y", v.place.y, -far, far);
    v.place.w = display_field_number(L, "width", v.place.w, 0, far);
    v.place.h = display_field_number(L, "height", v.place.h, 0, far);
    v.z = display_field_number(L, "z", v.z, -far, far);
    v.scaling = field_scaling(L, v.scaling);
    v.blend = display_field_boolean(L, "blend", v.blend);
    v.opacity = (uint8_t)display_field_number(L, "opacity", v.opacity, 0, 255);
    input.passive = display_field_boolean(L, "passive", input.passive);
    surface_set_input(s, &input);
    surface_set_view(s, &v);
    return 0;
}

static int surface_set_shown(lua_State *L)
{
    bool on = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);

    surface_show(display_check_surface(L, 1)->surface, on);
    return 0;
}

static int surface_hide(lua_State *L)
{
    surface_show(display_check_surface(L, 1)->surface, false);
    return 0;
}

static int surface_to_front(lua_State *L)
{
    surface_raise(display_check_surface(L, 1)->surface);
    return 0;
}

static int surface_set_size(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);
    uint32_t width = check_side(L, 2), height = check_side(L, 3);
    int err;

    lua_settop(L, 1);
    new_canvas(L, d, width, height);
    err = surface_resize(d->surface, width, height);
    if (err)
        return module_fail(L, err, surface_name(d->surface));
    lua_pushboolean(L, true);
    return 1;
}

/* --- the picture --- */

static void read_line(const uint32_t *pixels, uint32_t width, uint8_t *rgb)
{
    for (uint32_t x = 0; x < width; x++, rgb += 3) {
        rgb[0] = (uint8_t)(pixels[x] >> 16);
        rgb[1] = (uint8_t)(pixels[x] >> 8);
        rgb[2] = (uint8_t)pixels[x];
    }
}

/* Pushes its pixels; NULL: nil, message, code are pushed instead. */
static const uint8_t *push_picture(lua_State *L, struct surface *s,
                                   uint32_t *width, uint32_t *height)
{
    uint32_t stride, now_width, now_height;
    const uint32_t *pixels;
    uint8_t *rgb;

    surface_size(s, width, height);
    rgb = lua_newuserdatauv(L, (size_t)*width * *height * 3, 0);
    pixels = surface_lock(s, &stride);
    surface_size(s, &now_width, &now_height);
    if (!pixels || now_width != *width || now_height != *height) {
        surface_unlock(s);
        module_fail(L, -EAGAIN, surface_name(s));
        return NULL;
    }
    for (uint32_t y = 0; y < *height; y++, pixels += stride)
        read_line(pixels, *width, rgb + (size_t)y * *width * 3);
    surface_unlock(s);
    return rgb;
}

static int surface_read(lua_State *L)
{
    struct surface *s = display_check_surface(L, 1)->surface;
    uint32_t width, height;
    const uint8_t *rgb = push_picture(L, s, &width, &height);

    if (!rgb)
        return 3;
    lua_pushlstring(L, (const char *)rgb, (size_t)width * height * 3);
    lua_pushinteger(L, width);
    lua_pushinteger(L, height);
    return 3;
}

static int surface_png(lua_State *L)
{
    struct surface *s = display_check_surface(L, 1)->surface;
    uint32_t width, height;
    const uint8_t *rgb = push_picture(L, s, &width, &height);
    luaL_Buffer b;
    uint8_t *out;

    if (!rgb)
        return 3;
    out = (uint8_t *)luaL_buffinitsize(L, &b, png_bound(width, height));
    luaL_pushresultsize(&b, png_encode(rgb, width, height, out));
    return 1;
}

static const struct lua_function surface_methods[] = {
    {"info", surface_info, NULL},
    {"size", surface_get_size, NULL},
    {"set", surface_set, DISPLAY_CAPABILITY},
    {"show", surface_set_shown, DISPLAY_CAPABILITY},
    {"hide", surface_hide, DISPLAY_CAPABILITY},
    {"raise", surface_to_front, DISPLAY_CAPABILITY},
    {"resize", surface_set_size, DISPLAY_CAPABILITY},
    {"read", surface_read, DISPLAY_READ},
    {"png", surface_png, DISPLAY_READ},
    {"close", surface_close, NULL},
    {0},
};

static int surface_gc(lua_State *L)
{
    close_handle(luaL_checkudata(L, 1, SURFACE_CLASS));
    return 0;
}

static int surface_tostring(lua_State *L)
{
    struct display_surface *d = luaL_checkudata(L, 1, SURFACE_CLASS);
    uint32_t width, height;

    if (!d->surface) {
        lua_pushliteral(L, "surface (closed)");
        return 1;
    }
    surface_size(d->surface, &width, &height);
    lua_pushfstring(L, "surface \"%s\" (%dx%d)", surface_name(d->surface),
                    (int)width, (int)height);
    return 1;
}

static const luaL_Reg surface_meta[] = {
    {"__gc", surface_gc},
    {"__close", surface_gc},
    {"__tostring", surface_tostring},
    {0},
};

void display_open_surface(lua_State *L)
{
    module_new_class(L, SURFACE_CLASS, surface_methods, surface_meta);
    lua_getfield(L, -1, "__index");
    module_set_functions(L, display_draw_methods);
    module_set_functions(L, display_window_methods);
    module_set_functions(L, display_input_methods);
    lua_pop(L, 2);
}
