/* What rules can do to domains. Run on the reflex thread. */
#include <errno.h>
#include <string.h>

#include <rayos/fmt.h>
#include <rayos/reflex.h>

#include "lua/domain.h"

/* With a reference; NULL. */
static struct domain *domain_of_id(int64_t id)
{
    struct domain *d;

    if (id < 1 || id > UINT32_MAX)
        return NULL;
    d = domain_next((uint32_t)id - 1);
    if (d && d->id != (uint32_t)id) {
        domain_put(d);
        return NULL;
    }
    return d;
}

static int action_stop_domain(const struct reflex_args *a)
{
    struct domain *d = domain_of_id(a->number[0]);
    char why[REFLEX_NAME_MAX + 24];

    if (!d)
        return -ENOENT;
    fmt_snprintf(why, sizeof(why), "stopped by rule '%s'", a->rule);
    domain_kill(d, why);
    domain_put(d);
    return 0;
}

REFLEX_ACTION(stop_domain, .capability = "domain",
              .doc = "end a Lua domain: its id", .args = "n",
              .run = action_stop_domain);
