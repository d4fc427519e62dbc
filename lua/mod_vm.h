/* What the files of module `vm` share. */
#ifndef LUA_MOD_VM_H
#define LUA_MOD_VM_H

#include "lua/module.h"
#include "vmm/vm.h"

#define VM_CAPABILITY "vm"

/* The VM of a handle; an error when there is none. */
struct vm *vm_check(lua_State *L, int index);

/* lua/mod_vm_config.c: the definition at 1; an error that names the field which
 * is wrong. */
void vm_take_config(lua_State *L, struct vm_config *c);

/* lua/mod_vm_display.c: the field `display` of the definition at 1, and methods
 * of handles. */
void vm_take_display(lua_State *L, struct vm_config *c);
extern const struct lua_function vm_display_methods[];

/* lua/mod_vm_net.c: networks() -> list */
int vm_networks(lua_State *L);

/* lua/mod_vm_console.c */
extern const struct lua_function vm_console_methods[];

/* lua/mod_vm_trace.c */
extern const struct lua_function vm_trace_methods[];

#endif
