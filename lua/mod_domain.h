/* What the files of module `domain` share. Domain's thread. */
#ifndef RAYOS_LUA_MOD_DOMAIN_H
#define RAYOS_LUA_MOD_DOMAIN_H

#include "lua/module.h"

/* The domain of a handle at `index`, borrowed; raises when it is none. */
struct domain *domain_check_handle(lua_State *L, int index);
/* Push an empty handle, to be filled with a reference that it then owns. */
struct domain **domain_new_handle(lua_State *L);
/* Make the class of handles. */
void handle_open(lua_State *L, const struct lua_function *methods);
/* Make the class of envelopes. */
void envelope_open(lua_State *L);
/* domain.receive, handle:send, handle:call (mod_mail.c) */
int mail_receive(lua_State *L);
int mail_send(lua_State *L);
int mail_call(lua_State *L);
/* domain.spawn (mod_spawn.c) */
int domain_spawn(lua_State *L);

#endif
