/*
 * Input for surfaces that Lua draws, of module `display_core`: keys and pointer
 * events wait in a queue until they are read. Events come in interrupt context,
 * all else on the domain's thread.
 *
 *	s:take_input([on]): keys while it has the focus, and the pointer over it
 *	s:focus() -> true; nil, message, "EINVAL" if it takes no input
 *	s:read_input() -> list of {device, type, code, value}, oldest first; and
 *	how many were lost because nobody read
 */
#include <errno.h>

#include <rayos/input.h>
#include <rayos/mm.h>
#include <rayos/spinlock.h>

#include "lua/mod_display.h"

#define QUEUE_LENGTH 512

struct display_input {
    struct input_stream stream;
    struct spinlock lock;
    struct input_event queue[QUEUE_LENGTH]; /* lock: ring */
    uint32_t first, count;                  /* lock */
    uint64_t lost;                          /* lock */
};

/* Interrupt context. The oldest stay: what is lost is counted. */
static void queue_event(struct input_stream *s, const struct input_event *e)
{
    struct display_input *in = s->arg;
    irqflags_t flags;

    if (e->type == INPUT_SYN)
        return;
    flags = spin_lock(&in->lock);
    if (in->count < QUEUE_LENGTH)
        in->queue[(in->first + in->count++) % QUEUE_LENGTH] = *e;
    else
        in->lost++;
    spin_unlock(&in->lock, flags);
}

void display_drop_input(struct display_surface *d)
{
    struct surface_input none;

    if (!d->input)
        return;
    surface_get_input(d->surface, &none);
    none.stream = NULL;
    none.focus = false;
    surface_set_input(d->surface, &none);
    input_stream_remove(&d->input->stream);
    kfree(d->input);
    d->input = NULL;
}

static int take_input_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);
    struct surface_input in;

    if (!lua_isnoneornil(L, 2) && !lua_toboolean(L, 2)) {
        display_drop_input(d);
    } else if (!d->input) {
        d->input = kzalloc(sizeof(*d->input));
        if (!d->input)
            return module_fail(L, -ENOMEM, surface_name(d->surface));
        d->input->stream.name = surface_name(d->surface);
        d->input->stream.event = queue_event;
        d->input->stream.arg = d->input;
        surface_get_input(d->surface, &in);
        in.stream = &d->input->stream;
        in.focus = true;
        surface_set_input(d->surface, &in);
    }
    lua_pushboolean(L, true);
    return 1;
}

static int focus_method(lua_State *L)
{
    struct surface *s = display_check_surface(L, 1)->surface;
    struct surface_input in;

    surface_get_input(s, &in);
    if (!in.stream)
        return module_fail(L, -EINVAL, "it takes no input");
    input_set_focus(in.stream);
    lua_pushboolean(L, true);
    return 1;
}

static bool take_event(struct display_input *in, struct input_event *e)
{
    irqflags_t flags = spin_lock(&in->lock);
    bool any = in->count > 0;

    if (any) {
        *e = in->queue[in->first];
        in->first = (in->first + 1) % QUEUE_LENGTH;
        in->count--;
    }
    spin_unlock(&in->lock, flags);
    return any;
}

static void set_integer(lua_State *L, const char *name, lua_Integer n)
{
    lua_pushinteger(L, n);
    lua_setfield(L, -2, name);
}

static int read_input_method(lua_State *L)
{
    struct display_surface *d = display_check_canvas(L, 1);
    struct input_event e;

    luaL_argcheck(L, d->input, 1, "it takes no input");
    lua_newtable(L);
    for (lua_Integer i = 1; take_event(d->input, &e); i++) {
        lua_createtable(L, 0, 4);
        set_integer(L, "device", e.device);
        set_integer(L, "type", e.type);
        set_integer(L, "code", e.code);
        set_integer(L, "value", e.value);
        lua_rawseti(L, -2, i);
    }
    lua_pushinteger(L, (lua_Integer)d->input->lost);
    return 2;
}

const struct lua_function display_input_methods[] = {
    {"take_input", take_input_method, DISPLAY_CAPABILITY},
    {"focus", focus_method, DISPLAY_CAPABILITY},
    {"read_input", read_input_method, NULL},
    {0},
};
