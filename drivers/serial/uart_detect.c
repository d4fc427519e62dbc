/*
 * Which UART is at a port, and how it is set up. Thread context; uart_wait: any
 * context.
 */
#include "uart16550.h"

#define MSR_LOOPED     0x90 /* what MCR_RTS | MCR_OUT2 read as in loop-back */
#define MSR_INPUTS     0xf0
#define DIVISOR_115200 1

/* Polls of one port read, about a microsecond each: a character takes 87. */
#define POLL_LIMIT 100000

bool uart_wait(const struct uart *u, uint8_t mask)
{
    for (unsigned i = 0; i < POLL_LIMIT; i++) {
        if (uart_in(u, UART_LSR) & mask)
            return true;
        arch_pause();
    }
    return false;
}

/* All UARTs since the 16450 keep a byte for us. */
static bool has_scratch(const struct uart *u)
{
    static const uint8_t patterns[] = {0x5a, 0xa5};

    for (unsigned i = 0; i < sizeof(patterns); i++) {
        uart_out(u, UART_SCR, patterns[i]);
        if (uart_in(u, UART_SCR) != patterns[i])
            return false;
    }
    return true;
}

/* In loop-back the modem's outputs are its inputs. */
static bool loops_back(const struct uart *u)
{
    uint8_t inputs;

    uart_out(u, UART_MCR, MCR_LOOP | MCR_RTS | MCR_OUT2);
    inputs = uart_in(u, UART_MSR) & MSR_INPUTS;
    uart_out(u, UART_MCR, MCR_DTR | MCR_RTS);
    return inputs == MSR_LOOPED;
}

/* A 16450 has no FIFO, the first 16550 a broken one. */
static void fifo_detect(struct uart *u)
{
    uint8_t iir;

    uart_out(u, UART_LCR, LCR_8N1 | LCR_DLAB);
    uart_out(u, UART_FCR, FCR_ENABLE | FCR_64);
    uart_out(u, UART_LCR, LCR_8N1);
    iir = uart_in(u, UART_IIR);
    u->auto_flow = false;
    u->fifo_size = 1;
    if ((iir & IIR_FIFO) != IIR_FIFO)
        return;
    u->fifo_size = 16;
    if (iir & IIR_FIFO_64) {
        u->fifo_size = 64;
        u->auto_flow = true;
    }
}

bool uart_detect(struct uart *u)
{
    uart_out(u, UART_IER, 0);
    if (!has_scratch(u))
        return false;
    /* The firmware's last words should get out before the loop closes. */
    uart_wait(u, LSR_TEMT);
    if (!loops_back(u))
        return false;
    fifo_detect(u);
    return true;
}

void uart_setup(struct uart *u)
{
    uint8_t fcr = FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX | FCR_TRIGGER8;

    if (u->fifo_size == 64)
        fcr |= FCR_64;
    uart_out(u, UART_LCR, LCR_8N1 | LCR_DLAB);
    uart_out(u, UART_DLL, DIVISOR_115200);
    uart_out(u, UART_DLM, 0);
    uart_out(u, UART_FCR, u->fifo_size > 1 ? fcr : 0);
    uart_out(u, UART_LCR, LCR_8N1);
    u->mcr = MCR_DTR | MCR_RTS | MCR_OUT2;
    if (u->auto_flow)
        u->mcr |= MCR_AFE;
    uart_out(u, UART_MCR, u->mcr);
    u->ier = 0;
    uart_out(u, UART_IER, 0);
}

const char *uart_kind(const struct uart *u)
{
    if (u->auto_flow)
        return "16750";
    return u->fifo_size > 1 ? "16550A" : "16450";
}
