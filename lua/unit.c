/*
 * The unit that starts Lua: the first domain, "init", with all capabilities and
 * no console of its own (lua/init.lua says what is started). At shutdown all
 * domains are asked to end. Thread context.
 */
#include <errno.h>

#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/unit.h>

#include "lua/domain.h"

#define INIT_FILE     "/boot/lua/init.lua"
#define STOP_PATIENCE (2 * NS_PER_SEC)

static int lua_start(void)
{
    struct domain_spec spec = {
        .name = "init",
        .file = INIT_FILE,
        .memory = DOMAIN_MEMORY,
        .stack = DOMAIN_STACK,
        .priority = PRIO_CONTROL,
        .caps = kzalloc(sizeof(*spec.caps)),
    };
    struct domain *d;
    int err;

    if (!spec.caps)
        return -ENOMEM;
    caps_add(spec.caps, "*");
    err = domain_create(&spec, &d);
    if (!err)
        domain_put(d);
    return err;
}

/* The first domain is killed first: it would restart the others. */
static void lua_stop(void)
{
    nstime_t deadline = clock_now() + STOP_PATIENCE;
    struct domain *d;

    for (uint32_t id = 0; (d = domain_next(id)); domain_put(d)) {
        id = d->id;
        domain_kill(d, "the system stops");
    }
    while ((d = domain_next(0))) {
        int err = domain_wait(d, deadline);

        if (err)
            log_warn("lua", "domain %s does not end", d->name);
        domain_put(d);
        if (err)
            break;
    }
}

UNIT(lua, .after = "vfs serial terminal devices", .start = lua_start,
     .stop = lua_stop);
