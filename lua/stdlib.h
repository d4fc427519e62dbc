/* Our openers of standard libraries, for openlibs.c only. Each is called as
 * the stock luaopen_*. */
#ifndef RAYOS_LUA_STDLIB_H
#define RAYOS_LUA_STDLIB_H

#include <lua.h>

int limit_open_coroutine(lua_State *L); /* limit_corolib.c */
int limit_open_table(lua_State *L);     /* limit_tablib.c */
int limit_open_string(lua_State *L);    /* limit_strlib.c */
int files_open_io(lua_State *L);        /* files.c */
int files_open_os(lua_State *L);
int guard_open_debug(lua_State *L); /* guard.c */

#endif
