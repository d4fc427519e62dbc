/*
 * The guest's UART. Output goes to the console at once (the line is infinitely
 * fast), so THR is always empty; input waits in the console until the guest's
 * FIFO has room. One lock; vCPU threads, and whoever types.
 */
#include <errno.h>

#include <rayos/mm.h>

#include "vmm/devices/console.h"
#include "vmm/vm.h"

#define UARTS     4
#define REGISTERS 8
#define FIFO_SIZE 16

/* Registers by offset; DLAB turns the first two into the divisor. */
enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };

#define IER_RECEIVED      0x01
#define IER_EMPTY         0x02
#define IER_LINE          0x04
#define IER_MODEM         0x08
#define IIR_NONE          0x01
#define IIR_MODEM         0x00
#define IIR_EMPTY         0x02
#define IIR_RECEIVED      0x04
#define IIR_LINE          0x06
#define IIR_TIMEOUT       0x0c
#define IIR_FIFOS         0xc0
#define FCR_ENABLE        0x01
#define FCR_CLEAR_RX      0x02
#define FCR_TRIGGER_SHIFT 6
#define LCR_DLAB          0x80
#define MCR_DTR           0x01
#define MCR_RTS           0x02
#define MCR_OUT1          0x04
#define MCR_OUT2          0x08 /* lets the interrupt out, on a PC */
#define MCR_LOOP          0x10
#define LSR_READY         0x01
#define LSR_OVERRUN       0x02
#define LSR_THR_EMPTY     0x20
#define LSR_IDLE          0x40
#define MSR_CTS           0x10
#define MSR_DSR           0x20
#define MSR_RI            0x40
#define MSR_DCD           0x80

struct uart {
    struct vm_device device;
    struct spinlock lock;
    struct console *console;
    uint32_t gsi;
    /* lock: all below */
    uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
    bool thr_pending; /* THR became empty since the guest last looked */
    bool overrun;
    uint8_t fifo[FIFO_SIZE];
    unsigned head, used;
    struct vm_region ports;
};

static unsigned fifo_room(const struct uart *u)
{
    return (u->fcr & FCR_ENABLE ? FIFO_SIZE : 1) - u->used;
}

static void fifo_put(struct uart *u, uint8_t byte)
{
    u->fifo[(u->head + u->used++) % FIFO_SIZE] = byte;
}

/* Take from the console what there is room for; not in loop-back, where the
 * line is cut. */
static void fill(struct uart *u)
{
    uint8_t byte;

    while (!(u->mcr & MCR_LOOP) && fifo_room(u) &&
           console_take(u->console, &byte, 1))
        fifo_put(u, byte);
}

static unsigned trigger_level(const struct uart *u)
{
    static const uint8_t levels[] = {1, 4, 8, 14};

    return u->fcr & FCR_ENABLE ? levels[u->fcr >> FCR_TRIGGER_SHIFT] : 1;
}

/* The most urgent reason. Below the trigger level the time-out of the data
 * sheet comes at once: the line is silent as soon as it has given all. */
static uint8_t identify(const struct uart *u)
{
    if ((u->ier & IER_LINE) && u->overrun)
        return IIR_LINE;
    if ((u->ier & IER_RECEIVED) && u->used)
        return u->used >= trigger_level(u) ? IIR_RECEIVED : IIR_TIMEOUT;
    if ((u->ier & IER_EMPTY) && u->thr_pending)
        return IIR_EMPTY;
    return IIR_NONE;
}

/* Under the lock, so that two threads cannot leave the older level behind. */
static void update_line(struct uart *u)
{
    irqflags_t flags = spin_lock(&u->lock);

    fill(u);
    vm_set_irq(u->device.vm, u->gsi,
               identify(u) != IIR_NONE && (u->mcr & MCR_OUT2) &&
                   !(u->mcr & MCR_LOOP));
    spin_unlock(&u->lock, flags);
}

/* Somebody typed. */
static void uart_ready(void *arg)
{
    update_line(arg);
}

/* --- registers: lock held --- */

static uint8_t read_received(struct uart *u)
{
    uint8_t byte = 0;

    if (u->used) {
        byte = u->fifo[u->head];
        u->head = (u->head + 1) % FIFO_SIZE;
        u->used--;
    }
    return byte;
}

static uint8_t read_iir(struct uart *u)
{
    uint8_t iir = identify(u);

    /* Reading it is the answer to this one. */
    if (iir == IIR_EMPTY)
        u->thr_pending = false;
    return iir | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(struct uart *u)
{
    uint8_t lsr = LSR_THR_EMPTY | LSR_IDLE | (u->used ? LSR_READY : 0) |
                  (u->overrun ? LSR_OVERRUN : 0);

    u->overrun = false;
    return lsr;
}

/* In loop-back the outputs are the inputs. */
static uint8_t read_msr(const struct uart *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_DCD | MSR_DSR | MSR_CTS;
    return (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
           (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static uint8_t uart_get(struct uart *u, unsigned reg)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (reg) {
    case RBR_THR:
        return dlab ? u->dll : read_received(u);
    case IER:
        return dlab ? u->dlm : u->ier;
    case IIR_FCR:
        return read_iir(u);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        return read_lsr(u);
    case MSR:
        return read_msr(u);
    default:
        return u->scr;
    }
}

static void send(struct uart *u, uint8_t byte)
{
    u->thr_pending = true;
    if (!(u->mcr & MCR_LOOP))
        console_output(u->console, &byte, 1);
    else if (fifo_room(u))
        fifo_put(u, byte);
    else
        u->overrun = true;
}

static void write_ier(struct uart *u, uint8_t value)
{
    /* Turning it on with an empty THR interrupts at once. */
    if ((value & IER_EMPTY) && !(u->ier & IER_EMPTY))
        u->thr_pending = true;
    u->ier = value & 0x0f;
}

static void write_fcr(struct uart *u, uint8_t value)
{
    if ((value ^ u->fcr) & FCR_ENABLE || value & FCR_CLEAR_RX)
        u->used = 0;
    u->fcr = value & (FCR_ENABLE | 0xc0);
}

static void uart_set(struct uart *u, unsigned reg, uint8_t value)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (reg) {
    case RBR_THR:
        if (dlab)
            u->dll = value;
        else
            send(u, value);
        break;
    case IER:
        if (dlab)
            u->dlm = value;
        else
            write_ier(u, value);
        break;
    case IIR_FCR:
        write_fcr(u, value);
        break;
    case LCR:
        u->lcr = value;
        break;
    case MCR:
        u->mcr = value & 0x1f;
        break;
    case SCR:
        u->scr = value;
        break;
    default: /* LSR and MSR are for reading */
        break;
    }
}

static enum mmio_result uart_read(struct vcpu *v, void *device, uint64_t offset,
                                  unsigned size, uint64_t *value)
{
    struct uart *u = device;
    irqflags_t flags = spin_lock(&u->lock);

    (void)v;
    (void)size;
    fill(u);
    *value = uart_get(u, (unsigned)offset);
    spin_unlock(&u->lock, flags);
    update_line(u);
    return MMIO_HANDLED;
}

static enum mmio_result uart_write(struct vcpu *v, void *device,
                                   uint64_t offset, unsigned size,
                                   uint64_t value)
{
    struct uart *u = device;
    irqflags_t flags = spin_lock(&u->lock);

    (void)v;
    (void)size;
    uart_set(u, (unsigned)offset, (uint8_t)value);
    spin_unlock(&u->lock, flags);
    update_line(u);
    return MMIO_HANDLED;
}

/* --- life --- */

static void uart_reset(struct vm_device *d)
{
    struct uart *u = container_of(d, struct uart, device);
    irqflags_t flags = spin_lock(&u->lock);

    u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->dlm = 0;
    u->dll = 12; /* 9600 baud: what nobody looks at */
    u->thr_pending = u->overrun = false;
    u->head = u->used = 0;
    vm_set_irq(u->device.vm, u->gsi, false);
    spin_unlock(&u->lock, flags);
}

static void uart_destroy(struct vm_device *d)
{
    struct uart *u = container_of(d, struct uart, device);

    console_detach(u->console);
    kfree(u);
}

static const struct vm_device_ops uart_ops = {
    .name = "uart", .reset = uart_reset, .destroy = uart_destroy};

static int uart_add(struct vm *vm, unsigned number, struct console *console)
{
    static const uint16_t bases[UARTS] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    struct uart *u;

    if (number >= UARTS)
        return -EINVAL;
    u = kzalloc(sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->device = (struct vm_device){.ops = &uart_ops, .vm = vm};
    u->console = console;
    u->gsi = number & 1 ? 3 : 4;
    uart_reset(&u->device);
    console_attach(console, uart_ready, u);
    u->ports = (struct vm_region){.base = bases[number],
                                  .size = REGISTERS,
                                  .name = "uart",
                                  .read = uart_read,
                                  .write = uart_write,
                                  .device = u};
    vm_add_device(vm, &u->device);
    return vm_add_ports(vm, &u->ports);
}

/* COM1; its console is kept over resets and new starts. */
static int uart_create(struct vm *vm)
{
    if (!vm->console) {
        struct console *c = kzalloc(sizeof(*c));
        int err = c ? console_init(c, false) : -ENOMEM;

        if (err) {
            kfree(c);
            return err;
        }
        vm->console = c;
    }
    return uart_add(vm, 0, vm->console);
}

VM_DEVICE_TYPE(uart, .create = uart_create);
