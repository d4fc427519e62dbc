/*
 * Module `domain` and the methods of handles: what one domain may ask of
 * others. Making domains is in mod_spawn.c, messages in mod_mail.c. Domain's
 * thread.
 */

#include "lua/message.h"
#include "lua/mod_domain.h"

static int domain_self(lua_State *L)
{
    domain_push_handle(L, domain_of(L));
    return 1;
}

static int domain_list(lua_State *L)
{
    struct domain **box = NULL;
    uint32_t id = 0;

    lua_settop(L, 0);
    lua_newtable(L);
    for (int i = 1; !box || *box; i++) {
        box = domain_new_handle(L);
        *box = domain_next(id);
        if (*box) {
            id = (*box)->id;
            lua_rawseti(L, 1, i);
        }
    }
    lua_settop(L, 1);
    return 1;
}

static int domain_find_by_name(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct domain **box = domain_new_handle(L);

    *box = domain_find(name);
    if (*box)
        return 1;
    lua_pushnil(L);
    lua_pushfstring(L, "there is no domain '%s'", name);
    lua_pushliteral(L, "ENOENT");
    return 3;
}

static int domain_caps(lua_State *L)
{
    const struct caps *caps = domain_of(L)->caps;

    lua_createtable(L, (int)caps->count, 0);
    for (size_t i = 0; i < caps->count; i++) {
        lua_pushstring(L, caps->names[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* --- methods --- */

static int handle_name(lua_State *L)
{
    lua_pushstring(L, domain_check_handle(L, 1)->name);
    return 1;
}

static int handle_id(lua_State *L)
{
    lua_pushinteger(L, domain_check_handle(L, 1)->id);
    return 1;
}

static int handle_kill(lua_State *L)
{
    struct domain *d = domain_check_handle(L, 1);

    domain_kill(d, luaL_optstring(L, 2, "killed"));
    if (d == domain_of(L))
        domain_check(L);
    return 0;
}

static int handle_interrupt(lua_State *L)
{
    domain_interrupt(domain_check_handle(L, 1));
    return 0;
}

static int handle_wait(lua_State *L)
{
    struct domain *d = domain_check_handle(L, 1);
    nstime_t deadline = module_deadline(L, 2);
    int err;

    luaL_argcheck(L, d != domain_of(L), 1, "a domain cannot wait for itself");
    do
        err = domain_wait(d, deadline);
    while (domain_wait_again(L, err));
    if (err)
        return module_fail(L, err, NULL);
    domain_push_reason(L, d);
    return 1;
}

/* The state's name, and the reason when it is dead. */
static int handle_status(lua_State *L)
{
    struct domain *d = domain_check_handle(L, 1);

    lua_pushstring(L, domain_state_name(d->state));
    if (d->state != DOMAIN_DEAD)
        return 1;
    domain_push_reason(L, d);
    return 2;
}

static void set_integer(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static int handle_stats(lua_State *L)
{
    struct domain *d = domain_check_handle(L, 1);
    nstime_t now = clock_now();
    irqflags_t flags;
    uint64_t switches;
    nstime_t cpu;

    flags = spin_lock(&d->lock);
    cpu = d->thread ? thread_cpu_time(d->thread) : 0;
    switches = d->thread ? d->thread->switches : 0;
    spin_unlock(&d->lock, flags);
    lua_createtable(L, 0, 8);
    set_integer(L, "memory", d->account->used);
    set_integer(L, "peak", d->account->peak);
    set_integer(L, "limit", d->account->limit);
    set_integer(L, "refused", d->account->refused);
    set_integer(L, "switches", switches);
    set_integer(L, "messages", d->mailbox.count);
    lua_pushnumber(L, (lua_Number)cpu / 1e9);
    lua_setfield(L, -2, "cpu");
    if (d->state == DOMAIN_DEAD)
        now = d->ended_at;
    lua_pushnumber(L, (lua_Number)(now - d->started_at) / 1e9);
    lua_setfield(L, -2, "age");
    return 1;
}

static int monitor(lua_State *L, bool link)
{
    struct domain *d = domain_check_handle(L, 1), *self = domain_of(L);
    int err = 0;

    luaL_argcheck(L, d != self, 1, "a domain cannot watch itself");
    if (link)
        err = domain_monitor(self, d, true);
    if (!err)
        err = domain_monitor(d, self, link);
    if (err)
        return module_fail(L, err, NULL);
    lua_pushboolean(L, true);
    return 1;
}

static int handle_monitor(lua_State *L)
{
    return monitor(L, false);
}

static int handle_link(lua_State *L)
{
    return monitor(L, true);
}

static const struct lua_function handle_methods[] = {
    {"name", handle_name, NULL},
    {"id", handle_id, NULL},
    {"status", handle_status, NULL},
    {"stats", handle_stats, NULL},
    {"send", mail_send, NULL},
    {"call", mail_call, NULL},
    {"wait", handle_wait, NULL},
    {"monitor", handle_monitor, NULL},
    {"link", handle_link, NULL},
    {"kill", handle_kill, "domain"},
    {"interrupt", handle_interrupt, "domain"},
    {0},
};

static const struct lua_function domain_functions[] = {
    {"spawn", domain_spawn, "domain"},
    {"self", domain_self, NULL},
    {"receive", mail_receive, NULL},
    {"list", domain_list, "domain"},
    {"find", domain_find_by_name, NULL},
    {"caps", domain_caps, NULL},
    {0},
};

void domain_open_classes(lua_State *L)
{
    handle_open(L, handle_methods);
    envelope_open(L);
}

LUA_MODULE(domain, .functions = domain_functions);
