/*
 * Where the words of a panic go: record, ttys, screen. The record comes first,
 * because it needs nothing that works. Called by the one CPU that panics, in
 * any context.
 */
#include <stdarg.h>

#include <arch/cpu.h>
#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/tty.h>

#include "panic_internal.h"
#include "panic_record.h"

/* COM1 as log_sink.c has it, for panics before the first tty is there. */
#define UART_THR        0x3f8
#define UART_LSR        0x3fd
#define LSR_THRE        0x20
#define UART_SPIN_LIMIT 20000

static struct panic_record *record;
static size_t record_size;

__attribute__((weak)) void panic_screen_write(const char *text, size_t size)
{
    (void)text;
    (void)size;
}

static void early_put(char c)
{
    for (unsigned i = 0; i < UART_SPIN_LIMIT; i++)
        if (arch_in8(UART_LSR) & LSR_THRE) {
            arch_out8(UART_THR, (uint8_t)c);
            return;
        }
}

static void early_write(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n')
            early_put('\r');
        early_put(text[i]);
    }
}

void panic_output_begin(void)
{
    void *region = panic_region(&record_size);

    /* The loader's tables have it for sure, ours are asked. */
    if (!kspace_root() || panic_can_read((uintptr_t)region, record_size))
        record = panic_record_begin(region, record_size);
}

void panic_print(const char *fmt, ...)
{
    static char line[320]; /* one CPU panics */
    va_list ap;
    int length;

    va_start(ap, fmt);
    length = fmt_vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (length >= (int)sizeof(line))
        length = sizeof(line) - 1;
    if (record)
        panic_record_append(record, record_size, line, (size_t)length);
    if (tty_at(0))
        tty_panic_write(line, (size_t)length);
    else
        early_write(line, (size_t)length);
    panic_screen_write(line, (size_t)length);
}

/* A reset may drop what is only in the caches (Intel SDM 3A 9.1). */
void panic_output_flush(void)
{
    __asm__ volatile("wbinvd" ::: "memory");
}
