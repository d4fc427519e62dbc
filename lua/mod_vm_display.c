/*
 * Displays of VMs, of module `vm`. Domain's thread.
 *
 *	display = {width=, height=} in vm.define: virtio-gpu, keyboard, tablet
 *	v:display() -> {active, width, height, frames, frames_total, pixels,
 *	commands, errors, resources, memory, keyboard, tablet, events, dropped,
 *waiting}; nil, message, "ENODEV" without one v:input(type, code, value):
 *straight into the guest, focused or not; a batch ends with type 0
 */
#include <errno.h>

#include <rayos/input.h>

#include "lua/mod_vm.h"
#include "vmm/devices/vm_display.h"

#define SIDE_MIN 64
#define SIDE_MAX 4095

static uint32_t take_side(lua_State *L, const char *key)
{
    int is_integer;
    lua_Integer n;

    lua_getfield(L, -1, key);
    n = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || n < SIDE_MIN || n > SIDE_MAX)
        luaL_error(L,
                   "vm.define: display.%s must be a whole number of %d to "
                   "%d pixels",
                   key, SIDE_MIN, SIDE_MAX);
    lua_pop(L, 1);
    return (uint32_t)n;
}

void vm_take_display(lua_State *L, struct vm_config *c)
{
    int type = lua_getfield(L, 1, "display");

    if (type == LUA_TTABLE) {
        c->display_width = take_side(L, "width");
        c->display_height = take_side(L, "height");
    } else if (type != LUA_TNIL) {
        luaL_error(L, "vm.define: display must be a table {width=, height=}");
    }
    lua_pop(L, 1);
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool value)
{
    lua_pushboolean(L, value);
    lua_setfield(L, -2, name);
}

static int method_display(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    struct vm_display_stats s;

    if (!vm_display_get_stats(vm, &s))
        return module_fail(L, -ENODEV, vm->config.name);
    lua_newtable(L);
    set_flag(L, "active", s.active);
    set_flag(L, "keyboard", s.keyboard);
    set_flag(L, "tablet", s.tablet);
    set_number(L, "width", s.width);
    set_number(L, "height", s.height);
    set_number(L, "frames", s.frames);
    set_number(L, "frames_total", s.frames_total);
    set_number(L, "pixels", s.pixels);
    set_number(L, "commands", s.commands);
    set_number(L, "errors", s.errors);
    set_number(L, "resources", s.resources);
    set_number(L, "memory", s.memory);
    set_number(L, "events", s.events);
    set_number(L, "dropped", s.dropped);
    set_number(L, "waiting", s.waiting);
    return 1;
}

static int method_input(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    lua_Integer type = luaL_checkinteger(L, 2);
    lua_Integer code = luaL_optinteger(L, 3, 0);
    lua_Integer value = luaL_optinteger(L, 4, 0);
    int err;

    luaL_argcheck(L, type >= 0 && type <= INPUT_ABS, 2, "no type of events");
    luaL_argcheck(L, code >= 0 && code < KEY_COUNT, 3, "no code of an event");
    luaL_argcheck(L, value >= INT32_MIN && value <= INT32_MAX, 4,
                  "32 bits at most");
    err = vm_display_inject(vm, (uint16_t)type, (uint16_t)code, (int32_t)value);
    if (err)
        return module_fail(L, err, vm->config.name);
    lua_pushboolean(L, true);
    return 1;
}

const struct lua_function vm_display_methods[] = {
    {"display", method_display, NULL},
    {"input", method_input, VM_CAPABILITY},
    {0}};
