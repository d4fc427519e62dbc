/*
 * Consoles of VMs, of module `vm`, as lua/vm.lua needs them. Domain's thread.
 * `port`: the name of a port of virtio-console; none: the first serial line.
 *
 *	v:console_read(position, seconds, port) -> text, position after it
 *	v:console_write(text, port) -> bytes that the guest has room for
 *	v:console_size(columns, rows) -> true
 *	v:ports() -> { { name =, open =, written =, waiting = }, ... }
 *	v:power_button() -> true
 */
#include <errno.h>

#include "lua/mod_vm.h"
#include "vmm/devices/guest_ports.h"
#include "vmm/devices/power.h"

#define PART 4096

static int no_console(lua_State *L, int port)
{
    if (lua_isnoneornil(L, port))
        return module_fail(L, -ENODEV, "the VM was never started");
    if (!vm_check(L, 1)->guest_ports)
        return module_fail(L, -ENODEV,
                           "the VM was never started, or has no ports");
    return module_fail(L, -ENOENT, lua_tostring(L, port));
}

/* NULL: there is none. */
static struct console *check_console(lua_State *L, int port)
{
    struct vm *vm = vm_check(L, 1);
    struct guest_port *p;

    if (lua_isnoneornil(L, port))
        return vm->console;
    p = guest_port_find(vm, luaL_checkstring(L, port));
    return p ? &p->console : NULL;
}

static int method_console_read(lua_State *L)
{
    struct console *c = check_console(L, 4);
    uint64_t at = (uint64_t)luaL_checkinteger(L, 2);
    nstime_t deadline = module_deadline(L, 3);
    char bytes[PART];
    ssize_t n;

    if (!c)
        return no_console(L, 4);
    do
        n = console_read(c, &at, bytes, sizeof(bytes), deadline);
    while (domain_wait_again(L, (int)n));
    if (n < 0)
        return module_fail(L, (int)n, NULL);
    lua_pushlstring(L, bytes, (size_t)n);
    lua_pushinteger(L, (lua_Integer)at);
    return 2;
}

static int method_console_write(lua_State *L)
{
    struct console *c = check_console(L, 3);
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);

    if (!c)
        return no_console(L, 3);
    lua_pushinteger(L, (lua_Integer)console_type(c, text, size));
    return 1;
}

static int method_console_size(lua_State *L)
{
    struct guest_ports *ports = vm_check(L, 1)->guest_ports;
    lua_Integer columns = luaL_checkinteger(L, 2);
    lua_Integer rows = luaL_checkinteger(L, 3);

    luaL_argcheck(L, columns > 0 && columns <= UINT16_MAX, 2, "1 to 65535");
    luaL_argcheck(L, rows > 0 && rows <= UINT16_MAX, 3, "1 to 65535");
    if (!ports)
        return module_fail(L, -ENODEV,
                           "the VM was never started, or has no ports");
    guest_ports_resize(ports, (uint16_t)columns, (uint16_t)rows);
    lua_pushboolean(L, true);
    return 1;
}

static void push_port(lua_State *L, struct guest_port *p)
{
    lua_createtable(L, 0, 4);
    lua_pushstring(L, p->name);
    lua_setfield(L, -2, "name");
    lua_pushboolean(L, p->open);
    lua_setfield(L, -2, "open");
    lua_pushinteger(L, (lua_Integer)console_written(&p->console));
    lua_setfield(L, -2, "written");
    lua_pushinteger(L, (lua_Integer)console_waiting(&p->console));
    lua_setfield(L, -2, "waiting");
}

static int method_ports(lua_State *L)
{
    struct guest_ports *ports = vm_check(L, 1)->guest_ports;

    lua_newtable(L);
    for (unsigned i = 0; ports && i < ports->count; i++) {
        push_port(L, &ports->port[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int method_power_button(lua_State *L)
{
    struct vm *vm = vm_check(L, 1);
    int err = 0;

    mutex_lock(&vm->lock);
    if (vm->state == VM_RUNNING)
        power_press(vm);
    else
        err = -EBUSY;
    mutex_unlock(&vm->lock);
    if (err)
        return module_fail(L, err, vm_state_name(vm->state));
    lua_pushboolean(L, true);
    return 1;
}

const struct lua_function vm_console_methods[] = {
    {"console_read", method_console_read, VM_CAPABILITY},
    {"console_write", method_console_write, VM_CAPABILITY},
    {"console_size", method_console_size, VM_CAPABILITY},
    {"ports", method_ports, NULL},
    {"power_button", method_power_button, VM_CAPABILITY},
    {0}};
