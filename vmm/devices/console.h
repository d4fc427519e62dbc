/*
 * What a guest says on a console and what is typed into it: the object between
 * a UART or a virtio-console port and whoever attaches. Output is kept in a
 * ring whose oldest bytes are overwritten, so that one who attaches late sees
 * what came before; nobody needs to listen. Input waits in a small queue until
 * the device has room.
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
    /* There is input: the device shall fetch it. Any thread; lock not held. */
    void (*ready)(void *arg);
    void *arg;
};

/* -ENOMEM */
int console_init(struct console *c);
void console_fini(struct console *c);

/* --- the device's side: any context but NMI --- */

void console_output(struct console *c, const void *data, size_t size);
/* Bytes taken, 0: none wait. */
size_t console_take(struct console *c, void *out, size_t size);

/* --- the other side: thread context --- */

/* Bytes accepted; less than `size` when the guest does not read. */
size_t console_type(struct console *c, const void *data, size_t size);
/* What came at or after *position, which moves; a position that is overwritten
 * already moves to the oldest byte there is. Waits for one byte at least.
 * Bytes, -ETIMEDOUT, -ECANCELED. */
ssize_t console_read(struct console *c, uint64_t *position, void *out,
                     size_t size, nstime_t deadline);

#endif
