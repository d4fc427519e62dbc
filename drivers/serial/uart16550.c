/*
 * Serial ports, 115200 8n1, with interrupts both ways. Input goes from the
 * interrupt straight to the tty, and the far end pauses while that has no room;
 * output goes through a ring that the interrupt empties, and a writer sleeps
 * while it is full. COM1 is the tty "ttyS0", COM2 is "ttyS1". The ttys stay
 * when the driver is unbound: whoever has them open gets -ENODEV until it is
 * back.
 */
#include <errno.h>
#include <stdatomic.h>

#include <rayos/clock.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/platform.h>
#include <rayos/unit.h>

#include "uart16550.h"

/* Passes of one interrupt: a line that never calms down must not hold a CPU. */
#define IRQ_PASSES 64
/* After so long without progress the writer looks at the port itself. */
#define TX_STALL (1 * NS_PER_SEC)

static struct uart uarts[] = {
    {.name = "ttyS0", .vector = -1, .lock = SPINLOCK_INIT},
    {.name = "ttyS1", .vector = -1, .lock = SPINLOCK_INIT},
};

/* Reading the line status clears what it says of the next byte in the FIFO:
 * the transmit side keeps that for the receiver. */
static uint8_t lsr_peek(struct uart *u)
{
    uint8_t lsr = uart_in(u, UART_LSR);

    if (lsr & LSR_ERRORS)
        u->lsr_kept |= lsr & LSR_ERRORS;
    return lsr;
}

static uint8_t lsr_take(struct uart *u)
{
    uint8_t lsr = uart_in(u, UART_LSR);

    return u->lsr_kept ? lsr | atomic_exchange(&u->lsr_kept, 0) : lsr;
}

/* --- output --- */

/* Lock held. */
static void ier_set(struct uart *u, uint8_t ier)
{
    if (ier != u->ier) {
        u->ier = ier;
        uart_out(u, UART_IER, ier);
    }
}

/* Fill the FIFO if it is empty. Lock held. The interrupt "transmitter empty" is
 * on exactly while the ring has more. */
static void tx_pump(struct uart *u)
{
    uint8_t burst[UART_FIFO_MAX];
    uint8_t ier = u->ier & (uint8_t)~IER_TX;

    if (u->dead || !u->bound)
        return;
    if (lsr_peek(u) & LSR_THRE) {
        uint32_t n = ring_read(&u->tx, burst, u->fifo_size);

        for (uint32_t i = 0; i < n; i++)
            uart_out(u, UART_THR, burst[i]);
        u->counts.sent += n;
    }
    if (ring_used(&u->tx) > 0)
        ier |= IER_TX;
    ier_set(u, ier);
    /* Not at every burst, or a writer would wake for each 16 bytes. */
    if (ring_free(&u->tx) >= UART_TX_RING / 2)
        waitq_wake_all(&u->room);
}

/* Nothing moved for a while. The far end may be slow; but a FIFO that is empty
 * while the ring is full means that no interrupt came. */
static void tx_stalled(struct uart *u)
{
    if (u->bound && lsr_peek(u) & LSR_THRE) {
        if (!u->stall_logged)
            log_error("serial", "%s: no interrupts come, polling", u->name);
        u->stall_logged = true;
    }
    tx_pump(u);
}

static ssize_t uart_write(struct tty *t, const void *data, size_t size)
{
    struct uart *u = t->driver;
    const uint8_t *p = data;
    size_t done = 0;
    int err = 0;
    irqflags_t flags = spin_lock(&u->lock);

    while (done < size && !u->dead && !err) {
        if (!u->bound) {
            err = -ENODEV;
            break;
        }
        while (done < size && ring_put(&u->tx, p[done]))
            done++;
        tx_pump(u);
        if (done == size || ring_free(&u->tx) > 0)
            continue;
        err = waitq_wait(&u->room, &u->lock, clock_now() + TX_STALL);
        if (err == -ETIMEDOUT) {
            tx_stalled(u);
            err = 0;
        }
    }
    spin_unlock(&u->lock, flags);
    return err ? err : (ssize_t)size;
}

static bool write_waiting(const struct uart *u, const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!uart_wait(u, LSR_THRE))
            return false;
        uart_out(u, UART_THR, p[i]);
    }
    return true;
}

/* For panics. The first call takes the port for good and sends what the ring
 * still holds; its lock is not taken, since its holder may be the one that
 * died. A far end that does not read is waited for once in each call. */
static void uart_write_polled(struct tty *t, const void *data, size_t size)
{
    struct uart *u = t->driver;
    uint8_t burst[64];
    uint32_t n;

    if (!u->bound)
        return;
    if (!u->dead) {
        u->dead = true;
        uart_out(u, UART_IER, 0);
        for (unsigned i = 0; i < UART_TX_RING / sizeof(burst); i++) {
            n = ring_read(&u->tx, burst, sizeof(burst));
            if (n == 0 || !write_waiting(u, burst, n))
                break;
        }
    }
    write_waiting(u, data, size);
}

/* --- input --- */

/* While the tty has no room the FIFO is not read: RTS tells the far end to
 * pause, and what it sends all the same overruns the FIFO and is counted. */
static void uart_throttle(struct tty *t, bool on)
{
    struct uart *u = t->driver;
    irqflags_t flags = spin_lock(&u->lock);

    if (u->bound && !u->dead) {
        u->mcr = on ? u->mcr & (uint8_t)~MCR_RTS : u->mcr | MCR_RTS;
        uart_out(u, UART_MCR, u->mcr);
        ier_set(u, on ? u->ier & (uint8_t)~IER_RX : u->ier | IER_RX);
        u->counts.pauses += on;
    }
    spin_unlock(&u->lock, flags);
}

static const struct tty_ops uart_tty_ops = {
    .write = uart_write,
    .write_polled = uart_write_polled,
    .throttle = uart_throttle,
};

/* true: the byte that comes with this status is one that somebody sent. */
static bool rx_status(struct uart *u, uint8_t lsr)
{
    u->counts.overruns += (lsr & LSR_OVERRUN) != 0;
    if (lsr & LSR_BREAK) {
        /* It comes with a byte of zeros that nobody typed, and that has no stop
         * bit. It means nothing here: an unplugged cable does the same. */
        u->counts.breaks++;
        return false;
    }
    u->counts.parity_errors += (lsr & LSR_PARITY) != 0;
    u->counts.framing_errors += (lsr & LSR_FRAMING) != 0;
    return !(lsr & (LSR_PARITY | LSR_FRAMING));
}

static void log_first_loss(struct uart *u)
{
    if (u->loss_logged || (!u->counts.overruns && !u->tty.input.dropped))
        return;
    u->loss_logged = true;
    log_warn("serial", "%s: input was lost (device properties count it)",
             u->name);
}

static bool rx_allowed(const struct uart *u)
{
    return u->ier & IER_RX;
}

static void rx_drain(struct uart *u)
{
    uint8_t buf[UART_FIFO_MAX];
    size_t n = 0;

    for (size_t i = 0; i < sizeof(buf) && rx_allowed(u); i++) {
        uint8_t lsr = lsr_take(u);

        if (!(lsr & LSR_DATA)) {
            rx_status(u, lsr & LSR_OVERRUN); /* may be told without data */
            break;
        }
        uint8_t byte = uart_in(u, UART_RBR);

        if (rx_status(u, lsr))
            buf[n++] = byte;
    }
    u->counts.received += n;
    if (n > 0)
        tty_input(&u->tty, buf, n);
    log_first_loss(u);
}

/* The line is edge triggered: the handler must see "none pending" before it
 * leaves, or no edge comes again; or it makes one, so that others get their
 * turn. */
static void uart_interrupt(void *arg)
{
    struct uart *u = arg;
    irqflags_t flags;

    for (unsigned pass = 0; pass < IRQ_PASSES && !u->dead; pass++) {
        if (uart_in(u, UART_IIR) & IIR_NONE)
            return;
        rx_drain(u);
        flags = spin_lock(&u->lock);
        tx_pump(u);
        spin_unlock(&u->lock, flags);
        uart_in(u, UART_MSR); /* reading clears a change of the modem lines */
    }
    flags = spin_lock(&u->lock);
    if (!u->dead) {
        uart_out(u, UART_IER, 0);
        uart_out(u, UART_IER, u->ier);
    }
    spin_unlock(&u->lock, flags);
}

/* --- the driver --- */

static struct uart *uart_of(const struct device *d)
{
    return d->driver_data;
}

static void uart_go(struct uart *u)
{
    irqflags_t flags = spin_lock(&u->lock);

    u->bound = true;
    u->loss_logged = u->stall_logged = false;
    if (u->tty.throttled) {
        u->mcr &= (uint8_t)~MCR_RTS;
        uart_out(u, UART_MCR, u->mcr);
    }
    ier_set(u, IER_LINE | (u->tty.throttled ? 0 : IER_RX));
    tx_pump(u);
    spin_unlock(&u->lock, flags);
    tty_set_present(&u->tty, true);
}

/* The tty of this port, made once. */
static int uart_tty(struct uart *u)
{
    int err;

    if (u->registered)
        return 0;
    ring_init(&u->tx, u->tx_data, UART_TX_RING);
    waitq_init(&u->room);
    err = tty_register(&u->tty, u->name, &uart_tty_ops, u);
    u->registered = !err;
    return err;
}

static int uart_probe(struct device *d)
{
    struct platform_device *p = platform_device_of(d);
    struct uart *u;
    int err;

    if (p->index >= ARRAY_SIZE(uarts))
        return -ENODEV;
    u = &uarts[p->index];
    u->port = p->ports[0].first;
    if (!uart_detect(u))
        return -ENODEV;
    err = uart_tty(u);
    if (err)
        return err;
    uart_setup(u);
    u->vector = irq_request_isa(p->line[0], u->name, uart_interrupt, u);
    if (u->vector < 0)
        log_error("serial", "%s: no interrupt (%d): output is slow, no input",
                  u->name, u->vector);
    d->driver_data = u;
    uart_go(u);
    log_info("serial", "%s: %s at port %#x, 115200 8n1", u->name, uart_kind(u),
             u->port);
    return 0;
}

/* Let the last words out, but do not wait for a far end that does not read. */
static void tx_drain(struct uart *u)
{
    nstime_t deadline = clock_now() + TX_STALL;
    irqflags_t flags = spin_lock(&u->lock);

    while (ring_used(&u->tx) > 0 && !u->dead && clock_now() < deadline)
        waitq_wait_uncancellable(&u->room, &u->lock, clock_now() + NS_PER_MS);
    spin_unlock(&u->lock, flags);
    uart_wait(u, LSR_TEMT);
}

static void uart_remove(struct device *d)
{
    struct uart *u = uart_of(d);
    irqflags_t flags;

    tx_drain(u);
    flags = spin_lock(&u->lock);
    u->bound = false;
    ier_set(u, 0);
    uart_out(u, UART_MCR, 0);
    waitq_wake_all(&u->room);
    spin_unlock(&u->lock, flags);
    if (u->vector >= 0)
        irq_release(u->vector);
    u->vector = -1;
    tty_set_present(&u->tty, false);
}

static void uart_describe(const struct device *d, struct device_report *r)
{
    const struct uart *u = uart_of(d);
    const struct uart_counts *c = &u->counts;

    device_report_text(r, "tty", u->name);
    device_report_text(r, "kind", uart_kind(u));
    device_report_number(r, "fifo", u->fifo_size);
    device_report_number(r, "received", c->received);
    device_report_number(r, "sent", c->sent);
    device_report_number(r, "pauses", c->pauses);
    device_report_number(r, "dropped", u->tty.input.dropped);
    device_report_number(r, "overruns", c->overruns);
    device_report_number(r, "parity_errors", c->parity_errors);
    device_report_number(r, "framing_errors", c->framing_errors);
    device_report_number(r, "breaks", c->breaks);
}

static const struct platform_id ids[] = {{"serial"}, {0}};

DRIVER(uart16550, .bus = &platform_bus, .ids = ids, .probe = uart_probe,
       .remove = uart_remove, .describe = uart_describe);

/* The ports are bound when the platform's devices are found; others wait for
 * them by this name. */
static int serial_start(void)
{
    return tty_find("ttyS0") ? 0 : -ENODEV;
}

UNIT(serial, .after = "platform", .start = serial_start);
