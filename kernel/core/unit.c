/*
 * The unit registry: starts and stops what the linker gathered in the section
 * rayos_units. Thread context, one thread: boot, later shutdown.
 */
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/panic.h>
#include <rayos/unit.h>

#include <errno.h>

#include "unit_order.h"

/* kernel.ld, or the linker by itself: the ends of the section. */
extern const struct unit __start_rayos_units[], __stop_rayos_units[];

static uint16_t order[UNIT_MAX];
static nstime_t durations[UNIT_MAX]; /* by place in `order` */
static size_t unit_count;            /* 0 until the order is known */

static void unit_start(const struct unit *u, nstime_t *duration)
{
    nstime_t before = clock_now();
    int err = u->start ? u->start() : 0;

    *duration = clock_now() - before;
    if (err == 0) {
        *u->state = UNIT_STARTED;
        log_debug("unit", "%s started in %llu us", u->name,
                  (unsigned long long)(*duration / NS_PER_US));
    } else if (err == -ENODEV) {
        *u->state = UNIT_ABSENT;
        log_debug("unit", "%s: not in this machine", u->name);
    } else {
        *u->state = UNIT_FAILED;
        if (u->vital)
            panic("unit '%s' failed to start: error %d", u->name, err);
        log_error("unit", "%s failed to start: error %d", u->name, err);
    }
}

void units_start(void)
{
    size_t n = (size_t)(__stop_rayos_units - __start_rayos_units);
    char error[256];

    if (unit_order(__start_rayos_units, n, order, error, sizeof(error)))
        panic("%s", error);
    unit_count = n;
    for (size_t i = 0; i < n; i++)
        unit_start(unit_at(i), &durations[i]);
}

void units_stop(void)
{
    for (size_t i = unit_count; i-- > 0;) {
        const struct unit *u = unit_at(i);

        if (*u->state != UNIT_STARTED)
            continue;
        if (u->stop) {
            u->stop();
            log_debug("unit", "%s stopped", u->name);
        }
        *u->state = UNIT_IDLE;
    }
}

const struct unit *unit_at(size_t i)
{
    return i < unit_count ? &__start_rayos_units[order[i]] : NULL;
}

nstime_t unit_start_duration(size_t i)
{
    return i < unit_count ? durations[i] : 0;
}
