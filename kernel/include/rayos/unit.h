/*
 * The unit registry. Every subsystem and driver declares one unit where it is
 *defined; the linker gathers the descriptors, boot starts them in dependency
 *order, shutdown stops them in reverse.
 *
 *	static int pic_start(void) { ... return 0; }
 *	UNIT(pic, .after = "irq acpi", .start = pic_start);
 */
#ifndef RAYOS_UNIT_H
#define RAYOS_UNIT_H

#include <rayos/types.h>

enum unit_state { UNIT_IDLE, UNIT_STARTED, UNIT_ABSENT, UNIT_FAILED };

struct unit {
    const char *name;
    /* Names of units that start before this one, separated by spaces; a name
     * that no unit has is an error at boot. NULL: none. */
    const char *after;
    /* Thread context, scheduler running. 0, or -ENODEV when the machine does
     * not have the thing (not a failure), or another negative errno (logged;
     * boot goes on unless `vital`). */
    int (*start)(void);
    /* Thread context, in reverse order, at shutdown; may be NULL. */
    void (*stop)(void);
    bool vital; /* panic when start fails */
    /* Written by the registry. */
    enum unit_state *state;
};

#define UNIT(ident, ...)                                              \
    static enum unit_state unit_state_##ident;                        \
    static const struct unit unit_##ident                             \
        __attribute__((used, section("rayos_units"), aligned(8))) = { \
            .name = #ident, .state = &unit_state_##ident, __VA_ARGS__}

/* Start all units in order. Panics on an unknown name in `after` or on a cycle.
 */
void units_start(void);
/* Stop all started units, in reverse order of their start. */
void units_stop(void);
/* i-th unit in start order for listings, NULL past the end. */
const struct unit *unit_at(size_t i);
/* How long its start took. */
nstime_t unit_start_duration(size_t i);

#endif
