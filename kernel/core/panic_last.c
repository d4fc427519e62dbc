/*
 * The record of the boot before: taken over at boot, kept as text. Boot for
 * panic_record_init, then read-only.
 */
#include <rayos/panic.h>

#include <string.h>

#include <rayos/boot.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "panic_internal.h"
#include "panic_record.h"

static char *last;

void *panic_region(size_t *size)
{
    const struct boot_info *info = boot_info_get();

    *size = info->panic_size;
    return info->panic_base ? phys_to_virt(info->panic_base) : NULL;
}

/* The CRC vouches for our own text only; whoever shows it need not wonder about
 * control characters. */
static void text_copy(char *to, const char *from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)from[i];

        to[i] = c == '\n' || (c >= ' ' && c < 0x7f) ? (char)c : '?';
    }
    to[length] = '\0';
}

void panic_record_init(void)
{
    size_t size;
    void *region = panic_region(&size);
    const struct panic_record *r = panic_record_check(region, size);

    if (!region)
        log_warn("panic", "no memory for a panic record");
    if (r) {
        last = kalloc(r->length + 1);
        if (last)
            text_copy(last, r->text, r->length);
        log_warn("panic", "the boot before this one ended in a panic");
    }
    panic_record_clear(region, size);
}

const char *panic_last(void)
{
    return last;
}
