/*
 * Ttys: the registry, input from drivers to the reader, output with newlines as
 * terminals want them. tty_input may be called from interrupts;
 * tty_panic_write from anywhere; the rest from threads.
 */
#include <rayos/tty.h>

#include <errno.h>
#include <string.h>

#include <rayos/clock.h>

#define TTY_MAX        8
#define CHAR_INTERRUPT 0x03 /* Ctrl-C */
#define OUTPUT_CHUNK   256

/* Only added to: an entry is complete before the count covers it, so readers
 * (a panic among them) need no lock. */
static struct tty *ttys[TTY_MAX];
static _Atomic size_t tty_count;
static struct mutex register_lock = MUTEX_INIT(register_lock);

int tty_register(struct tty *t, const char *name, const struct tty_ops *ops,
                 void *driver)
{
    int err = 0;

    t->name = name;
    t->ops = ops;
    t->driver = driver;
    t->lock = (struct spinlock)SPINLOCK_INIT;
    ring_init(&t->input, t->input_data, TTY_INPUT_SIZE);
    waitq_init(&t->readers);
    t->interruptible = false;
    t->throttled = false;
    t->absent = false;
    t->interrupt = NULL;
    t->interrupt_arg = NULL;
    t->interrupting = 0;
    t->interrupted_at = 0;
    t->answer_time = 0;
    mutex_init(&t->write_lock);
    memset(&t->line, 0, sizeof(t->line));

    mutex_lock(&register_lock);
    size_t n = tty_count;

    if (tty_find(name))
        err = -EEXIST;
    else if (n == TTY_MAX)
        err = -ENOSPC;
    if (!err) {
        ttys[n] = t;
        tty_count = n + 1;
    }
    mutex_unlock(&register_lock);
    return err;
}

struct tty *tty_at(size_t i)
{
    return i < tty_count ? ttys[i] : NULL;
}

struct tty *tty_find(const char *name)
{
    struct tty *t;

    for (size_t i = 0; (t = tty_at(i)); i++)
        if (strcmp(t->name, name) == 0)
            return t;
    return NULL;
}

/* --- input --- */

/* The far end pauses or goes on, as there is room. Lock held. */
static void input_pace(struct tty *t)
{
    uint32_t room = ring_free(&t->input);
    bool pause = room <= TTY_PAUSE_ROOM ||
                 (t->throttled && room < TTY_GO_ON_ROOM);

    pause = pause && !t->interruptible;
    if (!t->ops->throttle || pause == t->throttled)
        return;
    t->throttled = pause;
    t->ops->throttle(t, pause);
}

/* What was typed before Ctrl-C was meant for what is now interrupted. */
static void input_drop(struct tty *t)
{
    uint8_t scrap[64];

    while (ring_read(&t->input, scrap, sizeof(scrap)) > 0)
        ;
}

/* Queue, and tell whether Ctrl-C was among it. Lock held. */
static bool input_queue(struct tty *t, const uint8_t *p, size_t size)
{
    const uint8_t *stop = t->interruptible ? memchr(p, CHAR_INTERRUPT, size)
                                           : NULL;
    bool interrupted = stop != NULL;

    while (stop) {
        input_drop(t);
        size -= (size_t)(stop + 1 - p);
        p = stop + 1;
        stop = memchr(p, CHAR_INTERRUPT, size);
    }
    if (size > 0)
        ring_write(&t->input, p, (uint32_t)size);
    return interrupted;
}

/* Interrupts stay off until the call has returned: tty_set_interrupt waits for
 * it, and must not find it preempted. */
void tty_input(struct tty *t, const void *data, size_t size)
{
    uint64_t irq = arch_irq_save();
    irqflags_t flags = spin_lock(&t->lock);
    bool interrupted = input_queue(t, data, size);
    void (*fn)(struct tty *, void *) = t->interrupt;
    void *arg = t->interrupt_arg;

    input_pace(t);
    waitq_wake_all(&t->readers);
    if (interrupted && fn) {
        t->interrupting++;
        t->interrupted_at = clock_now();
    }
    spin_unlock(&t->lock, flags);
    if (interrupted && fn) {
        fn(t, arg);
        t->interrupting--;
    }
    arch_irq_restore(irq);
}

void tty_set_interruptible(struct tty *t, bool on)
{
    irqflags_t flags = spin_lock(&t->lock);

    t->interruptible = on;
    input_pace(t);
    spin_unlock(&t->lock, flags);
}

void tty_set_present(struct tty *t, bool present)
{
    irqflags_t flags = spin_lock(&t->lock);

    t->absent = !present;
    waitq_wake_all(&t->readers);
    spin_unlock(&t->lock, flags);
}

void tty_set_interrupt(struct tty *t, void (*fn)(struct tty *t, void *arg),
                       void *arg)
{
    irqflags_t flags = spin_lock(&t->lock);

    t->interrupt = fn;
    t->interrupt_arg = arg;
    spin_unlock(&t->lock, flags);
    while (t->interrupting)
        arch_pause();
}

/* Whoever was interrupted is back. Lock held. */
static void note_answer(struct tty *t)
{
    if (!t->interrupted_at || t->interruptible)
        return;
    t->answer_time = clock_now() - t->interrupted_at;
    t->interrupted_at = 0;
}

bool tty_answer_time(struct tty *t, nstime_t *out)
{
    irqflags_t flags = spin_lock(&t->lock);

    *out = t->answer_time;
    spin_unlock(&t->lock, flags);
    return *out != 0;
}

ssize_t tty_read_raw(struct tty *t, void *buf, size_t size, nstime_t deadline)
{
    int err = 0;

    if (size == 0)
        return 0;
    if (size > TTY_INPUT_SIZE)
        size = TTY_INPUT_SIZE;
    irqflags_t flags = spin_lock(&t->lock);

    note_answer(t);
    while (ring_used(&t->input) == 0 && !err)
        err = t->absent ? -ENODEV : waitq_wait(&t->readers, &t->lock, deadline);
    uint32_t n = ring_read(&t->input, buf, (uint32_t)size);

    input_pace(t);
    spin_unlock(&t->lock, flags);
    return n > 0 ? (ssize_t)n : err;
}

/* --- cooked input --- */

/* Collect bytes into t->line until it ends. 1: there is a line; 0: end of file;
 * negative errno, the line so far is dropped then. */
static int line_read(struct tty *t)
{
    static const int answer[] = {
        [TTY_LINE_DONE] = 1,
        [TTY_LINE_EOF] = 0,
        [TTY_LINE_INTERRUPTED] = -EINTR,
    };
    char echo[TTY_ECHO_SIZE];
    enum tty_line_result r;
    size_t echo_length;

    tty_line_reset(&t->line);
    do {
        uint8_t byte;
        ssize_t n = tty_read_raw(t, &byte, 1, TIME_NEVER);

        if (n < 0)
            return (int)n;
        r = tty_line_input(&t->line, byte, echo, &echo_length);
        if (echo_length > 0)
            n = tty_write(t, echo, echo_length);
        if (n < 0)
            return (int)n;
    } while (r == TTY_LINE_MORE);
    return answer[r];
}

ssize_t tty_read_cooked(struct tty *t, void *buf, size_t size)
{
    struct tty_line *l = &t->line;

    if (size == 0)
        return 0;
    if (l->offset >= l->length) {
        int r = line_read(t);

        if (r <= 0) {
            tty_line_reset(l);
            return r;
        }
    }
    size_t left = l->length - l->offset;

    if (size > left)
        size = left;
    memcpy(buf, l->text + l->offset, size);
    l->offset = (uint16_t)(l->offset + size);
    return (ssize_t)size;
}

/* --- output --- */

/* Convert as much of data as fits into out; *taken tells how much that was. */
static size_t newline_expand(const char *data, size_t size, char *out,
                             size_t out_size, size_t *taken)
{
    size_t n = 0, i;

    for (i = 0; i < size && n + 2 <= out_size; i++) {
        if (data[i] == '\n')
            out[n++] = '\r';
        out[n++] = data[i];
    }
    *taken = i;
    return n;
}

ssize_t tty_write(struct tty *t, const void *data, size_t size)
{
    const char *p = data;
    char out[OUTPUT_CHUNK];
    size_t done = 0, taken;
    int err = mutex_lock_until(&t->write_lock, TIME_NEVER);

    if (err)
        return err;
    while (done < size) {
        size_t n = newline_expand(p + done, size - done, out, sizeof(out),
                                  &taken);
        ssize_t written = t->ops->write(t, out, n);

        if (written < 0) {
            err = (int)written;
            break;
        }
        done += taken;
    }
    mutex_unlock(&t->write_lock);
    return done > 0 || !err ? (ssize_t)done : err;
}

void tty_panic_write(const void *data, size_t size)
{
    const char *p = data;
    char out[OUTPUT_CHUNK];
    size_t taken;

    for (size_t done = 0; done < size; done += taken) {
        size_t n = newline_expand(p + done, size - done, out, sizeof(out),
                                  &taken);
        struct tty *t;

        for (size_t i = 0; (t = tty_at(i)); i++)
            if (t->ops->write_polled)
                t->ops->write_polled(t, out, n);
    }
}
