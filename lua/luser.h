/*
 * What we tell Lua's own sources, through LUA_USER_H: the running coroutine is
 * tracked, so that an interrupt can set a hook on it; and hashes have a seed
 * that a script does not know. Lua is compiled otherwise unmodified.
 *
 * Invariant: following `from` from `running` meets every coroutine that is
 * running or waits for one it resumed, and ends at the main thread; coroutines
 * that have since yielded or finished may be met as well. An interrupt may look
 * at any moment: every update is one store, in this order.
 */
#ifndef RAYOS_LUSER_H
#define RAYOS_LUSER_H

unsigned int luser_make_seed(void);

#define luai_makeseed(L) luser_make_seed()

/* newlib has a macro, log(x) / ln 2, besides the function, which is exact for
 * powers of two. <math.h> comes first in lmathlib.c, the only user. */
#undef log2

/* What one domain tracks; the first member of struct domain. */
struct luser_track {
    struct lua_State *volatile running;
};

/* In the extra space before every lua_State. */
struct luser_extra {
    struct luser_track *track;
    struct lua_State *volatile from; /* who resumed it; NULL: main thread */
};

#undef LUA_EXTRASPACE
#define LUA_EXTRASPACE (sizeof(struct luser_extra))

#define luser_extra(L) \
    ((struct luser_extra *)((char *)(L) - sizeof(struct luser_extra)))

/* Expanded in lua_resume, whose parameter `from` it names. */
#define luai_userstateresume(L, n) luser_resume(L, from)
#define luai_userstatefree(L, L1)  luser_free(L1)

static inline void luser_resume(struct lua_State *co, struct lua_State *from)
{
    luser_extra(co)->from = from;
    luser_extra(co)->track->running = co;
}

/* A dying coroutine leaves the chain, if it is in it. */
static inline void luser_free(struct lua_State *co)
{
    struct luser_track *track = luser_extra(co)->track;
    struct lua_State *l = track->running;

    if (l == co) {
        track->running = luser_extra(co)->from;
        return;
    }
    while (l && luser_extra(l)->from != co)
        l = luser_extra(l)->from;
    if (l)
        luser_extra(l)->from = luser_extra(co)->from;
}

#endif
