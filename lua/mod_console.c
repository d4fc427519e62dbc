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

/* Ctrl-C was typed. Any context. */
static void console_interrupt(struct tty *t, void *arg)
{
    (void)t;
    domain_interrupt(arg);
}

static void run_begin(struct domain *d)
{
    if (d->run_depth++ || !d->console)
        return;
    tty_set_interrupt(d->console, console_interrupt, d);
    tty_set_interruptible(d->console, true);
}

/* Only the outermost forgets a Ctrl-C; an inner one passes it on. */
static void run_end(lua_State *L)
{
    struct domain *d = domain_of(L);

    if (--d->run_depth) {
        domain_check(L);
        return;
    }
    if (d->console)
        tty_set_interruptible(d->console, false);
    domain_limit_clear_interrupt(d);
    domain_check(L);
}

/*
 * console.run(f, ...): true and the results, or false and the error with its
 * traceback. While it runs Ctrl-C ends it.
 */
static int console_run(lua_State *L)
{
    int status;

    luaL_checkany(L, 1);
    lua_pushcfunction(L, domain_traceback);
    lua_insert(L, 1);
    run_begin(domain_of(L));
    status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
    run_end(L);
    if (status == LUA_ERRMEM) {
        lua_settop(L, 0);
        lua_gc(L, LUA_GCCOLLECT);
        lua_pushnil(L);
        lua_pushliteral(L, "not enough memory");
    } else if (status != LUA_OK && domain_is_limit_error(L, -1)) {
        lua_pop(L, 1);
        lua_pushliteral(L, "interrupted");
    }
    lua_pushboolean(L, status == LUA_OK);
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
    {"read", console_read, "console"}, {"write", console_write, "console"},
    {"size", console_size, "console"}, {"name", console_name, NULL},
    {"run", console_run, "console"},   {0},
};

LUA_MODULE(console, .functions = console_functions);
