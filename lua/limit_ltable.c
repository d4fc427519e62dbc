/*
 * Lua's tables, unmodified but for the walk over all keys of a table that
 * grows: a script can choose keys that all collide in the new table, which then
 * takes the square of their number. A domain that must end leaves it there; the
 * table is whole, if not complete, and its memory goes with the domain.
 * Domain's thread.
 */
#define LUA_CORE
#include <lprefix.h>

#include <limits.h>
#include <math.h>

#include <lua.h>
#include <ldebug.h>
#include <lobject.h>
#include <lstate.h>
#include <ltable.h>

#include "lua/domain.h"

static bool must_end(void)
{
    const struct domain *d = domain_current();

    return (d->pending & PENDING_FINAL) && d->state == DOMAIN_RUNNING;
}

/* Where no error may be raised the state is NULL. */
static inline void getnodekey_checked(lua_State *L, TValue *key,
                                      const Node *node)
{
    if (L && domain_must_stop() && must_end())
        domain_raise(L);
    key->value_ = node->u.key_val;
    key->tt_ = node->u.key_tt;
}

#undef LUA_CORE
#undef getnodekey
#define getnodekey getnodekey_checked
#include <ltable.c>
