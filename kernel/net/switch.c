/*
 * Learning switches: see switch.h. A frame is copied once for each port that
 * gets it, under its switch's lock: networks do not wait for each other. Thread
 * context.
 *
 * Locks, in this order: `list_lock` (which switches there are, and that one
 * found in the list stays), a switch's own (its ports, what it has learned,
 * their counters), and what `deliver` takes. Ports come and go under both of
 * ours. Who sends takes the switch's only: it lives as long as it has a port,
 * and the sender's own does not leave while it sends.
 */
#include <rayos/switch.h>

#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/sync.h>

#define LEARNED 64                 /* addresses for each switch */
#define AGE     (300 * NS_PER_SEC) /* 802.1D table 7-5 */
#define GROUP   1u                 /* bit of an address's first byte */

struct learned {
    uint8_t mac[MAC_SIZE];
    struct switch_port *port; /* NULL: free */
    nstime_t seen;
};

struct net_switch {
    char name[SWITCH_NAME_MAX]; /* constant */
    struct mutex lock;
    struct list ports;               /* lock */
    struct learned learned[LEARNED]; /* lock */
    struct list all;                 /* list_lock */
};

static struct mutex list_lock = MUTEX_INIT(list_lock);
static struct list switches = LIST_INIT(switches); /* list_lock */

/* --- who is there --- */

static struct net_switch *find(const char *name)
{
    list_for_each (n, &switches) {
        struct net_switch *s = container_of(n, struct net_switch, all);

        if (strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

static struct net_switch *make(const char *name)
{
    struct net_switch *s = kzalloc(sizeof(*s));

    if (!s)
        return NULL;
    fmt_snprintf(s->name, sizeof(s->name), "%s", name);
    mutex_init(&s->lock);
    list_init(&s->ports);
    list_push_back(&switches, &s->all);
    return s;
}

int switch_connect(struct switch_port *p, const char *name)
{
    struct net_switch *s;
    size_t n = strlen(name);

    if (!n || n >= SWITCH_NAME_MAX)
        return -EINVAL;
    mutex_lock(&list_lock);
    s = find(name);
    if (!s)
        s = make(name);
    p->on = s;
    if (s) {
        mutex_lock(&s->lock);
        list_push_back(&s->ports, &p->node);
        mutex_unlock(&s->lock);
    }
    mutex_unlock(&list_lock);
    return s ? 0 : -ENOMEM;
}

/* Both locks held. */
static void forget(struct net_switch *s, const struct switch_port *p)
{
    for (size_t i = 0; i < LEARNED; i++)
        if (s->learned[i].port == p)
            s->learned[i].port = NULL;
}

void switch_disconnect(struct switch_port *p)
{
    struct net_switch *s = p->on;
    bool last;

    if (!s)
        return;
    mutex_lock(&list_lock);
    mutex_lock(&s->lock);
    list_remove(&p->node);
    p->on = NULL;
    forget(s, p);
    last = list_empty(&s->ports);
    mutex_unlock(&s->lock);
    if (last) { /* so nobody sends, and nobody finds it */
        list_remove(&s->all);
        kfree(s);
    }
    mutex_unlock(&list_lock);
}

/* Its port `*i`; if it has fewer, their number is taken off. */
static bool port_at(struct net_switch *s, size_t *i, struct switch_info *out)
{
    bool found = false;

    mutex_lock(&s->lock);
    list_for_each (m, &s->ports) {
        struct switch_port *p = container_of(m, struct switch_port, node);

        if (found || (*i)-- != 0)
            continue;
        found = true;
        fmt_snprintf(out->name, sizeof(out->name), "%s", s->name);
        fmt_snprintf(out->port, sizeof(out->port), "%s", p->name);
        out->counters = p->counters;
    }
    mutex_unlock(&s->lock);
    return found;
}

bool switch_port_at(size_t i, struct switch_info *out)
{
    bool found = false;

    mutex_lock(&list_lock);
    list_for_each (n, &switches)
        if (!found)
            found = port_at(container_of(n, struct net_switch, all), &i, out);
    mutex_unlock(&list_lock);
    return found;
}

/* --- frames --- */

static struct learned *look_up(struct net_switch *s, const uint8_t *mac)
{
    for (size_t i = 0; i < LEARNED; i++)
        if (s->learned[i].port && memcmp(s->learned[i].mac, mac, MAC_SIZE) == 0)
            return &s->learned[i];
    return NULL;
}

/* The place of an address: its own, a free one, or the one unused longest, so
 * that somebody who invents addresses forgets his own. */
static struct learned *place_for(struct net_switch *s, const uint8_t *mac)
{
    struct learned *best = look_up(s, mac);

    for (size_t i = 0; i < LEARNED && !best; i++)
        if (!s->learned[i].port)
            best = &s->learned[i];
    if (best)
        return best;
    best = &s->learned[0];
    for (size_t i = 1; i < LEARNED; i++)
        if (s->learned[i].seen < best->seen)
            best = &s->learned[i];
    return best;
}

static void learn(struct net_switch *s, struct switch_port *p,
                  const uint8_t *mac, nstime_t now)
{
    struct learned *l;

    if (mac[0] & GROUP)
        return;
    l = place_for(s, mac);
    memcpy(l->mac, mac, MAC_SIZE);
    l->port = p;
    l->seen = now;
}

static void hand_over(struct switch_port *to, const void *frame, size_t n)
{
    if (to->deliver(to, frame, n)) {
        to->counters.received++;
        to->counters.received_bytes += n;
    } else {
        to->counters.dropped++;
    }
}

static void forward(struct net_switch *s, struct switch_port *from,
                    const void *frame, size_t n)
{
    const uint8_t *mac = frame;
    nstime_t now = clock_now();
    const struct learned *to;

    learn(s, from, mac + MAC_SIZE, now);
    to = mac[0] & GROUP ? NULL : look_up(s, mac);
    if (to && now - to->seen < AGE) {
        if (to->port != from)
            hand_over(to->port, frame, n);
        return;
    }
    list_for_each (m, &s->ports) {
        struct switch_port *p = container_of(m, struct switch_port, node);

        if (p != from)
            hand_over(p, frame, n);
    }
}

/* Is it from the port's own address? One warning for each port: the sender may
 * go on all day. */
static bool is_own(struct switch_port *p, const uint8_t *mac)
{
    if (p->spoof || memcmp(mac, p->mac, MAC_SIZE) == 0)
        return true;
    if (p->counters.spoofed++ == 0)
        log_warn("net",
                 "%s: %s sent a frame from %02x:%02x:%02x:%02x:%02x:%02x, "
                 "which is not its address: such are dropped",
                 p->on->name, p->name, mac[0], mac[1], mac[2], mac[3], mac[4],
                 mac[5]);
    return false;
}

void switch_send(struct switch_port *p, const void *frame, size_t n)
{
    struct net_switch *s = p->on;

    if (!s) {
        p->counters.refused++;
        return;
    }
    mutex_lock(&s->lock);
    if (n < SWITCH_FRAME_MIN || n > SWITCH_FRAME_MAX) {
        p->counters.refused++;
    } else if (is_own(p, (const uint8_t *)frame + MAC_SIZE)) {
        p->counters.sent++;
        p->counters.sent_bytes += n;
        forward(s, p, frame, n);
    }
    mutex_unlock(&s->lock);
}
