/*
 * The log on a port, for those who debug the kernel itself: `log=serial` prints
 * every record on COM1, `log=debugcon` on port 0xe9. Works before anything else
 * does and from any context: it polls, waits only for a bounded time, and takes
 * no locks, so that lines of two CPUs may run into each other.
 */
#include <rayos/log.h>

#include <string.h>

#include <arch/cpu.h>
#include <rayos/cmdline.h>

#define DEBUGCON 0xe9

/* The 16550's registers (PC16550D data sheet, table II). */
#define COM1     0x3f8
#define UART_THR (COM1 + 0)
#define UART_DLL (COM1 + 0) /* with LCR_DLAB */
#define UART_DLM (COM1 + 1)
#define UART_IER (COM1 + 1)
#define UART_FCR (COM1 + 2)
#define UART_LCR (COM1 + 3)
#define UART_MCR (COM1 + 4)
#define UART_LSR (COM1 + 5)

#define LCR_8N1     0x03
#define LCR_DLAB    0x80
#define FCR_ENABLE  0x01
#define MCR_DTR_RTS 0x03
#define LSR_THRE    0x20

/* Reads of a port take about a microsecond; a character at 115200 takes 87. */
#define SPIN_LIMIT 20000

static void serial_init(void)
{
    arch_out8(UART_IER, 0);
    arch_out8(UART_LCR, LCR_8N1 | LCR_DLAB);
    arch_out8(UART_DLL, 1); /* 115200 */
    arch_out8(UART_DLM, 0);
    arch_out8(UART_LCR, LCR_8N1);
    arch_out8(UART_FCR, FCR_ENABLE);
    arch_out8(UART_MCR, MCR_DTR_RTS);
}

static void serial_put(char c)
{
    for (unsigned i = 0; i < SPIN_LIMIT; i++) {
        if (arch_in8(UART_LSR) & LSR_THRE)
            break;
        arch_pause();
    }
    arch_out8(UART_THR, (uint8_t)c);
}

static void debugcon_put(char c)
{
    arch_out8(DEBUGCON, (uint8_t)c);
}

static void record_print(const struct log_record *r, void (*put)(char c))
{
    char line[LOG_TEXT_MAX + 64];

    fmt_snprintf(line, sizeof(line), "[%5llu.%06llu] cpu%u %-5s %s: %s\r\n",
                 (unsigned long long)(r->time / NS_PER_SEC),
                 (unsigned long long)(r->time % NS_PER_SEC / NS_PER_US), r->cpu,
                 log_level_name((enum log_level)r->level), r->module, r->text);
    for (const char *p = line; *p; p++)
        put(*p);
}

static void sink_serial(const struct log_record *r)
{
    record_print(r, serial_put);
}

static void sink_debugcon(const struct log_record *r)
{
    record_print(r, debugcon_put);
}

void log_sink_init(void)
{
    const char *where = cmdline_get("log");

    if (!where)
        return;
    if (strcmp(where, "serial") == 0) {
        serial_init();
        log_set_sink(sink_serial, LOG_DEBUG);
    } else if (strcmp(where, "debugcon") == 0) {
        log_set_sink(sink_debugcon, LOG_DEBUG);
    } else {
        log_warn("log", "log=%s: not known, use serial or debugcon", where);
    }
}
