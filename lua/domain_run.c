/*
 * The domain's own thread: makes the state, runs the chunk at the base of all
 * protected calls, finds out why it ended, closes the state and tells.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rayos/log.h>
#include <rayos/vfs.h>

#include "lua/domain.h"
#include "lua/message.h"
#include "lua/module.h"

#define MESSAGE_TEXT_MAX   2048
#define TRACEBACK_TEXT_MAX 8192

/* --- telling what an error object says --- */

static int call_tostring(lua_State *L)
{
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Push a text for the error object at `index`. */
static void push_error_text(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (domain_is_limit_error(L, index) || domain_must_stop()) {
        lua_pushliteral(L, "interrupted");
        return;
    }
    if (lua_type(L, index) == LUA_TSTRING) {
        lua_pushvalue(L, index);
        return;
    }
    /* Its __tostring may be anything: protected. */
    if (!lua_isnil(L, index)) {
        lua_pushcfunction(L, call_tostring);
        lua_pushvalue(L, index);
        if (lua_pcall(L, 1, 1, 0) == LUA_OK &&
            (lua_isnumber(L, index) ||
             luaL_getmetafield(L, index, "__tostring") != LUA_TNIL)) {
            if (!lua_isnumber(L, index))
                lua_pop(L, 1);
            return;
        }
        lua_pop(L, 1);
    }
    lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, index));
}

int domain_traceback(lua_State *L)
{
    push_error_text(L, 1);
    luaL_traceback(L, L, lua_tostring(L, -1), 1);
    return 1;
}

/* A copy in the kernel's heap, cut to `max` bytes; NULL: no memory. */
static char *copy_text(const char *text, size_t max)
{
    size_t length = strnlen(text, max);
    char *copy = kalloc(length + 1);

    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

static void keep(char **where, const char *text, size_t max)
{
    char *old = *where;

    *where = copy_text(text, max);
    kfree(old);
}

/* Message handler of the base: message and traceback go to the reason. */
int domain_base_handler(lua_State *L)
{
    struct domain *d = domain_of(L);

    push_error_text(L, 1);
    keep(&d->reason.message, lua_tostring(L, -1), MESSAGE_TEXT_MAX);
    luaL_traceback(L, L, NULL, 1);
    keep(&d->reason.traceback, lua_tostring(L, -1), TRACEBACK_TEXT_MAX);
    return 1;
}

/* --- running --- */

/* __gc errors and warn() go to the log. */
static void warn_to_log(void *ud, const char *text, int to_be_continued)
{
    struct domain *d = ud;
    size_t used = strlen(d->warning);

    snprintf(d->warning + used, sizeof(d->warning) - used, "%s", text);
    if (to_be_continued)
        return;
    if (d->warning[0] != '@') /* control messages such as "@on" */
        log_warn("lua", "%s: %s", d->name, d->warning);
    d->warning[0] = '\0';
}

/* Everything inside the base's protected call. */
static int run_chunk(lua_State *L)
{
    struct domain *d = domain_of(L);
    const char *name;
    int status, args = 0;

    module_open_standard(L);
    loader_open(L);
    domain_open_classes(L);
    name = lua_pushfstring(L, "=%s", d->name);
    if (d->file)
        status = loader_load_file(L, d->file);
    else
        status = loader_load_text(L, d->source, d->source_size, name);
    if (status != LUA_OK)
        return lua_error(L);
    if (d->args) {
        args = message_decode(L, d->args);
        message_free(d->args);
        d->args = NULL;
    }
    lua_call(L, args, 0);
    return 0;
}

/* A C library called exit() or abort() on the domain's thread. */
static void exit_called(struct thread *t, int status)
{
    struct domain *d = t->domain;

    d->exit_code = status;
    longjmp(d->exit_jump, 1);
}

static void reason_set(struct domain *d, enum domain_end kind, const char *text)
{
    d->reason.kind = kind;
    if (text)
        keep(&d->reason.message, text, MESSAGE_TEXT_MAX);
}

/* Limits first: whatever error they ended in is not the reason. */
static bool reason_from_pending(struct domain *d)
{
    char text[80];
    irqflags_t flags;
    char *why;

    if (d->pending & PENDING_EXIT) {
        kfree(d->reason.message);
        kfree(d->reason.traceback);
        d->reason = (struct domain_reason){.kind = END_EXIT,
                                           .code = d->exit_code};
        return true;
    }
    if (d->pending & PENDING_KILL) {
        flags = spin_lock(&d->lock);
        why = d->kill_message;
        d->kill_message = NULL;
        spin_unlock(&d->lock, flags);
        reason_set(d, END_KILLED, why ? why : "killed");
        kfree(why);
        return true;
    }
    if (d->pending & PENDING_BUDGET) {
        snprintf(text, sizeof(text),
                 "used more than %g s of CPU time without waiting",
                 (double)d->budget / 1e9);
        reason_set(d, END_BUDGET, text);
        return true;
    }
    return false;
}

/* Buffers of the auxiliary library say it with a plain error. */
static bool ended_for_memory(const struct domain *d, int status)
{
    return status == LUA_ERRMEM ||
           (status != LUA_OK && d->reason.message &&
            !strcmp(d->reason.message, "not enough memory"));
}

static void reason_from_status(struct domain *d, int status)
{
    char text[80];

    if (reason_from_pending(d))
        return;
    if (status == LUA_OK) {
        reason_set(d, END_EXIT, NULL);
    } else if (ended_for_memory(d, status)) {
        snprintf(text, sizeof(text), "not enough memory (the cap is %zu KiB)",
                 d->account->limit / 1024);
        reason_set(d, END_MEMORY, text);
    } else {
        reason_set(d, END_ERROR,
                   d->reason.message ? NULL : "error while handling an error");
    }
}

static void reason_from_exit(struct domain *d)
{
    char text[80];

    if (reason_from_pending(d))
        return;
    snprintf(text, sizeof(text), "a C library gave up (exit status %d)%s",
             d->exit_code, d->account->refused ? ", out of memory" : "");
    reason_set(d, d->account->refused ? END_MEMORY : END_ERROR, text);
}

static int run_state(struct domain *d)
{
    lua_State *L = lua_newstate(domain_alloc, d);

    if (!L)
        return LUA_ERRMEM;
    d->L = L;
    luser_extra(L)->track = &d->track;
    luser_extra(L)->from = NULL;
    d->track.running = L;
    lua_setwarnf(L, warn_to_log, d);
    domain_limit_start(d);
    lua_pushcfunction(L, domain_base_handler);
    lua_pushcfunction(L, run_chunk);
    return lua_pcall(L, 0, 0, 1);
}

/* Finalizers run here, under the cap and a budget of their own, and may not
 * wait for anything. If one of them makes a C library exit, the rest is given
 * up. */
static void close_state(struct domain *d)
{
    d->state = DOMAIN_CLOSING;
    fflush(NULL);
    thread_cancel(thread_current());
    if (d->L && setjmp(d->exit_jump) == 0) {
        domain_limit_closing(d);
        lua_close(d->L);
    }
    d->L = NULL;
    domain_limit_end();
    thread_current()->exit_hook = NULL;
    heap_destroy(&d->heap);
}

static void domain_log_end(const struct domain *d)
{
    if (domain_ended_well(d))
        log_debug("domain", "%s (%u) ended", d->name, d->id);
    else if (d->reason.kind == END_KILLED) /* as somebody wanted */
        log_info("domain", "%s (%u) was killed: %s", d->name, d->id,
                 d->reason.message ? d->reason.message : "");
    else
        log_warn("domain", "%s (%u) ended: %s: %s", d->name, d->id,
                 domain_end_name(d->reason.kind),
                 d->reason.message ? d->reason.message : "");
}

void domain_main(void *arg)
{
    struct domain *d = arg;

    d->state = DOMAIN_RUNNING;
    thread_current()->exit_hook = exit_called;
    if (setjmp(d->exit_jump) == 0) {
        reason_from_status(d, run_state(d));
    } else {
        domain_limit_unwind(d->L);
        reason_from_exit(d);
    }
    if (d->console)
        domain_console_release(d);
    close_state(d);
    domain_log_end(d);
    domain_event_end(d);
    domain_dead(d);
    domain_put(d);
}
