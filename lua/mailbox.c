/*
 * Mailboxes and reply ports: where messages wait. Thread context; any thread.
 */
#include <errno.h>

#include "lua/message.h"

void mailbox_init(struct mailbox *b)
{
    *b = (struct mailbox){0};
    list_init(&b->messages);
    waitq_init(&b->readers);
}

/* Its place in the limits; notices take none, so they cannot be lost. */
static size_t message_cost(const struct message *m)
{
    if (m->kind == MESSAGE_DOWN || m->kind == MESSAGE_EVENT)
        return 0;
    return sizeof(*m) + m->size;
}

int mailbox_post(struct mailbox *b, struct message *m)
{
    size_t cost = message_cost(m);
    irqflags_t flags = spin_lock(&b->lock);
    int err = 0;

    if (b->closed) {
        err = -EPIPE;
    } else if (cost && (b->count >= DOMAIN_MAIL_COUNT ||
                        b->bytes + cost > DOMAIN_MAIL_BYTES)) {
        err = -EAGAIN;
    } else {
        list_push_back(&b->messages, &m->node);
        b->count += cost != 0;
        b->bytes += cost;
        waitq_wake_one(&b->readers);
    }
    spin_unlock(&b->lock, flags);
    return err;
}

/* b->lock held. */
static struct message *mailbox_take(struct mailbox *b)
{
    struct list *node = list_pop_front(&b->messages);
    struct message *m;
    size_t cost;

    if (!node)
        return NULL;
    m = container_of(node, struct message, node);
    cost = message_cost(m);
    b->count -= cost != 0;
    b->bytes -= cost;
    return m;
}

int mailbox_receive(struct mailbox *b, nstime_t deadline, struct message **out)
{
    irqflags_t flags = spin_lock(&b->lock);
    int err = 0;

    while (!(*out = mailbox_take(b)) && !err)
        err = waitq_wait(&b->readers, &b->lock, deadline);
    spin_unlock(&b->lock, flags);
    return *out ? 0 : err;
}

void mailbox_close(struct mailbox *b)
{
    struct message *m;

    do {
        irqflags_t flags = spin_lock(&b->lock);

        b->closed = true;
        m = mailbox_take(b);
        spin_unlock(&b->lock, flags);
        if (m)
            message_free(m);
    } while (m);
}

struct reply_port *reply_port_create(void)
{
    struct reply_port *p = kzalloc(sizeof(*p));

    if (p) {
        p->refs = 1;
        waitq_init(&p->caller);
    }
    return p;
}

void reply_port_put(struct reply_port *p)
{
    if (--p->refs)
        return;
    if (p->reply)
        message_free(p->reply);
    kfree(p);
}

bool reply_port_answer(struct reply_port *p, struct message *reply)
{
    irqflags_t flags = spin_lock(&p->lock);
    bool first = !p->done;

    if (first) {
        p->done = true;
        p->reply = reply;
        waitq_wake_all(&p->caller);
    }
    spin_unlock(&p->lock, flags);
    if (!first && reply)
        message_free(reply);
    return first;
}

int reply_port_wait(struct reply_port *p, nstime_t deadline,
                    struct message **out)
{
    irqflags_t flags = spin_lock(&p->lock);
    int err = 0;

    while (!p->done && !err)
        err = waitq_wait(&p->caller, &p->lock, deadline);
    if (p->done) {
        *out = p->reply;
        p->reply = NULL;
        err = *out ? 0 : -EPIPE;
    }
    spin_unlock(&p->lock, flags);
    return err;
}

void reply_port_abandon(struct reply_port *p)
{
    irqflags_t flags = spin_lock(&p->lock);
    struct message *late = p->reply;

    p->done = true;
    p->reply = NULL;
    spin_unlock(&p->lock, flags);
    if (late)
        message_free(late);
}
