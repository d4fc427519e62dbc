/*
 * Modules of the kernel for Lua. Each is declared where it is defined; the
 * linker gathers the descriptors, and `require` finds them by name:
 *
 *	static const struct lua_function sys_functions[] = {
 *	    {"sleep", sys_sleep, NULL},
 *	    {"poweroff", sys_poweroff, "power"},
 *	    {0}};
 *	LUA_MODULE(sys, .functions = sys_functions);
 *
 * What a domain's capabilities do not cover answers nil, "not permitted: ...",
 * "EPERM". Conventions: what can happen is answered by nil, message, code;
 * misuse raises an error. Domain's thread.
 */
#ifndef RAYOS_LUA_MODULE_H
#define RAYOS_LUA_MODULE_H

#include <lua.h>
#include <lauxlib.h>

#include "lua/domain.h"

struct lua_function {
    const char *name; /* NULL ends the list */
    lua_CFunction fn;
    const char *capability; /* NULL: for all */
};

struct lua_module {
    const char *name;
    const struct lua_function *functions;
    /* More than functions: called with the module's table on top. May be NULL.
     */
    void (*extend)(lua_State *L);
    /* A library that is not ours (LPeg): replaces all of the above. */
    lua_CFunction open;
};

#define LUA_MODULE(ident, ...)                                              \
    static const struct lua_module lua_module_##ident                       \
        __attribute__((used, section("rayos_lua_modules"), aligned(8))) = { \
            .name = #ident, __VA_ARGS__}

/* Set the functions of the list in the table on top, refusals in place of
 * those that the domain may not use. */
void module_set_functions(lua_State *L, const struct lua_function *list);
/* Is it there, or push nil, message, "EPERM" (then answer 3 results). */
bool module_permits(lua_State *L, const char *capability);
/* Push nil, message, code for a negative errno; `what` (may be NULL) stands
 * before the message. Returns 3. */
int module_fail(lua_State *L, int err, const char *what);
/* Make the metatable `name` for a userdata class and leave it on the stack:
 * methods in __index, metamethods beside it, hidden from getmetatable. */
void module_new_class(lua_State *L, const char *name,
                      const struct lua_function *methods,
                      const luaL_Reg *metamethods);
/* A time-out in seconds at `index`: a deadline; absent: TIME_NEVER. */
nstime_t module_deadline(lua_State *L, int index);

/* Standard libraries with our limits, `require`, our own modules
 * (lua/openlibs.c, lua/loader.c). */
void module_open_standard(lua_State *L);
void loader_open(lua_State *L);
/* The classes of handles and envelopes, which may arrive without `require`
 * (lua/mod_domain.c). */
void domain_open_classes(lua_State *L);
/* Load a text chunk from a file; as luaL_loadfile. */
int loader_load_file(lua_State *L, const char *path);
/* Load text; bytecode is refused. The source is checked for a pending stop
 * while it is compiled. */
int loader_load_text(lua_State *L, const char *text, size_t size,
                     const char *name);

#endif
