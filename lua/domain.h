/*
 * Domains: a Lua state on a kernel thread of its own, with a memory cap, a CPU
 * budget, capabilities, a mailbox, and a reason when it is dead. Nothing that a
 * script does reaches beyond its domain.
 *
 * Life: created -> running -> closing -> dead. A dead record stays while
 * somebody holds a reference to it. Thread context unless said.
 */
#ifndef RAYOS_LUA_DOMAIN_H
#define RAYOS_LUA_DOMAIN_H

#include <setjmp.h>

#include <lua.h>

#include <rayos/list.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/spinlock.h>
#include <rayos/thread.h>
#include <rayos/tty.h>
#include <rayos/workq.h>

#include "lua/caps.h"

#define DOMAIN_NAME_MAX    32
#define DOMAIN_MEMORY      (UINT64_C(64) << 20)
#define DOMAIN_STACK       (UINT64_C(1) << 20)
#define DOMAIN_MESSAGE_MAX (UINT64_C(1) << 20) /* bytes of one message */
#define DOMAIN_MAIL_COUNT  256
#define DOMAIN_MAIL_BYTES  (UINT64_C(4) << 20)

enum domain_state {
    DOMAIN_CREATED,
    DOMAIN_RUNNING,
    DOMAIN_CLOSING, /* its result is known, finalizers run */
    DOMAIN_DEAD,
};

enum domain_end { END_EXIT, END_ERROR, END_KILLED, END_MEMORY, END_BUDGET };

/* Why a domain must leave what it does; bits of domain->pending. All but the
 * first stay until the domain is dead. */
#define PENDING_INTERRUPT 1u /* Ctrl-C: back to console.run */
#define PENDING_BUDGET    2u
#define PENDING_KILL      4u
#define PENDING_EXIT      8u
#define PENDING_FINAL     (PENDING_BUDGET | PENDING_KILL | PENDING_EXIT)

struct message;

struct mailbox {
    struct spinlock lock;
    struct list messages; /* lock */
    struct waitq readers; /* lock */
    uint32_t count;       /* lock; ordinary messages only */
    size_t bytes;         /* lock */
    bool closed;          /* lock */
};

/* Written by the domain's thread before it is CLOSING, constant afterwards. */
struct domain_reason {
    enum domain_end kind;
    int code;
    char *message;   /* kalloc; may be NULL */
    char *traceback; /* kalloc; may be NULL */
};

struct domain_spec {
    const char *name;
    const char *file;   /* chunk to run: a path, */
    const char *source; /* or text */
    size_t source_size;
    struct message *args; /* given to the chunk as `...`; taken over */
    size_t memory, stack; /* bytes */
    nstime_t budget;      /* CPU time between two waits; 0: unlimited */
    struct caps *caps;    /* taken over */
    struct tty *console;  /* NULL: none */
    uint8_t priority;
};

struct domain {
    struct luser_track track; /* first: found through the extra space */

    /* Constant after creation. */
    char name[DOMAIN_NAME_MAX];
    uint32_t id;
    struct caps *caps;
    struct tty *console;
    nstime_t budget;
    char *file, *source;
    size_t source_size;
    struct fdtable *files;

    _Atomic uint32_t refs;
    struct list node; /* lock: the domain list's */
    struct spinlock lock;
    _Atomic enum domain_state state;
    struct waitq ended;    /* lock */
    struct list monitors;  /* lock; struct monitor */
    struct thread *thread; /* lock; a reference */
    char *kill_message;    /* lock; kalloc */
    struct domain_reason reason;
    nstime_t started_at, ended_at;

    /* Set by anybody, seen by the domain (domain_limit.c). */
    _Atomic uint32_t pending;
    _Atomic bool interrupt_asked;
    _Atomic bool events_told; /* a MESSAGE_EVENT is in the mailbox */

    struct mailbox mailbox;
    struct message *args;

    struct account *account; /* stays while something is charged to it */
    struct work free_work;

    /* The rest belongs to the domain's own thread. */
    struct heap heap;
    lua_State *L;
    nstime_t budget_end; /* of its CPU time; TIME_NEVER: none */
    uint32_t repeats;    /* of a limit that was to end it */
    uint32_t run_depth;  /* console.run in progress */
    int exit_code;
    char warning[120]; /* put together by Lua in pieces */
    jmp_buf exit_jump; /* for exit() and abort() of C libraries */
};

/* --- life (domain.c) --- */

/* The names of ends and states in the Lua API. */
const char *domain_end_name(enum domain_end kind);
const char *domain_state_name(enum domain_state state);

/* Make and start. The caller gets a reference. Takes over spec->args and
 * spec->caps in every case. -ENOMEM. */
int domain_create(const struct domain_spec *spec, struct domain **out);
void domain_get(struct domain *d);
void domain_put(struct domain *d);
/* Ask for its end; it comes at the next safe point. The text is copied. */
void domain_kill(struct domain *d, const char *why);
/* As Ctrl-C: ends what console.run runs. Any context but NMI. */
void domain_interrupt(struct domain *d);
/* Until it is dead: 0, -ETIMEDOUT, -ECANCELED. */
int domain_wait(struct domain *d, nstime_t deadline);
/* The living one with the lowest id above `id`, with a reference; NULL. Any
 * context but NMI, as domain_put. */
struct domain *domain_next(uint32_t id);
/* A living one by name, with a reference; NULL. */
struct domain *domain_find(const char *name);

/* The domain of a state, and of this thread (NULL: a kernel thread). */
static inline struct domain *domain_of(lua_State *L)
{
    return (struct domain *)luser_extra(L)->track;
}

static inline struct domain *domain_current(void)
{
    return thread_current()->domain;
}

/* --- the thread's side (domain_run.c) --- */
void domain_main(void *arg);
/* Its last act: its state is closed. Tells whoever waits. */
void domain_dead(struct domain *d);
/* Message handler for lua_pcall: error object to text with traceback. */
int domain_traceback(lua_State *L);
/* The same for the base: fills domain->reason. */
int domain_base_handler(lua_State *L);
/* Take the tty's interrupt away from the domain (mod_console.c). */
void domain_console_release(struct domain *d);

/* --- events (domain_event.c) --- */

/* It has ended, its reason is known. Thread context. */
void domain_event_end(const struct domain *d);
/* Its budget is used up. Interrupt context. */
void domain_event_overrun(const struct domain *d);

/* --- limits (domain_limit.c) --- */

/* Something is pending that should be raised. Any context; a few instructions.
 */
static inline bool domain_must_stop(void)
{
    const uint32_t *pending = (const uint32_t *)&domain_current()->pending;

    return __builtin_expect(__atomic_load_n(pending, __ATOMIC_RELAXED) != 0, 0);
}

/* Raise what is pending, if something is. For C functions of the domain's
 * thread that loop or have waited. */
void domain_check(lua_State *L);
/* Raise the error that only the base (or console.run) catches. */
int domain_raise(lua_State *L);
/* Is the value at `index` the error object of domain_raise? */
bool domain_is_limit_error(lua_State *L, int index);
/* Is it our hook that is set on the coroutine? */
bool domain_has_limit_hook(lua_State *L);
/* The domain's own thread starts to run Lua, and has ended it. */
void domain_limit_start(struct domain *d);
void domain_limit_end(void);
/* It waited, so its slice of budget starts anew. */
void domain_limit_rearm(struct domain *d);
/* Stop the domain. Any context but NMI; d->lock held. */
void domain_limit_post(struct domain *d, uint32_t bits);
void domain_limit_post_interrupt(struct domain *d);
/* A domain's own wish to end: sets the bit and raises. */
void domain_limit_raise_own(lua_State *L, uint32_t bit);
/* The state is about to be closed: all is forgiven, and finalizers get one
 * second of CPU time. */
void domain_limit_closing(struct domain *d);
/* Make a state usable again that exit() has left by a jump. */
void domain_limit_unwind(lua_State *L);
/* console.run's end: forget a Ctrl-C. */
void domain_limit_clear_interrupt(struct domain *d);
/* After a cancellable wait returned `err`: false: it is a result; true: wait
 * again (a stale cancellation). Raises when the domain must stop. */
bool domain_wait_again(lua_State *L, int err);
/* Bytes of C stack left to the running thread. */
size_t domain_stack_left(void);
/* Raise an error when less than `need` bytes of C stack are left. */
void domain_check_stack(lua_State *L, size_t need);

/* --- memory (domain_alloc.c) --- */
void *domain_alloc(void *domain, void *ptr, size_t old_size, size_t size);

#endif
