/* Between the files of the device tree. Tree lock held, but where said. */
#ifndef KERNEL_CORE_DEVICE_INTERNAL_H
#define KERNEL_CORE_DEVICE_INTERNAL_H

#include <rayos/device.h>

/* The tree lock, which its holder may take again. Thread context. */
void device_lock(void);
void device_unlock(void);

enum device_event_code {
    DEVICE_EVENT_ADDED,
    DEVICE_EVENT_REMOVED,
    DEVICE_EVENT_BOUND,
    DEVICE_EVENT_UNBOUND,
    DEVICE_EVENT_FAILED,
};
void device_event(const struct device *d, enum device_event_code code);

struct device *device_find(const char *name);
const struct driver *driver_find(const char *name);
/* As device_bind; -EINVAL: it is not bound. */
int device_bind_locked(struct device *d, const char *driver);
int device_unbind_locked(struct device *d);
/* A new device: what the policy said about its name, else the default; then
 * bound, if it is ours. */
void device_decide(struct device *d);

#endif
