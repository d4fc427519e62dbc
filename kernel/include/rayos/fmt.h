/*
 * The kernel's own formatter: a subset of printf that touches neither FPU nor
 * heap nor locks, so that log and panic may use it in any context.
 *
 * Conversions: %d %i %u %x %X %o %c %s %p %% with flags - 0 + space #, width,
 * precision (`*` too) and the lengths hh h l ll z t j. Anything else is copied
 * as it stands. Pure; also built for the host tests.
 */
#ifndef RAYOS_FMT_H
#define RAYOS_FMT_H

#include <stdarg.h>
#include <stddef.h>

#define FMT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Like snprintf: always NUL-terminates when size > 0, returns the length the
 * whole text has. */
int fmt_snprintf(char *buf, size_t size, const char *fmt, ...) FMT_PRINTF(3, 4);
int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);

/* The value of a hexadecimal digit, -1 when `c` is none. */
static inline int fmt_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

#endif
