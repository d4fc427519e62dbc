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
    bool fresh; /* it has become ours, or another driver's: to be bound */
};

static struct list decisions = LIST_INIT(decisions); /* lock: the tree's */
static unsigned decision_count;                      /* the same */
static struct device_policy_status status;           /* the same */

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

/* A new one says what is so. */
static struct decision *decision_make(const struct device *d)
{
    struct decision *c = decision_find(d->name);

    if (c || decision_count == DECISIONS_MAX)
        return c;
    c = kzalloc(sizeof(*c));
    if (!c)
        return NULL;
    copy_text(c->name, sizeof(c->name), d->name);
    c->owner = d->owner;
    copy_text(c->reserved_for, sizeof(c->reserved_for), d->reserved_for);
    copy_text(c->why, sizeof(c->why), d->why);
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

/* Everything that can fail for want of something is done here. */
static int prepare(const struct device_assignment *a)
{
    const struct device *d = device_find(a->name);
    int err = d ? check_driver(d, a->driver) : -ENODEV;

    if (err)
        return err;
    return decision_make(d) ? 0 : -ENOMEM;
}

static void decide(const struct device_assignment *a)
{
    struct device *d = device_find(a->name);
    struct decision *c = decision_find(a->name);

    c->fresh = d->owner != DEVICE_OURS ||
               (a->driver && strcmp(a->driver, c->driver) != 0);
    c->owner = a->owner;
    copy_text(c->reserved_for, sizeof(c->reserved_for),
              a->owner == DEVICE_GUEST ? a->reserved_for : NULL);
    copy_text(c->driver, sizeof(c->driver), a->driver);
    copy_text(c->why, sizeof(c->why), a->why);
    device_take_decision(d, c);
}

/* What is no longer ours, or another driver's, is let go. */
static void release(const struct device_assignment *a)
{
    struct device *d = device_find(a->name);

    if (d && d->state == DEVICE_BOUND &&
        (d->owner != DEVICE_OURS ||
         (a->driver && strcmp(d->driver->name, a->driver) != 0)))
        device_unbind_locked(d);
}

/* To unbind a bus takes its children away: they find their decisions when they
 * come again. */
static int take(const struct device_assignment *a)
{
    struct device *d = device_find(a->name);
    const struct decision *c = decision_find(a->name);
    int err;

    /* Nothing new: what was unbound by hand, or has failed, stays so. */
    if (!d || d->owner != DEVICE_OURS || d->state == DEVICE_BOUND || !c->fresh)
        return 0;
    err = device_bind_locked(d, a->driver);
    if (!a->driver && (err == -ENOENT || err == -ENODEV))
        return 0; /* nobody drives it, or it is not there */
    return err;
}

static int assign_locked(const struct device_assignment *a, size_t n,
                         size_t *bad)
{
    int err;

    for (size_t i = 0; i < n; i++) {
        *bad = i;
        err = prepare(&a[i]);
        if (err)
            return err;
    }
    for (size_t i = 0; i < n; i++)
        decide(&a[i]);
    for (size_t i = 0; i < n; i++)
        release(&a[i]);
    err = 0;
    for (size_t i = 0; i < n; i++)
        err = take(&a[i]);
    return n == 1 ? err : 0;
}

int device_assign_all(const struct device_assignment *a, size_t n, size_t *bad)
{
    int err;

    device_lock();
    err = assign_locked(a, n, bad);
    device_unlock();
    return err;
}

int device_assign(const char *name, enum device_owner owner,
                  const char *reserved_for, const char *driver, const char *why)
{
    const struct device_assignment a = {
        .name = name,
        .owner = owner,
        .reserved_for = reserved_for,
        .driver = driver,
        .why = why,
    };
    size_t bad;

    return device_assign_all(&a, 1, &bad);
}

/* --- the policy file --- */

void device_policy_get(struct device_policy_status *out)
{
    device_lock();
    *out = status;
    device_unlock();
}

void device_policy_note(const char *error)
{
    device_lock();
    copy_text(status.error, sizeof(status.error), error);
    if (error) {
        status.failures++;
    } else {
        status.loads++;
        status.in_force = true;
    }
    device_unlock();
    if (error)
        log_warn("device", "policy: %s", error);
}

/* Stops before the buses and whatever the drivers need. */
UNIT(devices, .after = "pci platform", .stop = device_unbind_all);
