/*
 * Monitors and links: who is told, and who dies too, when a domain ends. The
 * notice is allocated when the monitor is made, so that it cannot fail at the
 * time of death. Thread context; any thread.
 */
#include <errno.h>

#include <rayos/fmt.h>

#include "lua/message.h"

struct monitor {
    struct list node; /* lock: the watched domain's */
    struct domain *watcher;
    struct message *notice;
    bool link;
};

bool domain_ended_well(const struct domain *d)
{
    return d->reason.kind == END_EXIT && d->reason.code == 0;
}

static void monitor_free(struct monitor *m)
{
    if (m->notice)
        message_free(m->notice);
    domain_put(m->watcher);
    kfree(m);
}

/* A link is two monitors: when one side is gone, the other is not needed. */
static void monitor_remove_link(struct domain *d, const struct domain *watcher)
{
    struct monitor *found = NULL;
    irqflags_t flags = spin_lock(&d->lock);

    list_for_each (n, &d->monitors) {
        struct monitor *m = container_of(n, struct monitor, node);

        if (m->link && m->watcher == watcher) {
            found = m;
            list_remove(n);
            break;
        }
    }
    spin_unlock(&d->lock, flags);
    if (found)
        monitor_free(found);
}

static void monitor_tell(struct domain *dead, struct monitor *m)
{
    char why[DOMAIN_NAME_MAX + 40];

    if (m->link) {
        monitor_remove_link(m->watcher, dead);
        fmt_snprintf(why, sizeof(why), "linked domain '%s' died", dead->name);
        if (!domain_ended_well(dead))
            domain_kill(m->watcher, why);
    } else {
        domain_get(dead);
        m->notice->from = dead;
        if (!mailbox_post(&m->watcher->mailbox, m->notice))
            m->notice = NULL;
    }
    monitor_free(m);
}

int domain_monitor(struct domain *d, struct domain *watcher, bool link)
{
    struct monitor *m = kzalloc(sizeof(*m));
    irqflags_t flags;
    bool dead;

    if (!m)
        return -ENOMEM;
    m->notice = link ? NULL : message_create_down();
    if (!link && !m->notice) {
        kfree(m);
        return -ENOMEM;
    }
    domain_get(watcher);
    m->watcher = watcher;
    m->link = link;
    flags = spin_lock(&d->lock);
    dead = d->state == DOMAIN_DEAD;
    if (!dead)
        list_push_back(&d->monitors, &m->node);
    spin_unlock(&d->lock, flags);
    if (dead)
        monitor_tell(d, m);
    return 0;
}

void domain_monitors_tell(struct domain *d)
{
    struct list *n;

    do {
        irqflags_t flags = spin_lock(&d->lock);

        n = list_pop_front(&d->monitors);
        spin_unlock(&d->lock, flags);
        if (n)
            monitor_tell(d, container_of(n, struct monitor, node));
    } while (n);
}
