/*
 * Module `console`: the domain's own tty, raw, and the protected call that
 * Ctrl-C ends. Domain's thread; console_interrupt from any context.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lua/module.h"

#define READ_SIZE 512

static struct tty *own_tty(lua_State *L)
{
    struct tty *t = domain_of(L)->console;

    if (!t)
        luaL_error(L, "this domain has no console");
    return t;
}

/* Raw bytes, or nil when none came in time. */
static int console_read(lua_State *L)
{
    struct tty *t = own_tty(L);
    nstime_t deadline = module_deadline(L, 1);
    char buf[READ_SIZE];
    ssize_t n;

    fflush(stdout);
    do
        n = tty_read_raw(t, buf, sizeof(buf), deadline);
    while (domain_wait_again(L, (int)n));
    if (n < 0)
        return module_fail(L, (int)n, NULL);
    lua_pushlstring(L, buf, (size_t)n);
    return 1;
}

static void write_all(lua_State *L, struct tty *t, const char *s, size_t size)
{
    while (size) {
        ssize_t n = tty_write(t, s, size);

        if (domain_wait_again(L, (int)n))
            continue;
        if (n <= 0)
            luaL_error(L, "console: %s", strerror((int)-n));
        s += n;
        size -= (size_t)n;
    }
}

static int console_write(lua_State *L)
{
    struct tty *t = own_tty(L);
    int count = lua_gettop(L);

    fflush(stdout);
    for (int i = 1; i <= count; i++) {
        size_t size;
        const char *s = luaL_checklstring(L, i, &size);

        write_all(L, t, s, size);
    }
    return 0;
}

static int console_size(lua_State *L)
{
    struct tty *t = own_tty(L);

    if (!t->columns)
        return 0;
    lua_pushinteger(L, t->columns);
    lua_pushinteger(L, t->rows);
    return 2;
}

static int console_name(lua_State *L)
{
    if (domain_of(L)->console)
        lua_pushstring(L, domain_of(L)->console->name);
    else
        lua_pushnil(L);
    return 1;
}

/* Ctrl-C was typed. Any context. By id, as the domain may just have gone. */
static void console_interrupt(struct tty *t, void *arg)
{
    uint32_t id = (uint32_t)(uintptr_t)arg;
    struct domain *d = domain_next(id - 1);

    (void)t;
    if (!d)
        return;
    if (d->id == id)
        domain_interrupt(d);
    domain_put(d);
}

static void run_begin(struct domain *d)
{
    if (d->run_depth++ || !d->console)
        return;
    tty_set_interrupt(d->console, console_interrupt, (void *)(uintptr_t)d->id);
    tty_set_interruptible(d->console, true);
}

/*
 * Only the outermost forgets a Ctrl-C; an inner one passes it on. true: there
 * was one.
 */
static bool run_end(lua_State *L)
{
    struct domain *d = domain_of(L);
    bool interrupted;

    if (--d->run_depth) {
        domain_check(L);
        return false;
    }
    if (d->console)
        tty_set_interruptible(d->console, false);
    interrupted = d->pending & PENDING_INTERRUPT;
    domain_limit_clear_interrupt(d);
    domain_check(L);
    return interrupted;
}

/* Call what is on the stack above the handler. A hook that the script has set
 * ends with it, or it would run in the caller, where Ctrl-C does not reach. */
static int run_protected(lua_State *L)
{
    lua_Hook hook = lua_gethook(L);
    int mask = lua_gethookmask(L), count = lua_gethookcount(L);
    int status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);

    if (lua_gethook(L) != hook)
        lua_sethook(L, hook, mask, count);
    return status;
}

static void push_failure(lua_State *L, int status, bool interrupted)
{
    if (status == LUA_ERRMEM && !interrupted) {
        lua_settop(L, 1);
        lua_gc(L, LUA_GCCOLLECT);
        lua_pushliteral(L, "not enough memory");
    } else if (status == LUA_OK || lua_type(L, -1) != LUA_TSTRING) {
        /* It came when there was nothing left to interrupt, or the handler
         * itself failed. */
        lua_settop(L, 1);
        lua_pushstring(L, interrupted ? "interrupted"
                                      : "error while handling an error");
    }
}

/* interrupts(on): does Ctrl-C interrupt what console.run runs, or is it a byte
 * to be read? */
static int console_interrupts(lua_State *L)
{
    struct tty *t = own_tty(L);

    luaL_checktype(L, 1, LUA_TBOOLEAN);
    tty_set_interruptible(t, lua_toboolean(L, 1) && domain_of(L)->run_depth);
    return 0;
}

/*
 * console.run(f, ...): true and the results, or false and the error with its
 * traceback. While it runs Ctrl-C ends it.
 */
static int console_run(lua_State *L)
{
    bool interrupted;
    int status;

    luaL_checkany(L, 1);
    lua_pushcfunction(L, domain_traceback);
    lua_insert(L, 1);
    run_begin(domain_of(L));
    status = run_protected(L);
    interrupted = run_end(L);
    if (status != LUA_OK || interrupted)
        push_failure(L, status, interrupted);
    lua_pushboolean(L, status == LUA_OK && !interrupted);
    lua_replace(L, 1);
    return lua_gettop(L);
}

void domain_console_release(struct domain *d)
{
    if (!d->run_depth)
        return;
    d->run_depth = 0;
    tty_set_interruptible(d->console, false);
    tty_set_interrupt(d->console, NULL, NULL);
}

static const struct lua_function console_functions[] = {
    {"read", console_read, "console"},
    {"write", console_write, "console"},
    {"size", console_size, "console"},
    {"name", console_name, NULL},
    {"interrupts", console_interrupts, "console"},
    {"run", console_run, "console"},
    {0},
};

LUA_MODULE(console, .functions = console_functions);
