/* What the files of module `display_core` share. Domain's thread. */
#ifndef RAYOS_LUA_MOD_DISPLAY_H
#define RAYOS_LUA_MOD_DISPLAY_H

#include <rayos/draw.h>
#include <rayos/surface.h>

#include "lua/module.h"

#define DISPLAY_CAPABILITY "display"
#define DISPLAY_READ       "display.read" /* what is on the screen */
#define SURFACE_CLASS      "surface"

/* A handle on a surface. */
struct display_surface {
    struct surface *surface; /* NULL: closed */
    bool owned;              /* made by this handle, ends with it */
    /* The picture that is drawn on, in Lua's memory (user value 1); `present`
     * copies it to the surface. Only if owned. */
    struct canvas canvas;
    struct display_input *input; /* NULL: it takes none */
};

/* Push an empty handle; first, for what a reference is put into must exist. */
struct display_surface *display_new_handle(lua_State *L);
struct display_surface *display_check_surface(lua_State *L, int index);
/* Only of one that this domain draws on. */
struct display_surface *display_check_canvas(lua_State *L, int index);
/* Push the table that describes a surface. */
void display_push_info(lua_State *L, struct surface *s);
/* A coordinate or a side: a whole number that no sum of two takes out of 32
 * bits. */
int32_t display_check_number(lua_State *L, int index);
/* x, y, width, height from `index` on. */
struct rect display_check_rect(lua_State *L, int index);
uint32_t display_check_colour(lua_State *L, int index);

/* A field of the table at 2, or what it was. */
int32_t display_field_number(lua_State *L, const char *name, int32_t otherwise,
                             int32_t min, int32_t max);
bool display_field_boolean(lua_State *L, const char *name, bool otherwise);

/* Methods of SURFACE_CLASS, in files of these names. */
extern const struct lua_function display_draw_methods[];
extern const struct lua_function display_window_methods[];
extern const struct lua_function display_input_methods[];
/* Keys and pointer go elsewhere from now on. */
void display_drop_input(struct display_surface *d);
void display_open_surface(lua_State *L);
int display_create(lua_State *L);
int display_text_width(lua_State *L);
int display_font(lua_State *L);
int display_title_height(lua_State *L);
int display_window_area(lua_State *L);

#endif
