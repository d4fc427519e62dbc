/*
 * Messages in Lua: send, call, receive, and the envelope that answers a call.
 * Domain's thread.
 *
 * A message is always owned by a userdata while Lua may raise an error, so that
 * nothing is lost on the way.
 */
#include <errno.h>

#include <rayos/fmt.h>

#include "lua/message.h"
#include "lua/mod_domain.h"

#define ENVELOPE_CLASS "envelope"
#define CALL_CLASS     "call"

/* --- envelopes --- */

static struct message **new_envelope(lua_State *L)
{
    struct message **box = lua_newuserdatauv(L, sizeof(*box), 0);

    *box = NULL;
    luaL_setmetatable(L, ENVELOPE_CLASS);
    return box;
}

static struct message *check_envelope(lua_State *L, int index)
{
    struct message **box = luaL_checkudata(L, index, ENVELOPE_CLASS);

    luaL_argcheck(L, *box, index, "the envelope is closed");
    return *box;
}

static int envelope_gc(lua_State *L)
{
    struct message **box = luaL_checkudata(L, 1, ENVELOPE_CLASS);
    struct message *m = *box;

    *box = NULL;
    if (m)
        message_free(m);
    return 0;
}

static const char *kind_name(const struct message *m)
{
    static const char *const names[] = {
        [MESSAGE_SEND] = "message",
        [MESSAGE_CALL] = "call",
        [MESSAGE_DOWN] = "down",
        [MESSAGE_EVENT] = "event",
    };

    return names[m->kind];
}

static int envelope_tostring(lua_State *L)
{
    struct message *m = check_envelope(L, 1);
    char text[DOMAIN_NAME_MAX + 64];

    fmt_snprintf(text, sizeof(text), "envelope of a %s from \"%s\" (id %llu)",
                 kind_name(m), m->from ? m->from->name : "the kernel",
                 (unsigned long long)m->id);
    lua_pushstring(L, text);
    return 1;
}

static int envelope_from(lua_State *L)
{
    struct message *m = check_envelope(L, 1);

    if (m->from)
        domain_push_handle(L, m->from);
    else
        lua_pushnil(L);
    return 1;
}

static int envelope_id(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_envelope(L, 1)->id);
    return 1;
}

static int envelope_kind(lua_State *L)
{
    lua_pushstring(L, kind_name(check_envelope(L, 1)));
    return 1;
}

/* true, or nil and why: nobody waits (any more). */
static int envelope_reply(lua_State *L)
{
    struct message *m = check_envelope(L, 1), *reply;

    if (!m->port)
        return luaL_error(L, "only a call can be replied to");
    reply = message_encode(L, 2, lua_gettop(L) - 1, "reply");
    if (!reply_port_answer(m->port, reply))
        return module_fail(L, -EPIPE, "nobody waits for this reply");
    lua_pushboolean(L, true);
    return 1;
}

static const struct lua_function envelope_methods[] = {
    {"from", envelope_from, NULL},
    {"id", envelope_id, NULL},
    {"kind", envelope_kind, NULL},
    {"reply", envelope_reply, NULL},
    {0},
};

static const luaL_Reg envelope_meta[] = {
    {"__gc", envelope_gc},
    {"__close", envelope_gc},
    {"__tostring", envelope_tostring},
    {0},
};

void envelope_open(lua_State *L)
{
    module_new_class(L, ENVELOPE_CLASS, envelope_methods, envelope_meta);
    lua_pop(L, 1);
}

/* --- receiving --- */

/* What a death notice says. */
static void push_down(lua_State *L, const struct message *m)
{
    lua_createtable(L, 0, 3);
    lua_pushliteral(L, "down");
    lua_setfield(L, -2, "kind");
    domain_push_handle(L, m->from);
    lua_setfield(L, -2, "domain");
    domain_push_reason(L, m->from);
    lua_setfield(L, -2, "reason");
}

/* Events wait; the next ones are told anew. */
static void push_event_notice(lua_State *L)
{
    domain_of(L)->events_told = false;
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "event");
    lua_setfield(L, -2, "kind");
}

/* domain.receive(timeout): message, envelope; or nil, "timed out". */
int mail_receive(lua_State *L)
{
    struct domain *d = domain_of(L);
    nstime_t deadline = module_deadline(L, 1);
    struct message **box = new_envelope(L);
    int err, count;

    do
        err = mailbox_receive(&d->mailbox, deadline, box);
    while (domain_wait_again(L, err));
    if (err)
        return module_fail(L, err, NULL);
    if ((*box)->kind == MESSAGE_DOWN) {
        push_down(L, *box);
    } else if ((*box)->kind == MESSAGE_EVENT) {
        push_event_notice(L);
    } else {
        count = message_decode(L, *box);
        if (count == 0)
            lua_pushnil(L);
        else
            lua_pop(L, count - 1);
    }
    lua_insert(L, -2);
    return 2;
}

/* --- sending --- */

static int post_failed(lua_State *L, int err, const struct domain *to)
{
    lua_pushnil(L);
    lua_pushfstring(
        L, err == -EAGAIN ? "mailbox of '%s' is full" : "domain '%s' is dead",
        to->name);
    lua_pushstring(L, err == -EAGAIN ? "EAGAIN" : "EPIPE");
    return 3;
}

/* Take over m and post it. */
static int post(struct domain *to, struct domain *from, struct message *m)
{
    int err;

    domain_get(from);
    m->from = from;
    err = mailbox_post(&to->mailbox, m);
    if (err)
        message_free(m);
    return err;
}

/* handle:send(value) */
int mail_send(lua_State *L)
{
    struct domain *to = domain_check_handle(L, 1);
    int err;

    luaL_checkany(L, 2);
    err = post(to, domain_of(L), message_encode(L, 2, 1, "message"));
    if (err)
        return post_failed(L, err, to);
    lua_pushboolean(L, true);
    return 1;
}

/* What a caller holds: collected like envelopes, as it may be killed while it
 * waits. One object for both, because each has its price. */
struct call {
    struct reply_port *port;
    struct message *reply;
};

static int call_gc(lua_State *L)
{
    struct call *call = luaL_checkudata(L, 1, CALL_CLASS), held = *call;

    *call = (struct call){0};
    if (held.port) {
        reply_port_abandon(held.port);
        reply_port_put(held.port);
    }
    if (held.reply)
        message_free(held.reply);
    return 0;
}

static struct call *new_call(lua_State *L)
{
    struct call *call = lua_newuserdatauv(L, sizeof(*call), 0);

    *call = (struct call){0};
    if (luaL_newmetatable(L, CALL_CLASS)) {
        lua_pushcfunction(L, call_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    call->port = reply_port_create();
    if (!call->port)
        luaL_error(L, "not enough memory for the call");
    return call;
}

static int wait_for_reply(lua_State *L, struct domain *to, struct call *call,
                          nstime_t deadline)
{
    int err;

    do
        err = reply_port_wait(call->port, deadline, &call->reply);
    while (domain_wait_again(L, err));
    if (!err)
        return message_decode(L, call->reply);
    reply_port_abandon(call->port);
    if (err != -EPIPE)
        return module_fail(L, err, NULL);
    lua_pushnil(L);
    lua_pushfstring(L,
                    to->state == DOMAIN_DEAD ? "domain '%s' is dead"
                                             : "'%s' did not reply",
                    to->name);
    lua_pushliteral(L, "EPIPE");
    return 3;
}

/* handle:call(value, timeout): what the other replies. */
int mail_call(lua_State *L)
{
    struct domain *to = domain_check_handle(L, 1);
    nstime_t deadline = module_deadline(L, 3);
    struct call *call;
    struct message *m;
    int err;

    luaL_checkany(L, 2);
    luaL_argcheck(L, to != domain_of(L), 1, "a domain cannot call itself");
    call = new_call(L);
    m = message_encode(L, 2, 1, "message");
    m->kind = MESSAGE_CALL;
    call->port->refs++;
    m->port = call->port;
    err = post(to, domain_of(L), m);
    if (err)
        return post_failed(L, err, to);
    return wait_for_reply(L, to, call, deadline);
}
