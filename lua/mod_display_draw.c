/*
 * Drawing on a surface's canvas, of module `display_core`. Nothing is seen of
 * it before `present`. Colours are 0xAARRGGBB. Domain's thread.
 *
 *	s:fill(x, y, width, height, colour): in place of what is there
 *	s:gradient(x, y, width, height, top, bottom): the same
 *	s:blend(x, y, width, height, colour): over what is there
 *	s:rounded(x, y, width, height, radius, colour): over what is there
 *	s:shadow(x, y, width, height, radius, extent, colour)
 *	s:text(x, y, text, colour [, font [, bold [, width]]]) -> pixels; cut
 *with an ellipsis at `width` s:image(x, y, width, height, data [, blend]): 4
 *bytes a pixel: blue, green, red, alpha s:present([x, y, width, height]): have
 *it seen, at once
 */
#include <errno.h>
#include <string.h>

#include "lua/mod_display.h"

static int draw_fill_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);

    draw_fill(&d->canvas, display_check_rect(L, 2), display_check_colour(L, 6));
    return 0;
}

static int draw_gradient_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);

    draw_gradient(&d->canvas, display_check_rect(L, 2),
                  display_check_colour(L, 6), display_check_colour(L, 7));
    return 0;
}

static int draw_blend_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);

    draw_blend(&d->canvas, display_check_rect(L, 2),
               display_check_colour(L, 6));
    return 0;
}

static uint32_t check_length(lua_State *L, int index)
{
    lua_Integer n = luaL_checkinteger(L, index);

    luaL_argcheck(L, n >= 0 && n <= 4096, index, "out of range");
    return (uint32_t)n;
}

static int draw_rounded_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);

    draw_rounded(&d->canvas, display_check_rect(L, 2), check_length(L, 6),
                 display_check_colour(L, 7));
    return 0;
}

static int draw_shadow_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);

    draw_shadow(&d->canvas, display_check_rect(L, 2), check_length(L, 6),
                check_length(L, 7), display_check_colour(L, 8));
    return 0;
}

/* --- text --- */

static enum draw_font check_font(lua_State *L, int index)
{
    uint32_t width, height;
    lua_Integer n;

    compositor_screen_size(&width, &height);
    if (lua_isnoneornil(L, index))
        return draw_font_for(width);
    n = luaL_checkinteger(L, index);
    for (int f = 0; f < DRAW_FONTS; f++)
        if (n == draw_font_height((enum draw_font)f))
            return (enum draw_font)f;
    luaL_argerror(L, index, "fonts are 16, 24 and 32");
    return DRAW_FONT_16;
}

static int push_width(lua_State *L, int32_t width)
{
    if (width < 0)
        return module_fail(L, width, "fonts");
    lua_pushinteger(L, width);
    return 1;
}

static int draw_text_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);
    int32_t x = display_check_number(L, 2), y = display_check_number(L, 3);
    size_t size;
    const char *text = luaL_checklstring(L, 4, &size);
    struct draw_style style = {.argb = display_check_colour(L, 5),
                               .font = check_font(L, 6),
                               .bold = lua_toboolean(L, 7)};

    if (lua_isnoneornil(L, 8))
        return push_width(L, draw_text(&d->canvas, x, y, text, size, &style));
    return push_width(L,
                      draw_text_in(&d->canvas, x, y, display_check_number(L, 8),
                                   text, size, &style));
}

int display_text_width(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);

    return push_width(L, draw_text_width(text, size, check_font(L, 2)));
}

int display_font(lua_State *L)
{
    lua_pushinteger(L, draw_font_height(check_font(L, 1)));
    return 1;
}

/* --- pictures --- */

static int draw_image_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);
    struct rect r = display_check_rect(L, 2);
    size_t size;
    const char *data = luaL_checklstring(L, 6, &size);
    struct canvas from;
    uint32_t *pixels;

    luaL_argcheck(L, r.w > 0 && r.h > 0, 4, "nothing is in there");
    luaL_argcheck(L, (uint64_t)r.w * (uint64_t)r.h * 4 == size, 6,
                  "expected 4 bytes for each pixel");
    pixels = lua_newuserdatauv(L, size, 0); /* aligned */
    memcpy(pixels, data, size);
    from = (struct canvas){pixels, (uint32_t)r.w, (uint32_t)r.h, (uint32_t)r.w};
    draw_image(&d->canvas, r.x, r.y, &from, lua_toboolean(L, 7));
    return 0;
}

static int draw_present(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);
    struct rect r = {0, 0, (int32_t)d->canvas.width, (int32_t)d->canvas.height};
    struct canvas to, part = d->canvas;

    if (!lua_isnoneornil(L, 2))
        r = display_check_rect(L, 2);
    luaL_argcheck(L,
                  r.x >= 0 && r.y >= 0 && r.w > 0 && r.h > 0 &&
                      r.x + r.w <= (int32_t)part.width &&
                      r.y + r.h <= (int32_t)part.height,
                  2, "not inside the canvas");
    part.pixels += (size_t)r.y * part.stride + (uint32_t)r.x;
    part.width = (uint32_t)r.w;
    part.height = (uint32_t)r.h;
    surface_size(d->surface, &to.width, &to.height);
    to.pixels = surface_lock(d->surface, &to.stride);
    draw_image(&to, r.x, r.y, &part, false);
    surface_unlock(d->surface);
    surface_damage(d->surface, r);
    return 0;
}

const struct lua_function display_draw_methods[] = {
    {"fill", draw_fill_method, NULL},
    {"gradient", draw_gradient_method, NULL},
    {"blend", draw_blend_method, NULL},
    {"rounded", draw_rounded_method, NULL},
    {"shadow", draw_shadow_method, NULL},
    {"text", draw_text_method, NULL},
    {"image", draw_image_method, NULL},
    {"present", draw_present, NULL},
    {0},
};
