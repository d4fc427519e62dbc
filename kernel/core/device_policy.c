/*
 * What becomes of each device. Until somebody decides by device_assign, every
 * device is ours and gets the first driver that matches. Decisions are kept by
 * name, so that a device which goes and comes again, as the children of a bus
 * that is bound again do, finds its own. Thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/unit.h>

#include "device_internal.h"

#define DECISIONS_MAX 512 /* a policy that goes mad fills no more */

static const char default_reason[] = "default: the first driver that matches";

struct decision {
    struct list node;
    char name[DEVICE_NAME_MAX];
    enum device_owner owner;
    char reserved_for[DEVICE_NAME_MAX];
    char driver[DEVICE_NAME_MAX]; /* "": any that matches */
    char why[64];
};

static struct list decisions = LIST_INIT(decisions); /* lock: the tree's */
static unsigned decision_count;                      /* the same */

static void copy_text(char *out, size_t size, const char *text)
{
    size_t n = text ? strnlen(text, size - 1) : 0;

    memcpy(out, text ? text : "", n);
    out[n] = '\0';
}

static struct decision *decision_find(const char *name)
{
    list_for_each (n, &decisions) {
        struct decision *c = container_of(n, struct decision, node);

        if (strcmp(c->name, name) == 0)
            return c;
    }
    return NULL;
}

static struct decision *decision_make(const char *name)
{
    struct decision *c = decision_find(name);

    if (c || decision_count == DECISIONS_MAX)
        return c;
    c = kzalloc(sizeof(*c));
    if (!c)
        return NULL;
    copy_text(c->name, sizeof(c->name), name);
    list_push_back(&decisions, &c->node);
    decision_count++;
    return c;
}

static void device_take_decision(struct device *d, const struct decision *c)
{
    d->owner = c ? c->owner : DEVICE_OURS;
    copy_text(d->reserved_for, sizeof(d->reserved_for),
              c ? c->reserved_for : NULL);
    copy_text(d->why, sizeof(d->why), c ? c->why : default_reason);
}

static const char *decided_driver(const struct decision *c)
{
    return c && c->driver[0] ? c->driver : NULL;
}

void device_decide(struct device *d)
{
    const struct decision *c = decision_find(d->name);

    device_take_decision(d, c);
    if (d->owner == DEVICE_OURS)
        device_bind_locked(d, decided_driver(c));
}

/* A driver that is named must be there and fit before anything is undone. */
static int check_driver(const struct device *d, const char *driver)
{
    const struct driver *drv = driver ? driver_find(driver) : NULL;

    if (!driver)
        return 0;
    if (!drv)
        return -ENOENT;
    return drv->bus == d->bus && d->bus->match(d, drv) ? 0 : -ENOTSUP;
}

static int assign_locked(struct device *d, enum device_owner owner,
                         const char *reserved_for, const char *driver,
                         const char *why)
{
    int err = check_driver(d, driver);
    struct decision *c = err ? NULL : decision_make(d->name);

    if (!c)
        return err ? err : -ENOMEM;
    c->owner = owner;
    copy_text(c->reserved_for, sizeof(c->reserved_for),
              owner == DEVICE_GUEST ? reserved_for : NULL);
    copy_text(c->driver, sizeof(c->driver), driver);
    copy_text(c->why, sizeof(c->why), why);
    device_take_decision(d, c);
    if (d->state == DEVICE_BOUND &&
        (owner != DEVICE_OURS ||
         (driver && strcmp(d->driver->name, driver) != 0)))
        device_unbind_locked(d);
    if (owner != DEVICE_OURS || d->state == DEVICE_BOUND)
        return 0;
    err = device_bind_locked(d, driver);
    return driver || err != -ENOENT ? err : 0; /* nobody drives it: so be it */
}

int device_assign(const char *name, enum device_owner owner,
                  const char *reserved_for, const char *driver, const char *why)
{
    struct device *d;
    int err = -ENODEV;

    device_lock();
    d = device_find(name);
    if (d)
        err = assign_locked(d, owner, reserved_for, driver, why);
    device_unlock();
    return err;
}
