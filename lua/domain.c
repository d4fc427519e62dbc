/*
 * The life of domains as others see it: making, finding, killing, waiting,
 * counting references. Thread context unless said.
 */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/vfs.h>
#include <rayos/workq.h>

#include "lua/domain.h"
#include "lua/message.h"

#define DOMAINS_MAX 256

static struct spinlock domains_lock;
static struct list domains = LIST_INIT(domains); /* domains_lock; by id */
static uint32_t domain_count, domain_last_id;    /* domains_lock */

static const char *const end_names[] = {
    [END_EXIT] = "exit",     [END_ERROR] = "error",   [END_KILLED] = "killed",
    [END_MEMORY] = "memory", [END_BUDGET] = "budget",
};

static const char *const state_names[] = {
    [DOMAIN_CREATED] = "created",
    [DOMAIN_RUNNING] = "running",
    [DOMAIN_CLOSING] = "closing",
    [DOMAIN_DEAD] = "dead",
};

const char *domain_end_name(enum domain_end kind)
{
    return end_names[kind];
}

const char *domain_state_name(enum domain_state state)
{
    return state_names[state];
}

/* --- making --- */

static char *copy_bytes(const char *from, size_t size)
{
    char *to = kalloc(size + 1);

    if (to) {
        memcpy(to, from, size);
        to[size] = '\0';
    }
    return to;
}

/* Standard input and output: the console, or nothing at all. */
static int domain_open_files(struct domain *d)
{
    struct file *null;
    int err = fdtable_create(&d->files);

    if (err)
        return err;
    if (d->console)
        return fdtable_attach_tty(d->files, d->console);
    err = vfs_open("/dev/null", O_RDWR, &null);
    if (err)
        return err;
    for (int fd = 0; fd < 3 && err >= 0; fd++)
        err = fd_install(d->files, null, fd);
    file_put(null);
    return err < 0 ? err : 0;
}

static int domain_fill(struct domain *d, const struct domain_spec *spec)
{
    d->refs = 2; /* the creator's and the thread's */
    list_init(&d->node);
    waitq_init(&d->ended);
    list_init(&d->monitors);
    mailbox_init(&d->mailbox);
    d->started_at = clock_now();
    strncpy(d->name, spec->name, sizeof(d->name) - 1);
    d->console = spec->console;
    d->budget = spec->budget;
    d->account = kzalloc(sizeof(*d->account));
    if (!d->account)
        return -ENOMEM;
    account_init(d->account, spec->memory);
    heap_init(&d->heap, d->account, false);
    if (spec->file && !(d->file = copy_bytes(spec->file, strlen(spec->file))))
        return -ENOMEM;
    d->source_size = spec->source_size;
    if (spec->source &&
        !(d->source = copy_bytes(spec->source, spec->source_size)))
        return -ENOMEM;
    return domain_open_files(d);
}

/* false: there are too many. */
static bool domain_register(struct domain *d)
{
    irqflags_t flags = spin_lock(&domains_lock);
    bool room = domain_count < DOMAINS_MAX;

    if (room) {
        domain_count++;
        d->id = ++domain_last_id;
        list_push_back(&domains, &d->node);
    }
    spin_unlock(&domains_lock, flags);
    return room;
}

static void domain_unregister(struct domain *d)
{
    irqflags_t flags = spin_lock(&domains_lock);

    if (!list_empty(&d->node)) {
        list_remove(&d->node);
        domain_count--;
    }
    spin_unlock(&domains_lock, flags);
}

static int domain_start(struct domain *d, const struct domain_spec *spec)
{
    struct thread_attr attr = {
        .name = d->name,
        .entry = domain_main,
        .arg = d,
        .priority = spec->priority,
        .affinity = CPU_ANY,
        .stack_size = spec->stack,
        .account = d->account,
        .files = d->files,
        .domain = d,
    };
    struct thread *t;
    irqflags_t flags;
    int err = thread_create(&attr, &t);

    if (err)
        return err;
    flags = spin_lock(&d->lock);
    d->thread = t;
    spin_unlock(&d->lock, flags);
    /* What was posted before the thread was known. */
    if (d->pending)
        thread_cancel(t);
    return 0;
}

/* Memory that a C library forgot is still charged to the account: leaving a
 * few bytes is cheaper than a free that credits into nothing. */
static void account_release(struct domain *d)
{
    if (!d->account)
        return;
    if (d->account->used)
        log_warn("domain", "%s left %zu bytes behind", d->name,
                 (size_t)d->account->used);
    else
        kfree(d->account);
}

static void domain_free(struct domain *d)
{
    if (d->files)
        fdtable_destroy(d->files);
    mailbox_close(&d->mailbox);
    if (d->args)
        message_free(d->args);
    account_release(d);
    kfree(d->file);
    kfree(d->source);
    kfree(d->kill_message);
    kfree(d->reason.message);
    kfree(d->reason.traceback);
    kfree(d->caps);
    kfree(d);
}

int domain_create(const struct domain_spec *spec, struct domain **out)
{
    struct domain *d = kzalloc(sizeof(*d));
    int err = -ENOMEM;

    if (!d) {
        if (spec->args)
            message_free(spec->args);
        kfree(spec->caps);
        return err;
    }
    d->args = spec->args;
    d->caps = spec->caps;
    err = domain_fill(d, spec);
    if (!err && !domain_register(d))
        err = -EAGAIN;
    if (!err)
        err = domain_start(d, spec);
    if (err) {
        domain_unregister(d);
        domain_free(d);
        return err;
    }
    *out = d;
    return 0;
}

/* --- references --- */

void domain_get(struct domain *d)
{
    d->refs++;
}

/* The last reference may go on the domain's own thread, and the C library's
 * state of that thread is charged to the account: so another thread waits
 * until it is gone. */
static void domain_free_work(struct work *w)
{
    struct domain *d = container_of(w, struct domain, free_work);

    thread_join(d->thread, TIME_NEVER);
    thread_put(d->thread);
    domain_free(d);
}

void domain_put(struct domain *d)
{
    if (--d->refs)
        return;
    work_init(&d->free_work, domain_free_work);
    work_submit(workq_system(), &d->free_work);
}

/* --- what others ask of it --- */

void domain_kill(struct domain *d, const char *why)
{
    char *text = copy_bytes(why, strlen(why));
    irqflags_t flags = spin_lock(&d->lock);

    if (d->state < DOMAIN_DEAD) {
        if (!d->kill_message) {
            d->kill_message = text;
            text = NULL;
        }
        domain_limit_post(d, PENDING_KILL);
    }
    spin_unlock(&d->lock, flags);
    kfree(text);
}

void domain_interrupt(struct domain *d)
{
    irqflags_t flags = spin_lock(&d->lock);

    if (d->state == DOMAIN_RUNNING)
        domain_limit_post_interrupt(d);
    spin_unlock(&d->lock, flags);
}

int domain_wait(struct domain *d, nstime_t deadline)
{
    irqflags_t flags = spin_lock(&d->lock);
    int err = 0;

    while (d->state != DOMAIN_DEAD && !err)
        err = waitq_wait(&d->ended, &d->lock, deadline);
    if (d->state == DOMAIN_DEAD)
        err = 0;
    spin_unlock(&d->lock, flags);
    return err;
}

void domain_dead(struct domain *d)
{
    irqflags_t flags;

    domain_unregister(d);
    mailbox_close(&d->mailbox);
    flags = spin_lock(&d->lock);
    d->ended_at = clock_now();
    d->state = DOMAIN_DEAD;
    waitq_wake_all(&d->ended);
    spin_unlock(&d->lock, flags);
    domain_monitors_tell(d);
}

struct domain *domain_next(uint32_t id)
{
    struct domain *found = NULL;
    irqflags_t flags = spin_lock(&domains_lock);

    list_for_each (n, &domains) {
        struct domain *d = container_of(n, struct domain, node);

        if (d->id > id) {
            domain_get(d);
            found = d;
            break;
        }
    }
    spin_unlock(&domains_lock, flags);
    return found;
}

struct domain *domain_find(const char *name)
{
    struct domain *found = NULL;
    irqflags_t flags = spin_lock(&domains_lock);

    list_for_each (n, &domains) {
        struct domain *d = container_of(n, struct domain, node);

        if (!strcmp(d->name, name)) {
            domain_get(d);
            found = d;
            break;
        }
    }
    spin_unlock(&domains_lock, flags);
    return found;
}
