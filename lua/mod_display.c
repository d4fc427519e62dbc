/*
 * Module `display_core`: the screen, as lua/display.lua uses it. Surfaces are
 * in mod_display_surface.c, what draws on them in mod_display_draw.c, windows
 *in mod_display_window.c. Domain's thread.
 *
 *	screen() -> width, height; nil, message, "ENODEV" without a screen
 *	create(name, width, height) -> surface, with a canvas to draw on
 *	find(name) -> surface or nil
 *	surfaces() -> list of what is there, nearest first, each as
 *surface:info() flush() -> true when all that was shown before is on the screen
 *	pixels([x, y, width, height]) -> red, green, blue of each; width; height
 *	png([x, y, width, height]) -> the same as a PNG file
 *	background(top, bottom): 0xRRGGBB, behind everything
 *	pointer() -> x, y, seen
 *	move_pointer(x, y)
 *	stats() -> {frames, pixels, busy}
 *	text_width(text [, font]) -> pixels; fonts are 16, 24 and 32
 *	font() -> the font that suits text on this screen
 */
#include <errno.h>

#include "lua/mod_display.h"
#include "lua/png.h"

#define NUMBER_MAX (1 << 20)

int32_t display_check_number(lua_State *L, int index)
{
    lua_Integer n = luaL_checkinteger(L, index);

    luaL_argcheck(L, n >= -NUMBER_MAX && n <= NUMBER_MAX, index,
                  "out of range");
    return (int32_t)n;
}

struct rect display_check_rect(lua_State *L, int index)
{
    return (struct rect){
        display_check_number(L, index), display_check_number(L, index + 1),
        display_check_number(L, index + 2), display_check_number(L, index + 3)};
}

uint32_t display_check_colour(lua_State *L, int index)
{
    lua_Integer n = luaL_checkinteger(L, index);

    luaL_argcheck(L, n >= 0 && n <= UINT32_MAX, index,
                  "expected a colour, 0xAARRGGBB");
    return (uint32_t)n;
}

static int core_screen(lua_State *L)
{
    uint32_t width, height;

    compositor_screen_size(&width, &height);
    if (!width)
        return module_fail(L, -ENODEV, "screen");
    lua_pushinteger(L, width);
    lua_pushinteger(L, height);
    return 2;
}

static int core_find(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct display_surface *d = display_new_handle(L);

    d->surface = surface_find(name);
    return d->surface != NULL;
}

static int core_surfaces(lua_State *L)
{
    lua_newtable(L);
    for (lua_Integer i = 0;; i++) {
        struct display_surface *d = display_new_handle(L);

        d->surface = surface_at((size_t)i);
        if (!d->surface) {
            lua_pop(L, 1);
            return 1;
        }
        display_push_info(L, d->surface);
        lua_rawseti(L, -3, i + 1);
        lua_pop(L, 1);
    }
}

/* --- reading --- */

static int core_flush(lua_State *L)
{
    int err;

    do
        err = compositor_flush();
    while (domain_wait_again(L, err));
    if (err)
        return module_fail(L, err, "screen");
    lua_pushboolean(L, true);
    return 1;
}

/* Arguments 1 to 4, the whole screen without them; pushes its pixels. NULL:
 * nil, message, code are pushed instead. */
static const uint8_t *push_pixels(lua_State *L, struct rect *r)
{
    uint32_t width, height;
    uint8_t *rgb;
    int err;

    compositor_screen_size(&width, &height);
    if (!width) {
        module_fail(L, -ENODEV, "screen");
        return NULL;
    }
    *r = (struct rect){0, 0, (int32_t)width, (int32_t)height};
    if (!lua_isnoneornil(L, 1)) {
        struct rect screen = *r;

        *r = display_check_rect(L, 1);
        luaL_argcheck(L,
                      r->x >= 0 && r->y >= 0 && r->w > 0 && r->h > 0 &&
                          r->x + r->w <= screen.w && r->y + r->h <= screen.h,
                      1, "not inside the screen");
    }
    rgb = lua_newuserdatauv(L, (size_t)r->w * (size_t)r->h * 3, 0);
    do
        err = compositor_read_pixels(*r, rgb);
    while (domain_wait_again(L, err));
    if (!err)
        return rgb;
    module_fail(L, err, "screen");
    return NULL;
}

static int core_pixels(lua_State *L)
{
    struct rect r;
    const uint8_t *rgb = push_pixels(L, &r);

    if (!rgb)
        return 3;
    lua_pushlstring(L, (const char *)rgb, (size_t)r.w * (size_t)r.h * 3);
    lua_pushinteger(L, r.w);
    lua_pushinteger(L, r.h);
    return 3;
}

static int core_png(lua_State *L)
{
    struct rect r;
    const uint8_t *rgb = push_pixels(L, &r);
    uint32_t w, h;
    luaL_Buffer b;
    uint8_t *out;

    if (!rgb)
        return 3;
    w = (uint32_t)r.w;
    h = (uint32_t)r.h;
    out = (uint8_t *)luaL_buffinitsize(L, &b, png_bound(w, h));
    luaL_pushresultsize(&b, png_encode(rgb, w, h, out));
    return 1;
}

/* --- settings --- */

static int core_background(lua_State *L)
{
    uint32_t top = display_check_colour(L, 1);

    compositor_set_background(
        top, lua_isnoneornil(L, 2) ? top : display_check_colour(L, 2));
    return 0;
}

static int core_pointer(lua_State *L)
{
    int32_t x, y;
    bool seen = compositor_get_pointer(&x, &y);

    lua_pushinteger(L, x);
    lua_pushinteger(L, y);
    lua_pushboolean(L, seen);
    return 3;
}

static int core_move_pointer(lua_State *L)
{
    compositor_move_pointer(display_check_number(L, 1),
                            display_check_number(L, 2));
    return 0;
}

static int core_stats(lua_State *L)
{
    struct compositor_stats s;

    compositor_get_stats(&s);
    lua_createtable(L, 0, 3);
    lua_pushinteger(L, (lua_Integer)s.frames);
    lua_setfield(L, -2, "frames");
    lua_pushinteger(L, (lua_Integer)s.pixels);
    lua_setfield(L, -2, "pixels");
    lua_pushnumber(L, (lua_Number)s.busy / NS_PER_SEC);
    lua_setfield(L, -2, "busy");
    return 1;
}

static const struct lua_function core_functions[] = {
    {"screen", core_screen, NULL},
    {"create", display_create, DISPLAY_CAPABILITY},
    {"find", core_find, DISPLAY_CAPABILITY},
    {"surfaces", core_surfaces, NULL},
    {"flush", core_flush, NULL},
    {"pixels", core_pixels, DISPLAY_READ},
    {"png", core_png, DISPLAY_READ},
    {"background", core_background, DISPLAY_CAPABILITY},
    {"pointer", core_pointer, NULL},
    {"move_pointer", core_move_pointer, DISPLAY_CAPABILITY},
    {"stats", core_stats, NULL},
    {"text_width", display_text_width, NULL},
    {"font", display_font, NULL},
    {"title_height", display_title_height, NULL},
    {"window_area", display_window_area, DISPLAY_CAPABILITY},
    {0},
};

LUA_MODULE(display_core, .functions = core_functions,
           .extend = display_open_surface);
