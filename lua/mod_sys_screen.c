/*
 * The part of sys.test that stands in for a person's eyes: the screen is read
 * as text, as pixels and as a picture. Refused like all of sys.test. Domain's
 * thread.
 */
#include <errno.h>

#include <rayos/framebuffer.h>
#include <rayos/terminal.h>

#include "lua/mod_sys.h"
#include "lua/png.h"

/* More columns than the widest screen of the smallest font has. */
#define COLUMNS_MAX 1024

/* Push one row as UTF-8, without the blanks at its end. */
static void push_row(lua_State *L, const uint32_t *cells, size_t count)
{
    luaL_Buffer b;

    while (count && cells[count - 1] == ' ')
        count--;
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < count; i++) {
        if (!cells[i])
            continue;
        lua_pushfstring(L, "%U", (unsigned long)cells[i]);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
}

/* The rows that the screen shows, as a list of texts. */
static int screen_rows(lua_State *L)
{
    uint32_t *cells;

    if (!sys_test_permitted(L))
        return 3;
    cells = lua_newuserdatauv(L, COLUMNS_MAX * sizeof(*cells), 0);
    lua_newtable(L);
    for (uint32_t row = 0;; row++) {
        ssize_t n = terminal_read_row(row, cells, COLUMNS_MAX);

        if (n == -EINVAL)
            return 1;
        if (n < 0)
            return module_fail(L, (int)n, "screen");
        push_row(L, cells, (size_t)n);
        lua_rawseti(L, -2, (lua_Integer)row + 1);
    }
}

struct rectangle {
    uint32_t x, y, width, height;
};

static uint32_t check_side(lua_State *L, int index, uint32_t otherwise)
{
    lua_Integer n = luaL_optinteger(L, index, otherwise);

    luaL_argcheck(L, n >= 0 && n <= (lua_Integer)PNG_MAX_SIDE, index,
                  "out of range");
    return (uint32_t)n;
}

/* Arguments 1 to 4, the whole screen without them; pushes its pixels. NULL:
 * nil, message, code are pushed instead. */
static const uint8_t *push_pixels(lua_State *L, struct rectangle *r)
{
    const struct framebuffer *fb = framebuffer_get();
    uint8_t *rgb;
    int err;

    if (!sys_test_permitted(L))
        return NULL;
    if (!fb->pixels) {
        module_fail(L, -ENODEV, "screen");
        return NULL;
    }
    r->x = check_side(L, 1, 0);
    r->y = check_side(L, 2, 0);
    r->width = check_side(L, 3, fb->width > r->x ? fb->width - r->x : 0);
    r->height = check_side(L, 4, fb->height > r->y ? fb->height - r->y : 0);
    luaL_argcheck(L, r->width && r->height, 3, "nothing is in there");
    rgb = lua_newuserdatauv(L, (size_t)r->width * r->height * 3, 0);
    err = terminal_read_pixels(r->x, r->y, r->width, r->height, rgb);
    if (!err)
        return rgb;
    module_fail(L, err, "screen");
    return NULL;
}

/* pixels([x, y, width, height]): red, green, blue; width; height. */
static int screen_pixels(lua_State *L)
{
    struct rectangle r;
    const uint8_t *rgb = push_pixels(L, &r);

    if (!rgb)
        return 3;
    lua_pushlstring(L, (const char *)rgb, (size_t)r.width * r.height * 3);
    lua_pushinteger(L, r.width);
    lua_pushinteger(L, r.height);
    return 3;
}

/* png([x, y, width, height]) */
static int screen_png(lua_State *L)
{
    struct rectangle r;
    const uint8_t *rgb = push_pixels(L, &r);
    luaL_Buffer b;
    uint8_t *out;

    if (!rgb)
        return 3;
    out = (uint8_t *)luaL_buffinitsize(L, &b, png_bound(r.width, r.height));
    luaL_pushresultsize(&b, png_encode(rgb, r.width, r.height, out));
    return 1;
}

const struct lua_function sys_screen_functions[] = {
    {"screen", screen_rows, "test"},
    {"pixels", screen_pixels, "test"},
    {"png", screen_png, "test"},
    {0},
};
