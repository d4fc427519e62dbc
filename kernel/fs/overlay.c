/*
 * Overlays as block devices (rayos/overlay.h). A thread for each takes the
 * requests in their order: what lies in one stretch on one of the two disks is
 * handed on to that disk as it is, the rest the thread does itself, by
 * overlay_store.c.
 *
 * Locks: the registry's mutex; o->lock, a spin lock, inside of the block
 * device's.
 */
#include <rayos/overlay.h>

#include <errno.h>
#include <string.h>

#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/thread.h>

#include "overlay_store.h"

#define SERIAL   "serial:"
#define SEGMENTS 32
#define CHILDREN 16
#define SECTORS  2048               /* of one piece */
#define TIMEOUT  (600 * NS_PER_SEC) /* the disks below have theirs */

/* A request that is handed on. */
struct child {
    struct block_request r;
    struct block_segment segments[SEGMENTS];
    struct block_request *parent;
    struct overlay *overlay;
    struct list node;
};

struct overlay {
    struct block_device block;
    struct block_device *base, *state; /* referenced */
    struct overlay_store store;        /* the thread's; `map` for the counts */
    struct spinlock lock;
    struct waitq wq;
    struct block_request *first, **last; /* lock: by r->driver */
    struct list free;                    /* lock: children */
    unsigned under_way;                  /* lock: taken from the queue */
    bool stop;                           /* lock */
    struct child children[CHILDREN];
    struct thread *thread;
    struct list node; /* the registry's */
};

static struct mutex registry_lock = MUTEX_INIT(registry_lock);
static struct list overlays = LIST_INIT(overlays); /* registry_lock */

/* --- the block layer's side --- */

static int submit(struct block_device *b, struct block_request *r)
{
    struct overlay *o = b->driver;
    irqflags_t flags = spin_lock(&o->lock);

    r->driver = NULL;
    *o->last = r;
    o->last = (struct block_request **)&r->driver;
    waitq_wake_all(&o->wq);
    spin_unlock(&o->lock, flags);
    return 0;
}

/* All comes back with its result. */
static void cancel(struct block_device *b)
{
    struct overlay *o = b->driver;
    irqflags_t flags = spin_lock(&o->lock);

    while (o->first || o->under_way)
        waitq_wait_uncancellable(&o->wq, &o->lock, TIME_NEVER);
    spin_unlock(&o->lock, flags);
}

static int restart(struct block_device *b)
{
    (void)b;
    return 0;
}

/* --- the thread --- */

/* The request is answered before it is counted as done: who waits for that
 * frees the device. */
static void end(struct overlay *o, struct block_request *r, int status,
                struct child *c)
{
    irqflags_t flags;

    block_complete(r, status);
    flags = spin_lock(&o->lock);
    if (c)
        list_push_back(&o->free, &c->node);
    o->under_way--;
    waitq_wake_all(&o->wq);
    spin_unlock(&o->lock, flags);
}

static void child_done(struct block_request *r)
{
    struct child *c = r->arg;

    end(c->overlay, c->parent, r->status, c);
}

static struct child *take_child(struct overlay *o)
{
    irqflags_t flags = spin_lock(&o->lock);
    struct list *n;

    while (list_empty(&o->free))
        waitq_wait_uncancellable(&o->wq, &o->lock, TIME_NEVER);
    n = list_pop_front(&o->free);
    spin_unlock(&o->lock, flags);
    return container_of(n, struct child, node);
}

static void hand_on(struct overlay *o, struct block_request *r,
                    struct block_device *to, uint64_t at)
{
    const struct block_piece *p = &r->piece;
    uint64_t left = (uint64_t)p->sectors * BLOCK_SECTOR;
    struct child *c = take_child(o);
    uint32_t n = 0;

    for (; left; n++)
        c->segments[n] = block_piece_segment(p, n, &left);
    c->parent = r;
    c->overlay = o;
    c->r = (struct block_request){
        .op = r->op,
        .sector = at,
        .sectors = p->sectors,
        .segments = c->segments,
        .segment_count = n,
        .done = child_done,
        .arg = c,
    };
    block_submit(to, &c->r);
}

static int do_here(struct overlay *o, struct block_request *r)
{
    const struct block_piece *p = &r->piece;
    uint64_t left = (uint64_t)p->sectors * BLOCK_SECTOR, sector = p->sector;
    int err = 0;

    for (uint32_t i = 0; left && !err; i++) {
        struct block_segment s = block_piece_segment(p, i, &left);
        uint32_t n = s.length / BLOCK_SECTOR;

        if (r->op == BLOCK_WRITE)
            err = overlay_store_write(&o->store, sector, phys_to_virt(s.phys),
                                      n);
        else
            err = overlay_store_read(&o->store, sector, phys_to_virt(s.phys),
                                     n);
        sector += n;
    }
    return err;
}

static void serve(struct overlay *o, struct block_request *r)
{
    const struct block_piece *p = &r->piece;
    bool in_state;
    uint64_t at;

    if (r->op == BLOCK_FLUSH) {
        end(o, r, overlay_store_flush(&o->store), NULL);
        return;
    }
    if (overlay_store_locate(&o->store, p->sector, p->sectors, &in_state,
                             &at) == p->sectors &&
        (in_state || r->op == BLOCK_READ))
        hand_on(o, r, in_state ? o->state : o->base, at);
    else
        end(o, r, do_here(o, r), NULL);
}

/* NULL: it is to end. */
static struct block_request *next(struct overlay *o)
{
    irqflags_t flags = spin_lock(&o->lock);
    struct block_request *r;

    while (!o->first && !o->stop)
        waitq_wait_uncancellable(&o->wq, &o->lock, TIME_NEVER);
    r = o->first;
    if (r) {
        o->first = r->driver;
        if (!o->first)
            o->last = &o->first;
        o->under_way++;
    }
    spin_unlock(&o->lock, flags);
    return r;
}

static void run(void *arg)
{
    struct overlay *o = arg;
    struct block_request *r;

    while ((r = next(o)))
        serve(o, r);
}

/* --- life --- */

static void free_overlay(struct overlay *o)
{
    irqflags_t flags = spin_lock(&o->lock);

    o->stop = true;
    waitq_wake_all(&o->wq);
    spin_unlock(&o->lock, flags);
    if (o->thread) {
        while (thread_join(o->thread, TIME_NEVER))
            thread_yield(); /* whoever closes it may be cancelled: not now */
        thread_put(o->thread);
    }
    overlay_store_close(&o->store);
    if (o->base)
        block_put(o->base);
    if (o->state)
        block_put(o->state);
    kfree(o);
}

static void release(struct block_device *b)
{
    free_overlay(b->driver);
}

static const struct block_ops ops = {
    .submit = submit,
    .cancel = cancel,
    .restart = restart,
    .release = release,
};

static int disk_read(void *arg, uint64_t sector, void *buffer, uint32_t sectors)
{
    return block_read(arg, sector, buffer, sectors);
}

static int disk_write(void *arg, uint64_t sector, const void *data,
                      uint32_t sectors)
{
    return block_write(arg, sector, data, sectors);
}

static int disk_flush(void *arg)
{
    return block_flush(arg);
}

static struct overlay_disk disk_of(struct block_device *b)
{
    return (struct overlay_disk){disk_read, disk_write, disk_flush, b,
                                 b->sectors};
}

/* With a reference; NULL. */
static struct block_device *find_disk(const char *name)
{
    struct block_device *b;

    if (strncmp(name, SERIAL, strlen(SERIAL)) != 0)
        return block_get(name);
    for (size_t i = 0; (b = block_at(i)); i++) {
        if (!b->parent && strcmp(b->serial, name + strlen(SERIAL)) == 0)
            return b;
        block_put(b);
    }
    return NULL;
}

static int find_disks(struct overlay *o, const struct overlay_config *c,
                      const char **why)
{
    *why = "its base is not there";
    o->base = find_disk(c->base);
    if (!o->base)
        return -ENOENT;
    *why = "its state disk is not there";
    o->state = find_disk(c->state);
    if (!o->state)
        return -ENOENT;
    *why = "its state disk can only be read";
    if (o->state->read_only)
        return -EROFS;
    *why = "its disks are the same one, or have sectors of more than 512 bytes";
    if (o->state == o->base || o->state->logical_sector > BLOCK_SECTOR ||
        o->base->logical_sector > BLOCK_SECTOR)
        return -ENOTSUP;
    *why = "its name or its state disk belongs to another overlay";
    list_for_each (n, &overlays) {
        struct overlay *other = container_of(n, struct overlay, node);

        if (other->state == o->state || other->state == o->base ||
            other->base == o->state)
            return -EEXIST;
    }
    return 0;
}

static void describe(struct overlay *o, const char *name)
{
    o->block = (struct block_device){
        .ops = &ops,
        .driver = o,
        .sectors = o->base->sectors,
        .logical_sector = BLOCK_SECTOR,
        .physical_sector = o->state->physical_sector,
        .max_segments = SEGMENTS,
        .max_sectors = SECTORS,
        .timeout = TIMEOUT,
        .can_flush = true,
    };
    fmt_snprintf(o->block.name, sizeof(o->block.name), "%s", name);
    fmt_snprintf(o->block.serial, sizeof(o->block.serial), "%s", name);
}

static int start(struct overlay *o, const char *name, const char **why)
{
    const struct thread_attr attr = {
        .name = "overlay",
        .entry = run,
        .arg = o,
        .priority = PRIO_IO,
        .affinity = CPU_ANY,
    };
    int err;

    describe(o, name);
    *why = "there is no memory for its thread";
    err = thread_create(&attr, &o->thread);
    if (err)
        return err;
    *why = "its name is taken";
    return block_register(&o->block);
}

int overlay_create(const struct overlay_config *c, const char **why)
{
    struct overlay *o = kzalloc(sizeof(*o));
    int err;

    *why = "there is no memory for it";
    if (!o)
        return -ENOMEM;
    o->lock = (struct spinlock)SPINLOCK_INIT;
    waitq_init(&o->wq);
    o->last = &o->first;
    list_init(&o->free);
    for (unsigned i = 0; i < CHILDREN; i++)
        list_push_back(&o->free, &o->children[i].node);
    mutex_lock(&registry_lock);
    err = find_disks(o, c, why);
    if (!err) {
        o->store.base = disk_of(o->base);
        o->store.state = disk_of(o->state);
        err = overlay_store_open(&o->store,
                                 c->reset ? OVERLAY_RESET : OVERLAY_KEEP, why);
    }
    if (!err)
        err = start(o, c->name, why);
    if (!err)
        list_push_back(&overlays, &o->node);
    mutex_unlock(&registry_lock);
    if (err)
        free_overlay(o);
    return err;
}

/* Registry locked. */
static struct overlay *find(const char *name)
{
    list_for_each (n, &overlays) {
        struct overlay *o = container_of(n, struct overlay, node);

        if (strcmp(o->block.name, name) == 0)
            return o;
    }
    return NULL;
}

int overlay_remove(const char *name)
{
    struct overlay *o;
    int err = 0;

    mutex_lock(&registry_lock);
    o = find(name);
    if (!o)
        err = -ENOENT;
    else if (o->block.refs > 1) /* more than the block layer's own */
        err = -EBUSY;
    else
        list_remove(&o->node);
    mutex_unlock(&registry_lock);
    if (!err)
        block_unregister(&o->block);
    return err;
}

int overlay_get_info(const char *name, struct overlay_info *out)
{
    const uint64_t chunk = (uint64_t)OVERLAY_CHUNK * BLOCK_SECTOR;
    struct overlay *o;

    mutex_lock(&registry_lock);
    o = find(name);
    if (o) {
        memcpy(out->base, o->base->name, sizeof(out->base));
        memcpy(out->state, o->state->name, sizeof(out->state));
        out->used = o->store.map.taken * chunk;
        out->size = o->store.map.shape.slots * chunk;
    }
    mutex_unlock(&registry_lock);
    return o ? 0 : -ENOENT;
}
