/*
 * The registers of a 16550A (PC16550D data sheet, section 8) and one port's
 * state. Shared by the driver's two files.
 */
#ifndef DRIVERS_SERIAL_UART16550_H
#define DRIVERS_SERIAL_UART16550_H

#include <arch/cpu.h>
#include <rayos/ring.h>
#include <rayos/tty.h>

/* From the port's base. */
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

#define IIR_NONE    0x01 /* no interrupt is pending */
#define IIR_FIFO_64 0x20 /* of a 16750: the long FIFO is on */
#define IIR_FIFO    0xc0 /* both: a working FIFO */

#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define FCR_CLEAR_TX 0x04
#define FCR_64       0x20 /* taken with LCR_DLAB only */
#define FCR_TRIGGER8 0x80 /* half of the FIFO */

#define LCR_8N1  0x03
#define LCR_DLAB 0x80

#define MCR_DTR  0x01
#define MCR_RTS  0x02
#define MCR_OUT2 0x08 /* on a PC: connects the interrupt line */
#define MCR_LOOP 0x10
#define MCR_AFE  0x20 /* of a 16750: RTS follows the FIFO */

#define LSR_DATA    0x01
#define LSR_OVERRUN 0x02
#define LSR_PARITY  0x04
#define LSR_FRAMING 0x08
#define LSR_BREAK   0x10
#define LSR_ERRORS  0x1e /* the four above */
#define LSR_THRE    0x20 /* transmit FIFO empty */
#define LSR_TEMT    0x40 /* and the last character is out */

#define UART_FIFO_MAX 64
#define UART_TX_RING  4096

struct uart_counts {
    uint64_t received, sent;
    uint64_t overruns, parity_errors, framing_errors, breaks;
    uint64_t pauses; /* of the far end */
};

struct uart {
    const char *name;
    struct tty tty;
    bool registered; /* the tty is: it outlives the hardware */
    /* Found out by uart_detect. */
    uint16_t port;
    uint8_t fifo_size; /* 1: there is no FIFO */
    bool auto_flow;
    /* All below: lock, but what says otherwise. */
    struct spinlock lock;
    int vector; /* probe and remove; negative: no interrupt */
    bool bound;
    struct ring tx;
    uint8_t tx_data[UART_TX_RING];
    struct waitq room;
    uint8_t ier, mcr;
    _Atomic uint8_t lsr_kept; /* LSR_ERRORS that the transmit side has read */
    bool stall_logged;
    struct uart_counts counts; /* of the receiver: interrupt handler */
    bool loss_logged;          /* interrupt handler */
    _Atomic bool dead; /* a panic has the port: nobody else touches it */
};

static inline uint8_t uart_in(const struct uart *u, uint16_t reg)
{
    return arch_in8((uint16_t)(u->port + reg));
}

static inline void uart_out(const struct uart *u, uint16_t reg, uint8_t v)
{
    arch_out8((uint16_t)(u->port + reg), v);
}

/* Wait, but not for ever, until the line status shows one of `mask`. Any
 * context. */
bool uart_wait(const struct uart *u, uint8_t mask);

/* Is there a UART, and of what kind? Leaves interrupts and loop-back off.
 * Thread context. */
bool uart_detect(struct uart *u);
/* 115200 8n1, FIFO empty and on, interrupts off. */
void uart_setup(struct uart *u);
const char *uart_kind(const struct uart *u);

#endif
