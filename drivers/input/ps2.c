/* The `ps2` bus: see ps2.h. Commands are started by a thread and carried on by
 * the controller's interrupt. */
#include "ps2.h"

#include <errno.h>
#include <string.h>

#include <rayos/clock.h>

/* A device has 20 ms for an answer; a controller that is busy adds to it. */
#define ANSWER_TIMEOUT (100 * NS_PER_MS)

static bool ps2_match(const struct device *d, const struct driver *drv)
{
    const struct ps2_port *p = container_of(d, const struct ps2_port, dev);

    for (const struct ps2_id *i = drv->ids; i->kind; i++)
        if (i->kind == p->kind)
            return true;
    return false;
}

static void ps2_describe(const struct device *d, struct device_report *r)
{
    const struct ps2_port *p = container_of(d, const struct ps2_port, dev);

    device_report_number(r, "bytes", p->bytes);
    device_report_number(r, "line_errors", p->bad);
}

const struct bus ps2_bus = {
    .name = "ps2",
    .match = ps2_match,
    .describe = ps2_describe,
};

void ps2_listen(struct ps2_port *p,
                void (*receive)(void *arg, uint8_t byte, bool bad), void *arg)
{
    irqflags_t flags = spin_lock(p->lock);

    p->receive = receive;
    p->arg = arg;
    spin_unlock(p->lock, flags);
}

/* Lock held. */
static int command_run(struct ps2_port *p)
{
    struct ps2_exchange *x = &p->exchange;
    int err = p->transmit(p, x->out[0]);

    while (!err && x->state != PS2_DONE) {
        /* From the last byte on: long commands have more time. */
        uint8_t progress = (uint8_t)(x->sent + x->got);

        err = waitq_wait_uncancellable(&p->finished, p->lock,
                                       clock_now() + ANSWER_TIMEOUT);
        if (err == -ETIMEDOUT && progress != x->sent + x->got)
            err = 0;
    }
    if (x->state == PS2_DONE)
        err = x->result;
    x->state = PS2_IDLE;
    return err;
}

int ps2_command(struct ps2_port *p, const uint8_t *out, size_t count,
                uint8_t *answers, size_t wanted)
{
    irqflags_t flags;
    int err;

    mutex_lock(p->commands);
    flags = spin_lock(p->lock);
    err = ps2_exchange_begin(&p->exchange, out, count, wanted);
    if (!err)
        err = command_run(p);
    if (!err && wanted)
        memcpy(answers, p->exchange.answers, wanted);
    spin_unlock(p->lock, flags);
    mutex_unlock(p->commands);
    return err;
}

void ps2_incoming(struct ps2_port *p, uint8_t byte, bool bad)
{
    struct ps2_exchange *x = &p->exchange;
    enum ps2_verdict verdict = bad ? PS2_NOT_MINE : ps2_exchange_feed(x, byte);

    p->bytes++;
    p->bad += bad;
    if (verdict == PS2_NOT_MINE && p->receive)
        p->receive(p->arg, byte, bad);
    if (verdict == PS2_SEND && p->transmit(p, x->out[x->sent])) {
        x->state = PS2_DONE;
        x->result = -ETIMEDOUT;
        verdict = PS2_FINISHED;
    }
    if (verdict == PS2_FINISHED)
        waitq_wake_all(&p->finished);
}
