/*
 * The `ps2` bus: the two ports of a keyboard controller, and how drivers talk
 * to what is plugged in there. The controller's driver owns the ports.
 */
#ifndef DRIVERS_INPUT_PS2_H
#define DRIVERS_INPUT_PS2_H

#include <rayos/device.h>
#include <rayos/spinlock.h>
#include <rayos/sync.h>

#include "ps2_exchange.h"

enum ps2_kind { PS2_KEYBOARD = 1, PS2_MOUSE };

struct ps2_id {
    enum ps2_kind kind; /* 0 ends the table */
};

struct ps2_port {
    struct device dev;
    /* The controller's, constant. */
    enum ps2_kind kind;
    struct spinlock *lock; /* of the controller: all ports below */
    struct mutex *commands;
    int (*transmit)(struct ps2_port *p, uint8_t byte); /* lock held */
    /* lock */
    struct ps2_exchange exchange;
    struct waitq finished;
    void (*receive)(void *arg, uint8_t byte, bool bad);
    void *arg;
    uint64_t bytes, bad;
};

static inline struct ps2_port *ps2_port_of(struct device *d)
{
    return container_of(d, struct ps2_port, dev);
}

extern const struct bus ps2_bus;

/* --- for drivers: thread context --- */

/* Have receive(arg, ...) called, in interrupt context, with each byte that
 * answers no command; `bad`: the line had an error, bytes are lost. NULL: no
 * more, and on return it does not run. */
void ps2_listen(struct ps2_port *p,
                void (*receive)(void *arg, uint8_t byte, bool bad), void *arg);
/* 0; -ETIMEDOUT: no answer; -EIO: it does not understand. */
int ps2_command(struct ps2_port *p, const uint8_t *out, size_t count,
                uint8_t *answers, size_t wanted);

/* --- for the controller --- */

/* A byte has come. Lock held; interrupt context. */
void ps2_incoming(struct ps2_port *p, uint8_t byte, bool bad);

#endif
