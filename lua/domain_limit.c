/*
 * Limits that a script cannot swallow. Who wants a domain to stop sets a bit in
 * `pending` and posts an asynchronous call; on the CPU that runs the domain, in
 * interrupt context, that call puts a hook on the running coroutine and on all
 * that wait for it. The hook raises an error at every instruction and call
 * until the base of the domain (or console.run, for Ctrl-C) is reached, so that
 * pcall, coroutines and __close handlers gain nothing by catching it. While
 * something is pending a CPU time limit repeats this every few milliseconds,
 * because a script may take hooks away and coroutines may just be changing.
 *
 * Functions marked INTERRUPT run in interrupt context; the others on the
 * domain's own thread, unless said.
 */
#define LUA_CORE
#include <lua.h>
#include <lauxlib.h>

#include <lstate.h>
#include <ldebug.h>
#include <lgc.h>

#include <errno.h>

#include "lua/domain.h"

/* No vector registers: they belong to the interrupted thread. */
#define INTERRUPT __attribute__((target("general-regs-only"), noinline))

#define REPEAT_NS (5 * NS_PER_MS)
/* Repeats after which a domain that does not end must not be in the way. */
#define REPEATS_PATIENT 200
#define CLOSE_BUDGET_NS NS_PER_SEC

/* Its address is the error object. */
static const char limit_marker;

bool domain_is_limit_error(lua_State *L, int index)
{
    return lua_islightuserdata(L, index) &&
           lua_touserdata(L, index) == (const void *)&limit_marker;
}

/* A Ctrl-C counts only inside console.run. */
INTERRUPT static bool limit_applies(const struct domain *d)
{
    uint32_t pending = d->pending;

    return (pending & PENDING_FINAL) ||
           ((pending & PENDING_INTERRUPT) && d->run_depth);
}

int domain_raise(lua_State *L)
{
    lua_pushlightuserdata(L, (void *)(uintptr_t)&limit_marker);
    return lua_error(L);
}

void domain_check(lua_State *L)
{
    if (domain_must_stop() && limit_applies(domain_of(L)))
        domain_raise(L);
}

/* The message handlers must run to tell the reason; while a state closes, the
 * finalizers of C libraries are trusted to give back what they hold. */
static bool call_is_exempt(lua_State *L, lua_Debug *ar)
{
    lua_CFunction fn;

    if (ar->event != LUA_HOOKCALL && ar->event != LUA_HOOKTAILCALL)
        return false;
    lua_getinfo(L, "f", ar);
    fn = lua_tocfunction(L, -1);
    lua_pop(L, 1);
    return fn == domain_traceback || fn == domain_base_handler ||
           (fn && domain_of(L)->state == DOMAIN_CLOSING);
}

/* Message handlers are called by the error itself, still inside the hook: they
 * must not find hooks switched off there. */
static void limit_hook(lua_State *L, lua_Debug *ar)
{
    if (!limit_applies(domain_of(L))) {
        lua_sethook(L, NULL, 0, 0);
    } else if (!call_is_exempt(L, ar)) {
        L->allowhook = 1;
        domain_raise(L);
    }
}

bool domain_has_limit_hook(lua_State *L)
{
    return L->hook == limit_hook;
}

/*
 * lua_sethook, for interrupt context. Hooks are allowed again as well: a loop
 * in a hook function or in a finalizer, where Lua forbids them, must stop too.
 */
INTERRUPT static void hook_install(lua_State *L)
{
    L->hook = limit_hook;
    L->basehookcount = 1;
    L->hookcount = 1;
    L->hookmask = LUA_MASKCALL | LUA_MASKCOUNT;
    L->allowhook = 1;
    for (CallInfo *ci = L->ci; ci; ci = ci->previous)
        if (isLua(ci))
            ci->u.l.trap = 1;
}

INTERRUPT static void hook_install_chain(struct domain *d)
{
    lua_State *L = d->track.running;

    while (L) {
        hook_install(L);
        L = luser_extra(L)->from;
    }
}

/* The CPU time limit was reached: the budget, or time to repeat. */
INTERRUPT static void limit_reached(struct thread *t)
{
    struct domain *d = t->domain;
    nstime_t now = thread_cpu_time(t);

    if (now >= d->budget_end) {
        if (!(d->pending & PENDING_BUDGET))
            domain_event_overrun(d);
        d->pending |= PENDING_BUDGET;
    }
    if (limit_applies(d)) {
        hook_install_chain(d);
        thread_set_cpu_limit(REPEAT_NS, limit_reached);
        if ((d->pending & PENDING_FINAL) && ++d->repeats == REPEATS_PATIENT)
            thread_set_priority(t, PRIO_BACKGROUND);
    } else if (d->budget_end != TIME_NEVER) {
        thread_set_cpu_limit(d->budget_end - now, limit_reached);
    }
}

/* Somebody posted: a kill, or a Ctrl-C, which is known to be meant for what
 * runs only here, where run_depth cannot change. */
INTERRUPT static void limit_async(struct thread *t)
{
    struct domain *d = t->domain;

    if (d->interrupt_asked) {
        d->interrupt_asked = false;
        if (d->run_depth) {
            d->pending |= PENDING_INTERRUPT;
            thread_cancel(t);
        }
    }
    if (limit_applies(d)) {
        hook_install_chain(d);
        thread_set_cpu_limit(REPEAT_NS, limit_reached);
    }
}

/* Both: any context but NMI, d->lock held (it guards d->thread). */
void domain_limit_post(struct domain *d, uint32_t bits)
{
    d->pending |= bits;
    if (d->thread) {
        thread_cancel(d->thread);
        thread_post_async(d->thread);
    }
}

void domain_limit_post_interrupt(struct domain *d)
{
    d->interrupt_asked = true;
    domain_limit_post(d, 0);
}

void domain_limit_rearm(struct domain *d)
{
    if (!d->budget || d->state != DOMAIN_RUNNING)
        return;
    d->budget_end = thread_cpu_time(thread_current()) + d->budget;
    if (!d->pending)
        thread_set_cpu_limit(d->budget, limit_reached);
}

void domain_limit_start(struct domain *d)
{
    d->budget_end = TIME_NEVER;
    thread_current()->async_fn = limit_async;
    domain_limit_rearm(d);
    /* What was posted before async_fn was there. */
    if (d->pending)
        thread_post_async(thread_current());
}

void domain_limit_raise_own(lua_State *L, uint32_t bit)
{
    struct domain *d = domain_of(L);

    d->pending |= bit;
    hook_install_chain(d);
    thread_set_cpu_limit(REPEAT_NS, limit_reached);
    domain_raise(L);
}

void domain_limit_closing(struct domain *d)
{
    lua_State *L = d->L;

    d->pending = 0;
    d->track.running = L;
    lua_sethook(L, NULL, 0, 0);
    L->allowhook = 1;
    d->budget_end = thread_cpu_time(thread_current()) + CLOSE_BUDGET_NS;
    thread_set_cpu_limit(CLOSE_BUDGET_NS, limit_reached);
}

void domain_limit_end(void)
{
    thread_set_cpu_limit(TIME_NEVER, NULL);
    thread_current()->async_fn = NULL;
}

void domain_limit_unwind(lua_State *L)
{
    /* exit() jumped over whatever Lua was doing on its own C stack. */
    L->errorJmp = NULL;
    L->errfunc = 0;
    L->nCcalls = 0;
    G(L)->gcstp &= (lu_byte)~GCSTPGC;
}

void domain_limit_clear_interrupt(struct domain *d)
{
    d->pending &= ~PENDING_INTERRUPT;
    if (!(d->pending & PENDING_FINAL))
        thread_test_and_clear_cancel();
    domain_limit_rearm(d);
}

bool domain_wait_again(lua_State *L, int err)
{
    struct domain *d = domain_of(L);

    domain_limit_rearm(d);
    if (err != -ECANCELED)
        return false;
    domain_check(L);
    if (d->state != DOMAIN_RUNNING)
        luaL_error(L, "waiting is not possible while the domain ends");
    thread_test_and_clear_cancel();
    return true;
}

size_t domain_stack_left(void)
{
    char here;

    return (size_t)(&here - (char *)thread_current()->stack);
}

void domain_check_stack(lua_State *L, size_t need)
{
    if (__builtin_expect(domain_stack_left() < need, 0))
        luaL_error(L, "C stack overflow");
}
