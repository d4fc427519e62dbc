/*
 * Consoles of VMs, of module `vm`, as lua/vm.lua needs them. Domain's thread.
 *
 *	v:console_read(position, seconds) -> text, position after it
 *	v:console_write(text) -> bytes that the guest has room for
 *	v:power_button() -> true
 */
#include <errno.h>

#include "lua/mod_vm.h"
#include "vmm/devices/console.h"
#include "vmm/devices/power.h"

#define PART 4096

static struct console *check_console(lua_State *L)
{
    return vm_check(L, 1)->console;
}

static int method_console_read(lua_State *L)
{
    struct console *c = check_console(L);
    uint64_t at = (uint64_t)luaL_checkinteger(L, 2);
    nstime_t deadline = module_deadline(L, 3);
    char bytes[PART];
    ssize_t n;

    if (!c)
        return module_fail(L, -ENODEV, "the VM was never started");
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
    struct console *c = check_console(L);
    size_t size;
    const char *text = luaL_checklstring(L, 2, &size);

    if (!c)
        return module_fail(L, -ENODEV, "the VM was never started");
    lua_pushinteger(L, (lua_Integer)console_type(c, text, size));
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
    {"power_button", method_power_button, VM_CAPABILITY},
    {0}};
