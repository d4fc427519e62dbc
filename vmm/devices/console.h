/*
 * What a guest says on a console and what is typed into it: the object between
 * a UART or a virtio-console port and whoever attaches. Output is kept in a
 * ring, so that one who attaches late sees what came before. A terminal's
 * oldest bytes are overwritten: nobody needs to listen. On a port with a
 * protocol nothing may be lost: there the guest waits for its reader. Input
 * waits in a small queue until the device has room.
 */
#ifndef VMM_DEVICES_CONSOLE_H
#define VMM_DEVICES_CONSOLE_H

#include <sys/types.h>

#include <rayos/spinlock.h>
#include <rayos/waitq.h>

#define CONSOLE_HISTORY (64 * 1024)
#define CONSOLE_INPUT   4096

struct console {
    struct spinlock lock;
    uint8_t *history;             /* lock: ring */
    uint64_t written;             /* lock: bytes ever */
    struct waitq readers;         /* lock */
    uint8_t input[CONSOLE_INPUT]; /* lock: ring */
    uint32_t input_head, input_used;
    uint64_t input_refused;
    bool lossless;    /* constant: what nobody has read is not overwritten */
    bool starved;     /* lock: the device waits for room */
    uint64_t read_to; /* lock: the reader who is ahead of all */
    /* There is input, or room again: the device shall look. Any thread; lock
     * not held. lock: all below. */
    void (*ready)(void *arg);
    void *arg;
    uint32_t calls; /* of `ready`, under way */
    struct waitq idle;
};

/* -ENOMEM */
int console_init(struct console *c, bool lossless);
void console_fini(struct console *c);

/* --- the device's side: any context but NMI --- */

void console_output(struct console *c, const void *data, size_t size);
/* Bytes that console_output may be given now; 0: `ready` will be called. */
size_t console_room(struct console *c);
/* Bytes taken, 0: none wait. */
size_t console_take(struct console *c, void *out, size_t size);
/* Bytes that wait to be taken. */
size_t console_waiting(struct console *c);
/* Who was to read it is gone: what was typed is forgotten. */
void console_drop_input(struct console *c);

/* The device comes, and goes. Thread context. On return from detach no call of
 * `ready` is under way. */
void console_attach(struct console *c, void (*ready)(void *arg), void *arg);
void console_detach(struct console *c);

/* --- the other side: thread context --- */

/* Bytes accepted; less than `size` when the guest does not read. */
size_t console_type(struct console *c, const void *data, size_t size);
/* Bytes that ever came. */
uint64_t console_written(struct console *c);
/* Have the device look. */
void console_kick(struct console *c);
/* What came at or after *position, which moves; a position that is overwritten
 * already moves to the oldest byte there is. Waits for one byte at least.
 * Bytes, -ETIMEDOUT, -ECANCELED. */
ssize_t console_read(struct console *c, uint64_t *position, void *out,
                     size_t size, nstime_t deadline);

#endif
