/*
 * A learning Ethernet switch in memory (IEEE 802.1D 7.8, without spanning
 * tree): guests are its ports now, network cards and our own stack later.
 * Thread context, all of it.
 */
#ifndef RAYOS_SWITCH_H
#define RAYOS_SWITCH_H

#include <rayos/list.h>
#include <rayos/mac.h>
#include <rayos/types.h>

#define SWITCH_NAME_MAX  32
#define SWITCH_FRAME_MIN 14   /* bytes: two addresses and a type */
#define SWITCH_FRAME_MAX 1518 /* with a VLAN tag, without the check sum */

struct net_switch;

struct switch_counters {
    uint64_t sent, sent_bytes;         /* by this port, into the switch */
    uint64_t received, received_bytes; /* by this port */
    uint64_t dropped;                  /* it had no room for them */
    uint64_t refused;                  /* sent by it, too short or too long */
    uint64_t spoofed; /* sent by it, from an address that is not its own */
};

struct switch_port {
    /* Set before switch_connect. */
    const char *name;
    /* Its address; frames from others are dropped, unless `spoof` is set: a
     * bridge stands behind it. */
    uint8_t mac[MAC_SIZE];
    bool spoof;
    /* A frame for this port: copied before it returns. false: no room. Called
     * from other ports' threads, one at a time, with the switch locked: it
     * must not send, and its locks are below the switch's. */
    bool (*deliver)(struct switch_port *p, const void *frame, size_t n);
    /* The switch's. */
    struct net_switch *on;
    struct switch_counters counters;
    struct list node;
};

/* Connect to the switch of that name, which is made with its first port.
 * -ENOMEM, -EINVAL: the name. */
int switch_connect(struct switch_port *p, const char *name);
/* On return nobody delivers to it. The switch goes with its last port. */
void switch_disconnect(struct switch_port *p);
/* To whom it is addressed, or, if that one is not known yet or many are meant,
 * to all but the sender. The port's owner does not disconnect it meanwhile;
 * others come and go as they like. Behind switch_disconnect it is refused. */
void switch_send(struct switch_port *p, const void *frame, size_t n);

/* For those who look: port `i` of all, with the name of its switch; false:
 * there are fewer. */
struct switch_info {
    char name[SWITCH_NAME_MAX], port[SWITCH_NAME_MAX];
    struct switch_counters counters;
};
bool switch_port_at(size_t i, struct switch_info *out);

#endif
