/*
 * A tty joins a terminal (serial line, or screen and keyboard) to one reader.
 * Input is bytes as a terminal sends them (UTF-8, ANSI sequences for keys),
 * output is bytes with ANSI/ECMA-48 sequences.
 *
 * Raw reading gives bytes as they come. Cooked reading (fd 0, io.read) gives
 * whole lines with echo and editing by backspace, Ctrl-U, Ctrl-W; Ctrl-D on an
 * empty line is end of file. While `interruptible` is set, Ctrl-C (0x03) is not
 * queued: tty->interrupt is called instead.
 */
#ifndef RAYOS_TTY_H
#define RAYOS_TTY_H

#include <sys/types.h>

#include <rayos/ring.h>
#include <rayos/sync.h>
#include <rayos/tty_line.h>

struct file;
struct fdtable;
struct tty;

struct tty_ops {
    /* Thread context; blocks (cancellable) under back pressure. Bytes written,
     * or -ECANCELED. */
    ssize_t (*write)(struct tty *t, const void *data, size_t size);
    /* Any context, for panics: no locks, polls the hardware. May be NULL. */
    void (*write_polled)(struct tty *t, const void *data, size_t size);
    /* Have the far end pause, or go on: there is hardly room for input, or
     * there is room again. Not asked for while `interruptible` is set, for
     * Ctrl-C must come through: what does not fit is lost then, and counted.
     * Any context but NMI, tty->lock held. May be NULL. */
    void (*throttle)(struct tty *t, bool on);
};

#define TTY_INPUT_SIZE 4096
/* Free bytes of the input ring at which the far end shall pause, go on. */
#define TTY_PAUSE_ROOM (TTY_INPUT_SIZE / 4)
#define TTY_GO_ON_ROOM (TTY_INPUT_SIZE * 3 / 4)

struct tty {
    const char *name; /* "ttyS0", "tty0" */
    const struct tty_ops *ops;
    void *driver;
    struct spinlock lock;
    struct ring input; /* lock, both ends */
    uint8_t input_data[TTY_INPUT_SIZE];
    struct waitq readers;   /* lock */
    uint16_t columns, rows; /* columns 0: not known (a serial line) */
    bool interruptible;     /* lock */
    bool throttled, absent; /* lock */
    void (*interrupt)(struct tty *t,
                      void *arg);  /* any context but NMI; lock not held */
    void *interrupt_arg;           /* lock */
    _Atomic uint32_t interrupting; /* calls of `interrupt` under way */
    nstime_t interrupted_at;       /* lock; 0: answered */
    nstime_t answer_time;          /* lock; 0: never interrupted */
    struct mutex write_lock;       /* one write at a time */
    /* Cooked mode: used by the one cooked reader. */
    struct tty_line line;
};

/* Fill in (all but columns and rows, which are the caller's) and register under
 * /dev/NAME. Thread context. */
int tty_register(struct tty *t, const char *name, const struct tty_ops *ops,
                 void *driver);
struct tty *tty_find(const char *name);
/* The hardware went away, or has come back. In between reads answer -ENODEV,
 * once what had come in is read, and so does the driver's write. Thread
 * context. */
void tty_set_present(struct tty *t, bool present);
/* i-th tty in order of registration; NULL past the end. */
struct tty *tty_at(size_t i);

/* Driver to reader: input bytes. Any context but NMI. */
void tty_input(struct tty *t, const void *data, size_t size);

/* Raw bytes: at least one, unless 0 bytes by the deadline (-ETIMEDOUT),
 * -ENODEV, or -ECANCELED. Thread context. */
ssize_t tty_read_raw(struct tty *t, void *buf, size_t size, nstime_t deadline);
ssize_t tty_read_cooked(struct tty *t, void *buf, size_t size);
/* How long it took from the last Ctrl-C that called `interrupt` until a reader
 * came for raw bytes again; false: there was none. Any context but NMI. */
bool tty_answer_time(struct tty *t, nstime_t *out);
/* Output; "\n" is sent as "\r\n". */
ssize_t tty_write(struct tty *t, const void *data, size_t size);
void tty_set_interruptible(struct tty *t, bool on);
/* On return the function that was set before does not run any more. Thread
 * context. */
void tty_set_interrupt(struct tty *t, void (*fn)(struct tty *t, void *arg),
                       void *arg);

/* Open the tty and put it at 0, 1 and 2 of a table, in place of what was there.
 * Thread context; /dev is mounted. */
int fdtable_attach_tty(struct fdtable *t, struct tty *tty);
/* The tty that an open file is; NULL when it is something else. */
struct tty *tty_from_file(const struct file *f);

/* Panic output on every tty that can. Any context. */
void tty_panic_write(const void *data, size_t size);

#endif
