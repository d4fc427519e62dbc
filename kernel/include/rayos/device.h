/*
 * The device tree, and who drives what. A bus finds devices and adds them; a
 * driver declares what it can drive; the device policy decides what becomes of
 * each device (kernel/core/device*.c has a built-in default). Binding may be
 * undone and done again at any time.
 *
 * One mutex, the tree lock, is held around probe, remove and changes of the
 * tree; everything here is thread context.
 */
#ifndef RAYOS_DEVICE_H
#define RAYOS_DEVICE_H

#include <rayos/list.h>
#include <rayos/types.h>

#define DEVICE_NAME_MAX 32

struct device;
struct driver;
struct device_report;

/* What the policy says about a device. */
enum device_owner {
    DEVICE_OURS,  /* a driver of ours may bind */
    DEVICE_GUEST, /* reserved for the guest `reserved_for` */
    DEVICE_LEFT   /* left alone */
};

enum device_state {
    DEVICE_UNBOUND, /* no driver wants it, or it was unbound */
    DEVICE_BOUND,
    DEVICE_FAILED, /* its driver's probe failed: `error` */
};

struct bus {
    const char *name; /* "pci", "virtio", "isa" */
    /* Does this driver's table name this device? */
    bool (*match)(const struct device *d, const struct driver *drv);
    /* Its properties as the bus knows them (ids, BARs, ...). May be NULL. */
    void (*describe)(const struct device *d, struct device_report *r);
    /* After remove, or a failed probe: switch off what the driver may have left
     * on (bus mastering, interrupts). May be NULL. */
    void (*quiesce)(struct device *d);
};

/* Part of a bus's own structure (struct pci_device, ...), which owns it. */
struct device {
    char name[DEVICE_NAME_MAX]; /* unique: "pci:00:1f.2", "virtio:blk0" */
    uint32_t id; /* unique, never used again; set by device_add */
    const struct bus *bus;
    struct device *parent; /* NULL: a root */
    /* The rest is set by device.c; lock: the tree's. */
    struct list children, sibling, all;
    const struct driver *driver; /* bound, or whose probe failed */
    void *driver_data;           /* the driver's, while bound */
    enum device_state state;
    int error; /* of the last probe, 0: none yet, or it went well */
    enum device_owner owner;
    char reserved_for[DEVICE_NAME_MAX];
    char why[64]; /* the policy's reason */
    uint64_t binds;
};

/* What a driver can drive; its bus knows the shape of `ids`. */
struct driver {
    const char *name;
    const struct bus *bus;
    const void *ids; /* ends with an all-zero entry */
    /* 0, or a negative errno: nothing is left behind. -ENODEV: this is no
     * device of mine after all, or there is none: no failure, the next may try.
     */
    int (*probe)(struct device *d);
    /* Everything given back; no interrupt of the device runs any more; users
     * (open block devices, streams) see -ENODEV from now on. */
    void (*remove)(struct device *d);
    /* The driver's own properties (statistics). May be NULL. */
    void (*describe)(const struct device *d, struct device_report *r);
};

#define DRIVER(ident, ...)                                              \
    static const struct driver driver_##ident                           \
        __attribute__((used, section("rayos_drivers"), aligned(8))) = { \
            .name = #ident, __VA_ARGS__}

/* --- for buses --- */

/* Into the tree; then, when the policy so decides, the driver's probe. -EEXIST
 * for a name that is taken. A device added while the system starts is bound at
 * once by the built-in default; the policy may change that later. */
int device_add(struct device *d);
/* Unbind, remove the children, and take it out of the tree. */
void device_remove(struct device *d);

/* --- for the policy and for people --- */

/* By name, with the tree lock held for the time of the call of fn; -ENODEV. */
int device_with(const char *name, int (*fn)(struct device *d, void *arg),
                void *arg);
/* Depth first, parents before children; stops at the first non-zero answer and
 * returns it. Tree lock held. */
int device_for_each(int (*fn)(struct device *d, void *arg), void *arg);
/* -ENODEV: no such device; -ENOENT: no such driver; -EBUSY: bound already, or
 * not ours; -ENOTSUP: the driver does not name this device; or the probe's.
 * `driver` NULL: the first that matches. */
int device_bind(const char *name, const char *driver);
/* -ENODEV; -EINVAL: it is not bound. */
int device_unbind(const char *name);
/* Decide; unbinds when it is no longer ours, binds when it has become ours, or
 * another driver's; what was unbound by hand stays so otherwise.
 * `driver` NULL: any that matches. `why` is kept. */
int device_assign(const char *name, enum device_owner owner,
                  const char *reserved_for, const char *driver,
                  const char *why);
/* The same for many, all or nothing: when one cannot be, nothing is changed,
 * and *bad is its index. Errors of single probes afterwards are the devices'
 * own. */
struct device_assignment {
    const char *name, *reserved_for, *driver, *why;
    enum device_owner owner;
};
int device_assign_all(const struct device_assignment *a, size_t n, size_t *bad);

/* What became of the policy file when it was last loaded. */
#define DEVICE_POLICY_TEXT 240
struct device_policy_status {
    bool in_force; /* else the built-in default */
    uint32_t loads, failures;
    char error[DEVICE_POLICY_TEXT]; /* of the last load; "": none */
};
void device_policy_get(struct device_policy_status *out);
/* Noted by who loads it: NULL: it is in force now; else why it is not, and what
 * was in force stays. */
void device_policy_note(const char *error);

/* i-th driver in link order, NULL past the end. */
const struct driver *driver_at(size_t i);
/* Everything bound is unbound, children first, and nothing is bound any more:
 * shutdown. */
void device_unbind_all(void);
/* Grows with every change: a device added, removed, bound, unbound. */
uint64_t device_changes(void);

/* --- properties: called from describe functions --- */

void device_report_number(struct device_report *r, const char *name,
                          uint64_t value);
/* Printed in hexadecimal. */
void device_report_hex(struct device_report *r, const char *name,
                       uint64_t value);
void device_report_text(struct device_report *r, const char *name,
                        const char *text);

/* Who listens to a report (the Lua binding does). */
struct device_report {
    void (*number)(struct device_report *r, const char *name, uint64_t value,
                   bool hex);
    void (*text)(struct device_report *r, const char *name, const char *text);
};
/* All properties of a device: bus's, then driver's. Tree lock held. */
void device_describe(const struct device *d, struct device_report *r);

#endif
