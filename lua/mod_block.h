/* What the files of module `block` share. */
#ifndef LUA_MOD_BLOCK_H
#define LUA_MOD_BLOCK_H

#include "lua/module.h"

#define BLOCK_WRITE_CAPABILITY "block.write"

/* lua/mod_block_overlay.c: functions of the module */
int block_lua_overlay(lua_State *L);
int block_lua_overlay_info(lua_State *L);
int block_lua_remove_overlay(lua_State *L);

#endif
