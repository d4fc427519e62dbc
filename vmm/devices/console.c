/*
 * A guest's console between its device and those who listen and type. Contexts:
 * see console.h.
 */
#include <errno.h>

#include <rayos/mm.h>

#include "vmm/devices/console.h"

int console_init(struct console *c, bool lossless)
{
    *c = (struct console){.history = kalloc(CONSOLE_HISTORY),
                          .lossless = lossless};
    waitq_init(&c->readers);
    waitq_init(&c->idle);
    return c->history ? 0 : -ENOMEM;
}

void console_fini(struct console *c)
{
    kfree(c->history);
    c->history = NULL;
}

void console_output(struct console *c, const void *data, size_t size)
{
    const uint8_t *p = data;
    irqflags_t flags = spin_lock(&c->lock);

    for (size_t i = 0; i < size; i++)
        c->history[c->written++ % CONSOLE_HISTORY] = p[i];
    waitq_wake_all(&c->readers);
    spin_unlock(&c->lock, flags);
}

size_t console_room(struct console *c)
{
    irqflags_t flags = spin_lock(&c->lock);
    size_t room = CONSOLE_HISTORY;

    if (c->lossless)
        room -= (size_t)(c->written - c->read_to);
    c->starved = !room;
    spin_unlock(&c->lock, flags);
    return room;
}

size_t console_take(struct console *c, void *out, size_t size)
{
    uint8_t *p = out;
    irqflags_t flags = spin_lock(&c->lock);
    size_t n = c->input_used < size ? c->input_used : size;

    for (size_t i = 0; i < n; i++)
        p[i] = c->input[(c->input_head + i) % CONSOLE_INPUT];
    c->input_head = (uint32_t)(c->input_head + n) % CONSOLE_INPUT;
    c->input_used -= (uint32_t)n;
    spin_unlock(&c->lock, flags);
    return n;
}

size_t console_waiting(struct console *c)
{
    irqflags_t flags = spin_lock(&c->lock);
    size_t n = c->input_used;

    spin_unlock(&c->lock, flags);
    return n;
}

uint64_t console_written(struct console *c)
{
    irqflags_t flags = spin_lock(&c->lock);
    uint64_t n = c->written;

    spin_unlock(&c->lock, flags);
    return n;
}

void console_drop_input(struct console *c)
{
    irqflags_t flags = spin_lock(&c->lock);

    c->input_used = 0;
    spin_unlock(&c->lock, flags);
}

void console_attach(struct console *c, void (*ready)(void *arg), void *arg)
{
    irqflags_t flags = spin_lock(&c->lock);

    c->ready = ready;
    c->arg = arg;
    spin_unlock(&c->lock, flags);
}

void console_detach(struct console *c)
{
    irqflags_t flags = spin_lock(&c->lock);

    c->ready = NULL;
    while (c->calls)
        waitq_wait_uncancellable(&c->idle, &c->lock, TIME_NEVER);
    spin_unlock(&c->lock, flags);
}

/* The count keeps the device from going while it is called. */
void console_kick(struct console *c)
{
    irqflags_t flags = spin_lock(&c->lock);
    void (*ready)(void *arg) = c->ready;
    void *arg = c->arg;

    c->calls += ready != NULL;
    spin_unlock(&c->lock, flags);
    if (!ready)
        return;
    ready(arg);
    flags = spin_lock(&c->lock);
    if (!--c->calls)
        waitq_wake_all(&c->idle);
    spin_unlock(&c->lock, flags);
}

size_t console_type(struct console *c, const void *data, size_t size)
{
    const uint8_t *p = data;
    irqflags_t flags = spin_lock(&c->lock);
    size_t room = CONSOLE_INPUT - c->input_used;
    size_t n = size < room ? size : room;

    for (size_t i = 0; i < n; i++)
        c->input[(c->input_head + c->input_used + i) % CONSOLE_INPUT] = p[i];
    c->input_used += (uint32_t)n;
    c->input_refused += size - n;
    spin_unlock(&c->lock, flags);
    if (n)
        console_kick(c);
    return n;
}

ssize_t console_read(struct console *c, uint64_t *position, void *out,
                     size_t size, nstime_t deadline)
{
    uint8_t *p = out;
    irqflags_t flags = spin_lock(&c->lock);
    size_t n = 0;
    int err = 0;
    bool starved;

    while (*position >= c->written && !err)
        err = waitq_wait(&c->readers, &c->lock, deadline);
    if (*position + CONSOLE_HISTORY < c->written)
        *position = c->written - CONSOLE_HISTORY;
    for (; !err && n < size && *position < c->written; n++)
        p[n] = c->history[(*position)++ % CONSOLE_HISTORY];
    if (*position > c->read_to && *position <= c->written)
        c->read_to = *position;
    starved = c->starved && n;
    c->starved &= !n;
    spin_unlock(&c->lock, flags);
    if (starved)
        console_kick(c);
    return err ? err : (ssize_t)n;
}
