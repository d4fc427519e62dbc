/*
 * Messages between domains: Lua values by value, flattened by the sender
 * (codec.h) and rebuilt by the receiver. Domain handles travel as references.
 * Thread context.
 */
#ifndef RAYOS_LUA_MESSAGE_H
#define RAYOS_LUA_MESSAGE_H

#include "lua/domain.h"

enum message_kind {
    MESSAGE_SEND,
    MESSAGE_CALL,  /* somebody waits at `port` */
    MESSAGE_DOWN,  /* `from` is dead; no data */
    MESSAGE_EVENT, /* events wait in subscriptions (mod_event.c); no data */
};

/* Where a caller waits for its reply. */
struct reply_port {
    _Atomic uint32_t refs;
    struct spinlock lock;
    struct waitq caller;   /* lock */
    bool done;             /* lock; replied, refused, or given up */
    struct message *reply; /* lock; NULL when refused */
};

struct message {
    struct list node; /* lock: the mailbox's */
    enum message_kind kind;
    uint64_t id;             /* of the machine's messages, from 1 */
    struct domain *from;     /* a reference; NULL: not a domain */
    struct reply_port *port; /* a reference; MESSAGE_CALL */
    struct domain **handles; /* references */
    size_t handle_count;
    size_t size;
    uint8_t data[];
};

/* The values first..first+count-1 of the stack as a message. Raises when a
 * value cannot be sent, or when memory is short. `what` names them in errors.
 */
struct message *message_encode(lua_State *L, int first, int count,
                               const char *what);
/* Push the values; their number. The message stays the caller's. */
int message_decode(lua_State *L, const struct message *m);
/* An empty one, for a death notice; NULL: no memory. */
struct message *message_create_down(void);
/* Drops all that it holds; a port that waits is told that nobody answers. */
void message_free(struct message *m);

struct reply_port *reply_port_create(void); /* NULL: no memory */
void reply_port_put(struct reply_port *p);
/* Give the reply (NULL: there will be none); the message is taken over. false:
 * too late. */
bool reply_port_answer(struct reply_port *p, struct message *reply);
/* Wait. 0 with *out the reply; -EPIPE: refused; -ETIMEDOUT, -ECANCELED. */
int reply_port_wait(struct reply_port *p, nstime_t deadline,
                    struct message **out);
/* The caller has given up. */
void reply_port_abandon(struct reply_port *p);

/* --- mailboxes (mailbox.c) --- */
void mailbox_init(struct mailbox *b);
/* Put a message in; taken over on 0. -EAGAIN: full (death notices always fit).
 * -EPIPE: the domain is dead. */
int mailbox_post(struct mailbox *b, struct message *m);
/* Take one out: 0, -ETIMEDOUT, -ECANCELED. */
int mailbox_receive(struct mailbox *b, nstime_t deadline, struct message **out);
/* Refuse what is there and what comes. */
void mailbox_close(struct mailbox *b);

/* --- monitors (monitor.c) --- */

/* Tell `watcher` by a message when `d` dies; with `link` the watcher is killed
 * when the end was not a good one. At once when it is dead already. -ENOMEM. */
int domain_monitor(struct domain *d, struct domain *watcher, bool link);
/* At the end of d: tell everybody. */
void domain_monitors_tell(struct domain *d);
/* The end was an exit with code 0. */
bool domain_ended_well(const struct domain *d);

/* --- handles (handle.c) --- */

/* Push a handle; takes a reference. */
void domain_push_handle(lua_State *L, struct domain *d);
/* The domain of a handle at `index`, borrowed; NULL when it is none. */
struct domain *domain_test_handle(lua_State *L, int index);
/* Push {kind=, message=, traceback=, code=} of a dead or closing domain. */
void domain_push_reason(lua_State *L, const struct domain *d);

#endif
