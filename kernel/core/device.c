/*
 * The device tree: what the buses found, which driver has what, and what the
 * policy said about it. Everything here is thread context, under one mutex
 * that the thread which holds it may take again: a probe adds the children
 * that it finds.
 */
#include <rayos/device.h>

#include <errno.h>
#include <string.h>

#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/sync.h>

#include "device_internal.h"

/* kernel.ld, or the linker by itself: the ends of the section of DRIVER. */
extern const struct driver __start_rayos_drivers[] __attribute__((weak)),
    __stop_rayos_drivers[] __attribute__((weak));

static struct mutex tree = MUTEX_INIT(tree);
static _Atomic(struct thread *) holder; /* of `tree` */
static unsigned depth;                  /* how often; holder's */

static struct list roots = LIST_INIT(roots); /* lock: tree, all below */
static struct list all = LIST_INIT(all);     /* in the order of device_add */
static uint32_t last_id;
static uint64_t changes;
static bool closing; /* the system goes down: nothing is bound any more */

void device_lock(void)
{
    /* Nobody else stores this thread's own address. */
    if (holder != thread_current()) {
        mutex_lock(&tree);
        holder = thread_current();
    }
    depth++;
}

void device_unlock(void)
{
    if (--depth)
        return;
    holder = NULL;
    mutex_unlock(&tree);
}

uint64_t device_changes(void)
{
    uint64_t n;

    device_lock();
    n = changes;
    device_unlock();
    return n;
}

/* --- walking --- */

static struct list *siblings_of(struct device *d)
{
    return d->parent ? &d->parent->children : &roots;
}

static struct device *device_at(struct list *head, struct list *node)
{
    return node == head ? NULL : container_of(node, struct device, sibling);
}

/* The next one, parents before children. */
static struct device *device_next(struct device *d)
{
    struct device *next;

    if (!list_empty(&d->children))
        return device_at(&d->children, d->children.next);
    for (; d; d = d->parent) {
        next = device_at(siblings_of(d), d->sibling.next);
        if (next)
            return next;
    }
    return NULL;
}

static struct device *device_first(void)
{
    return device_at(&roots, roots.next);
}

struct device *device_find(const char *name)
{
    list_for_each (n, &all) {
        struct device *d = container_of(n, struct device, all);

        if (strcmp(d->name, name) == 0)
            return d;
    }
    return NULL;
}

int device_with(const char *name, int (*fn)(struct device *d, void *arg),
                void *arg)
{
    struct device *d;
    int answer;

    device_lock();
    d = device_find(name);
    answer = d ? fn(d, arg) : -ENODEV;
    device_unlock();
    return answer;
}

int device_for_each(int (*fn)(struct device *d, void *arg), void *arg)
{
    int answer = 0;

    device_lock();
    for (struct device *d = device_first(); d && !answer; d = device_next(d))
        answer = fn(d, arg);
    device_unlock();
    return answer;
}

/* --- drivers --- */

const struct driver *driver_at(size_t i)
{
    size_t n = (size_t)(__stop_rayos_drivers - __start_rayos_drivers);

    return i < n ? &__start_rayos_drivers[i] : NULL;
}

const struct driver *driver_find(const char *name)
{
    const struct driver *drv;

    for (size_t i = 0; (drv = driver_at(i)); i++)
        if (strcmp(drv->name, name) == 0)
            return drv;
    return NULL;
}

static bool driver_matches(const struct device *d, const struct driver *drv)
{
    return drv->bus == d->bus && d->bus->match(d, drv);
}

/* --- binding; lock held --- */

static void device_quiesce(struct device *d)
{
    d->driver_data = NULL;
    if (d->bus->quiesce)
        d->bus->quiesce(d);
}

static int device_probe(struct device *d, const struct driver *drv)
{
    int err;

    d->driver = drv;
    changes++;
    err = drv->probe(d);
    d->error = err;
    if (err) {
        d->state = err == -ENODEV ? DEVICE_UNBOUND : DEVICE_FAILED;
        d->driver = err == -ENODEV ? NULL : drv;
        device_quiesce(d);
        if (d->state == DEVICE_FAILED)
            device_event(d, DEVICE_EVENT_FAILED);
        return err;
    }
    d->state = DEVICE_BOUND;
    d->binds++;
    device_event(d, DEVICE_EVENT_BOUND);
    return 0;
}

/* The first driver that takes it; one that answers -ENODEV has looked closer
 * than its table: this is not its device, or it is not there. */
static int device_probe_any(struct device *d)
{
    const struct driver *drv;
    int err = -ENOENT;

    for (size_t i = 0; (drv = driver_at(i)); i++) {
        if (!driver_matches(d, drv))
            continue;
        err = device_probe(d, drv);
        if (err != -ENODEV)
            break;
    }
    return err;
}

int device_bind_locked(struct device *d, const char *driver)
{
    const struct driver *drv;
    int err;

    if (d->state == DEVICE_BOUND || d->owner != DEVICE_OURS || closing)
        return -EBUSY;
    if (!driver) {
        err = device_probe_any(d);
    } else {
        drv = driver_find(driver);
        if (!drv)
            return -ENOENT;
        err = driver_matches(d, drv) ? device_probe(d, drv) : -ENOTSUP;
    }
    if (d->state == DEVICE_FAILED)
        log_warn("device", "%s: driver %s failed: error %d", d->name,
                 d->driver->name, err);
    else if (d->state == DEVICE_BOUND)
        log_info("device", "%s: driver %s", d->name, d->driver->name);
    return err;
}

int device_unbind_locked(struct device *d)
{
    if (d->state != DEVICE_BOUND)
        return -EINVAL;
    d->driver->remove(d);
    device_quiesce(d);
    log_debug("device", "%s: driver %s let go", d->name, d->driver->name);
    d->state = DEVICE_UNBOUND;
    d->driver = NULL;
    changes++;
    device_event(d, DEVICE_EVENT_UNBOUND);
    return 0;
}

/* --- for buses --- */

int device_add(struct device *d)
{
    device_lock();
    if (device_find(d->name)) {
        device_unlock();
        return -EEXIST;
    }
    d->id = ++last_id;
    list_init(&d->children);
    list_push_back(siblings_of(d), &d->sibling);
    list_push_back(&all, &d->all);
    d->driver = NULL;
    d->driver_data = NULL;
    d->state = DEVICE_UNBOUND;
    d->error = 0;
    d->binds = 0;
    changes++;
    device_event(d, DEVICE_EVENT_ADDED);
    device_decide(d);
    device_unlock();
    return 0;
}

void device_remove(struct device *d)
{
    device_lock();
    device_unbind_locked(d);
    while (!list_empty(&d->children))
        device_remove(device_at(&d->children, d->children.next));
    list_remove(&d->sibling);
    list_remove(&d->all);
    changes++;
    device_event(d, DEVICE_EVENT_REMOVED);
    device_unlock();
}

/* --- for people --- */

int device_bind(const char *name, const char *driver)
{
    struct device *d;
    int err = -ENODEV;

    device_lock();
    d = device_find(name);
    if (d)
        err = device_bind_locked(d, driver);
    device_unlock();
    return err;
}

int device_unbind(const char *name)
{
    struct device *d;
    int err = -ENODEV;

    device_lock();
    d = device_find(name);
    if (d)
        err = device_unbind_locked(d);
    device_unlock();
    return err;
}

/* The last in the order of the walk is nobody's parent. */
static struct device *last_bound(void)
{
    struct device *last = NULL;

    for (struct device *d = device_first(); d; d = device_next(d))
        if (d->state == DEVICE_BOUND)
            last = d;
    return last;
}

void device_unbind_all(void)
{
    struct device *d;

    device_lock();
    closing = true;
    while ((d = last_bound()))
        device_unbind_locked(d);
    device_unlock();
}
