/*
 * 16550A serial ports (PC16550D data sheet, section 8), 115200 8n1. Input goes
 * from the interrupt straight to the tty; output through a ring that the
 * interrupt empties, and a writer sleeps while it is full. COM1 is the tty
 * "ttyS0"; COM2 becomes "ttyS1" only with `com2=tty` on the command line, for
 * it has other uses.
 */
#include <errno.h>
#include <string.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/cmdline.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/ring.h>
#include <rayos/tty.h>
#include <rayos/unit.h>

/* Registers, from the port's base. */
#define UART_RBR 0 /* read */
#define UART_THR 0 /* write */
#define UART_DLL 0 /* divisor, with LCR_DLAB */
#define UART_IER 1
#define UART_DLM 1
#define UART_IIR 2 /* read */
#define UART_FCR 2 /* write */
#define UART_LCR 3
#define UART_MCR 4
#define UART_LSR 5
#define UART_MSR 6
#define UART_SCR 7

#define IER_RX   0x01
#define IER_TX   0x02
#define IER_LINE 0x04

#define IIR_NONE 0x01 /* no interrupt is pending */
#define IIR_FIFO 0xc0 /* both: a working FIFO */

#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_TRIGGER8 0x80

#define LCR_8N1  0x03
#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT2 0x08 /* on a PC: connects the interrupt line */
#define MCR_LOOP 0x10

#define LSR_DATA    0x01
#define LSR_OVERRUN 0x02
#define LSR_BREAK   0x10
#define LSR_THRE    0x20 /* transmit FIFO empty */
#define LSR_TEMT    0x40 /* and the last character is out */

#define MSR_LOOPED 0x90 /* what MCR_RTS | MCR_OUT2 read as in loop-back */
#define MSR_INPUTS 0xf0

#define DIVISOR_115200 1
#define FIFO_SIZE      16
#define TX_RING_SIZE   4096
/* Passes of one interrupt: a line that never calms down must not hold a CPU. */
#define IRQ_PASSES 64
/* Polls of one port read, about a microsecond each: a character takes 87. */
#define POLL_LIMIT 100000
/* After so long without progress the writer looks at the port itself. */
#define TX_STALL (1 * NS_PER_SEC)

struct uart {
    const char *name;
    uint16_t port;
    uint8_t irq_line;
    struct tty tty;
    struct spinlock lock; /* transmit side and IER */
    struct ring tx;       /* lock */
    uint8_t tx_data[TX_RING_SIZE];
    struct waitq room; /* lock */
    uint8_t ier;       /* lock */
    uint64_t overruns; /* interrupt handler */
    bool stall_logged; /* lock */
    _Atomic bool dead; /* a panic has the port: nobody else touches it */
};

static struct uart com1 = {.name = "ttyS0", .port = 0x3f8, .irq_line = 4};
static struct uart com2 = {.name = "ttyS1", .port = 0x2f8, .irq_line = 3};

static uint8_t uart_in(const struct uart *u, uint16_t reg)
{
    return arch_in8((uint16_t)(u->port + reg));
}

static void uart_out(const struct uart *u, uint16_t reg, uint8_t v)
{
    arch_out8((uint16_t)(u->port + reg), v);
}

/* --- output --- */

/* Fill the FIFO if it is empty. Lock held. The interrupt "transmitter empty" is
 * on exactly while the ring has more. */
static void tx_pump(struct uart *u)
{
    uint8_t burst[FIFO_SIZE];
    uint8_t ier = u->ier & (uint8_t)~IER_TX;

    if (u->dead)
        return;
    if (uart_in(u, UART_LSR) & LSR_THRE) {
        uint32_t n = ring_read(&u->tx, burst, sizeof(burst));

        for (uint32_t i = 0; i < n; i++)
            uart_out(u, UART_THR, burst[i]);
    }
    if (ring_used(&u->tx) > 0)
        ier |= IER_TX;
    if (ier != u->ier) {
        u->ier = ier;
        uart_out(u, UART_IER, ier);
    }
    /* Not at every burst, or a writer would wake for each 16 bytes. */
    if (ring_free(&u->tx) >= TX_RING_SIZE / 2)
        waitq_wake_all(&u->room);
}

/* Nothing moved for a while. The far end may be slow; but a FIFO that is empty
 * while the ring is full means that no interrupt came. */
static void tx_stalled(struct uart *u)
{
    if (uart_in(u, UART_LSR) & LSR_THRE) {
        if (!u->stall_logged)
            log_error("serial", "%s: no interrupts on ISA line %u, polling",
                      u->name, u->irq_line);
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

    while (done < size && !u->dead) {
        while (done < size && ring_put(&u->tx, p[done]))
            done++;
        tx_pump(u);
        if (done == size || ring_free(&u->tx) > 0)
            continue;
        err = waitq_wait(&u->room, &u->lock, clock_now() + TX_STALL);
        if (err == -ETIMEDOUT)
            tx_stalled(u);
        else if (err)
            break;
    }
    spin_unlock(&u->lock, flags);
    return err == -ECANCELED ? err : (ssize_t)size;
}

/* Wait, but not for ever, until the port takes a character. */
static bool poll_ready(const struct uart *u, uint8_t mask)
{
    for (unsigned i = 0; i < POLL_LIMIT; i++) {
        if (uart_in(u, UART_LSR) & mask)
            return true;
        arch_pause();
    }
    return false;
}

static bool poll_write(const struct uart *u, const uint8_t *p, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (!poll_ready(u, LSR_THRE))
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

    if (!u->dead) {
        u->dead = true;
        uart_out(u, UART_IER, 0);
        for (unsigned i = 0; i < TX_RING_SIZE / sizeof(burst); i++) {
            n = ring_read(&u->tx, burst, sizeof(burst));
            if (n == 0 || !poll_write(u, burst, n))
                break;
        }
    }
    poll_write(u, data, size);
}

static const struct tty_ops uart_tty_ops = {
    .write = uart_write,
    .write_polled = uart_write_polled,
};

/* --- input --- */

static void rx_drain(struct uart *u, uint8_t lsr)
{
    uint8_t buf[FIFO_SIZE * 2];
    size_t n = 0;

    for (; lsr & LSR_DATA && n < sizeof(buf); lsr = uart_in(u, UART_LSR)) {
        uint8_t byte = uart_in(u, UART_RBR);

        if (lsr & LSR_OVERRUN && u->overruns++ == 0)
            log_warn("serial", "%s: receiver overrun, input was lost", u->name);
        /* A break comes with a byte of zeros that nobody typed. */
        if (!(lsr & LSR_BREAK))
            buf[n++] = byte;
    }
    if (n > 0)
        tty_input(&u->tty, buf, n);
}

/* The line is edge triggered: the handler must see "none pending" before it
 * leaves, or no edge comes again. */
static void uart_interrupt(void *arg)
{
    struct uart *u = arg;

    for (unsigned pass = 0; pass < IRQ_PASSES && !u->dead; pass++) {
        if (uart_in(u, UART_IIR) & IIR_NONE)
            return;
        rx_drain(u, uart_in(u, UART_LSR));
        irqflags_t flags = spin_lock(&u->lock);

        tx_pump(u);
        spin_unlock(&u->lock, flags);
        uart_in(u, UART_MSR); /* reading clears a change of the modem lines */
    }
}

/* --- start --- */

/* Is there a 16550 with a FIFO? Leaves interrupts and loop-back off. */
static bool uart_detect(const struct uart *u)
{
    uart_out(u, UART_IER, 0);
    uart_out(u, UART_SCR, 0x5a);
    if (uart_in(u, UART_SCR) != 0x5a)
        return false;
    uart_out(u, UART_SCR, 0xa5);
    if (uart_in(u, UART_SCR) != 0xa5)
        return false;
    /* The firmware's last words should get out before the loop closes. */
    poll_ready(u, LSR_TEMT);
    uart_out(u, UART_MCR, MCR_LOOP | MCR_RTS | MCR_OUT2);
    bool looped = (uart_in(u, UART_MSR) & MSR_INPUTS) == MSR_LOOPED;

    uart_out(u, UART_MCR, MCR_DTR | MCR_RTS);
    uart_out(u, UART_FCR, FCR_ENABLE);
    return looped && (uart_in(u, UART_IIR) & IIR_FIFO) == IIR_FIFO;
}

static void uart_setup(const struct uart *u)
{
    uart_out(u, UART_LCR, LCR_8N1 | LCR_DLAB);
    uart_out(u, UART_DLL, DIVISOR_115200);
    uart_out(u, UART_DLM, 0);
    uart_out(u, UART_LCR, LCR_8N1);
    uart_out(u, UART_FCR,
             FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX | FCR_TRIGGER8);
    uart_out(u, UART_MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
}

static int uart_start(struct uart *u)
{
    if (!uart_detect(u))
        return -ENODEV;
    ring_init(&u->tx, u->tx_data, TX_RING_SIZE);
    waitq_init(&u->room);
    int err = tty_register(&u->tty, u->name, &uart_tty_ops, u);

    if (err)
        return err;
    uart_setup(u);
    int vector = irq_request_isa(u->irq_line, u->name, uart_interrupt, u);

    if (vector < 0)
        log_error("serial", "%s: no interrupt (%d): output is slow, no input",
                  u->name, vector);
    irqflags_t flags = spin_lock(&u->lock);

    u->ier |= IER_RX | IER_LINE;
    uart_out(u, UART_IER, u->ier);
    spin_unlock(&u->lock, flags);
    log_info("serial", "%s: 16550A at port 0x%x, 115200 8n1", u->name, u->port);
    return 0;
}

static int serial_start(void)
{
    const char *use = cmdline_get("com2");
    int err = uart_start(&com1);

    if (use && strcmp(use, "tty") == 0 && uart_start(&com2) != 0)
        log_warn("serial", "com2=tty, but there is no second port");
    return err;
}

/* Let the last lines out before the machine goes. */
static void serial_stop(void)
{
    struct uart *const ports[] = {&com1, &com2};

    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        struct uart *u = ports[i];
        irqflags_t flags = spin_lock(&u->lock);
        nstime_t deadline = clock_now() + TX_STALL;

        while (u->tx.data && ring_used(&u->tx) > 0 && !u->dead &&
               clock_now() < deadline)
            waitq_wait_uncancellable(&u->room, &u->lock,
                                     clock_now() + NS_PER_MS);
        spin_unlock(&u->lock, flags);
        if (u->tx.data)
            poll_ready(u, LSR_TEMT);
    }
}

UNIT(serial, .start = serial_start, .stop = serial_stop);
