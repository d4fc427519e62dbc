/* What the files of module `sys` share. Domain's thread. */
#ifndef RAYOS_LUA_MOD_SYS_H
#define RAYOS_LUA_MOD_SYS_H

#include "lua/module.h"

/* Fields of the table on top. */
void sys_set_string(lua_State *L, const char *name, const char *value);
void sys_set_integer(lua_State *L, const char *name, uint64_t value);
void sys_set_seconds(lua_State *L, const char *name, nstime_t ns);

/* mod_sys_list.c */
int sys_memory(lua_State *L);
int sys_cpus(lua_State *L);
int sys_threads(lua_State *L);
int sys_interrupts(lua_State *L);
int sys_units(lua_State *L);

/* mod_sys_time.c */
int sys_time(lua_State *L);
int sys_set_time(lua_State *L);
int sys_random(lua_State *L);
int sys_entropy(lua_State *L);

/* Push sys.test (mod_sys_test.c). */
void sys_open_test(lua_State *L);
/* May this domain use test hooks? Or push nil, message, code. */
bool sys_test_permitted(lua_State *L);
/* mod_sys_screen.c: what of sys.test has to do with screen and keyboard. */
extern const struct lua_function sys_screen_functions[];

#endif
