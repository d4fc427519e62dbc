/*
 * LPeg's patterns, unmodified but that a pattern which is nested so deep that
 * LPeg's compiler, which recurses over it, could overrun the C stack is refused
 * where it is first used. Domain's thread.
 */
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "lua/domain.h"
#include "lua/limit_lpeg.h"
#include "lua/module.h"

#include <lauxlib.h>
#include <lptypes.h>
#include <lptree.h>
#include <lpcode.h>

/* C stack that the compiler takes for a level, with room to spare. */
#define STACK_PER_LEVEL 512

/* A character and the like cannot match nothing, so that a sequence after it is
 * handled by loops. */
static bool is_plain(const TTree *t)
{
    return t->tag == TChar || t->tag == TSet || t->tag == TAny;
}

/* Is the tree at most `left` calls deep, as the compiler walks it? */
static bool tree_fits(const TTree *t, size_t left)
{
    while (numsiblings[t->tag]) {
        bool loops = t->tag == TRule || (t->tag == TSeq && is_plain(sib1(t)));

        if (!left || !tree_fits(sib1(t), left - 1))
            return false;
        if (numsiblings[t->tag] == 1)
            return true;
        t = sib2(t);
        left -= !loops;
    }
    return true;
}

/* Compiled before: it did fit. */
static void *pattern_checked(lua_State *L, int index, const char *class)
{
    Pattern *p = luaL_checkudata(L, index, class);

    if (!p->code && !tree_fits(p->tree, domain_stack_left() / STACK_PER_LEVEL))
        luaL_error(L, "pattern too deep");
    return p;
}

#define luaL_checkudata pattern_checked
#define luaopen_lpeg    open_stock
static int open_stock(lua_State *L);
#include <lptree.c>

#undef luaL_checkudata
#undef luaopen_lpeg

/* In place of lp_gc, which would not touch a pattern that is too deep. */
static int pattern_gc(lua_State *L)
{
    realloccode(L, luaL_checkudata(L, 1, PATTERN_T), 0);
    return 0;
}

static int open_limited(lua_State *L)
{
    open_stock(L);
    luaL_getmetatable(L, PATTERN_T);
    lua_pushcfunction(L, pattern_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
    return 1;
}

LUA_MODULE(lpeg, .open = open_limited);
