/*
 * LPeg's matching machine, unmodified but for its assertion at every
 * instruction, which becomes a look whether the domain must stop (patterns can
 * backtrack for years), and for a smaller first stack, because matches nest
 * through match-time captures. Domain's thread.
 */
#include <assert.h>
#include <limits.h>

#include "lua/domain.h"
#include "lua/limit_lpeg.h"

#include <lptypes.h>
#include <lpcap.h>
#include <lpvm.h>

/* The assertions in functions without a state say less. */
static lua_State *const L = NULL;

static inline void stop_checked(lua_State *state)
{
    if (state && domain_must_stop())
        domain_check(state);
}

#define INITBACK 64
#undef assert
#define assert(cond) stop_checked(L)
#define match        lpeg_match_stock
const char *match(lua_State *L, const char *o, const char *s, const char *e,
                  Instruction *op, Capture *capture, int ptop);
#pragma GCC diagnostic ignored "-Wshadow"
#include <lpvm.c>

#undef match
const char *match(lua_State *state, const char *o, const char *s, const char *e,
                  Instruction *op, Capture *capture, int ptop)
{
    domain_check_stack(state, LIMIT_STACK_RESERVE);
    return lpeg_match_stock(state, o, s, e, op, capture, ptop);
}
