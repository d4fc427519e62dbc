/*
 * What parsers call of the kernel, for the host: its heap is malloc's, and a
 * log line is formatted, so that wrong arguments are seen, and dropped.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <rayos/log.h>
#include <rayos/mm.h>

void *kalloc(size_t size)
{
    return malloc(size);
}

void kfree(void *p)
{
    free(p);
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    (void)level;
    (void)module;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
}
