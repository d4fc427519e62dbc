/*
 * What the guest loaders share. Thread context.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include <rayos/fmt.h>

#include "vmm/load_common.h"

#define GIB4       UINT64_C(0x100000000)
#define COPY_CHUNK 65536

int load_fail(char *error, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fmt_vsnprintf(error, LOAD_ERROR_MAX, format, args);
    va_end(args);
    return err;
}

int load_read(const struct load_source *s, uint64_t offset, void *out, size_t n,
              const char *what, char *error)
{
    ssize_t got;

    if (offset > s->size || n > s->size - offset)
        return load_fail(error, -ENOEXEC,
                         "%s: the image ends at byte %llu, before its end",
                         what, (unsigned long long)s->size);
    got = s->read(s->arg, offset, out, n);
    if (got < 0)
        return load_fail(error, (int)got, "%s: cannot be read (%d)", what,
                         (int)got);
    if ((size_t)got != n)
        return load_fail(error, -EIO, "%s: only %zd of %zu bytes came", what,
                         got, n);
    return 0;
}

/* RAM of one stretch, not in the low memory that loaders use themselves. */
static bool is_ram(const struct load_request *r, gpa_t at, uint64_t n)
{
    gpa_t base;
    uint64_t size;

    if (at < LOAD_HIGH)
        return false;
    for (size_t i = 0; guest_memory_range(r->memory, i, &base, &size); i++)
        if (at >= base && at - base <= size && n <= size - (at - base))
            return true;
    return false;
}

int load_copy(const struct load_request *r, const struct load_source *s,
              uint64_t offset, gpa_t to, uint64_t n, uint64_t total,
              const char *what, char *error)
{
    if (n > total)
        return load_fail(
            error, -ENOEXEC, "%s: %llu bytes in the file, only %llu in memory",
            what, (unsigned long long)n, (unsigned long long)total);
    if (!is_ram(r, to, total))
        return load_fail(error, -ENOMEM,
                         "%s: needs memory at 0x%llx..0x%llx, which the guest "
                         "does not have",
                         what, (unsigned long long)to,
                         (unsigned long long)(to + total));
    for (uint64_t done = 0; done < n;) {
        uint64_t left = n - done;
        size_t got, want = left < COPY_CHUNK ? (size_t)left : COPY_CHUNK;
        void *p = guest_span(r->memory, to + done, want, &got);
        int err = p ? load_read(s, offset + done, p, got, what, error)
                    : load_fail(error, -ENOMEM, "%s: memory is gone", what);

        if (err)
            return err;
        done += got;
    }
    for (uint64_t done = n; done < total; done += COPY_CHUNK) {
        uint64_t left = total - done;

        guest_fill(r->memory, to + done, 0,
                   left < COPY_CHUNK ? (size_t)left : COPY_CHUNK);
    }
    return 0;
}

int load_put(const struct load_request *r, gpa_t at, const void *data, size_t n)
{
    return guest_write(r->memory, at, data, n);
}

int load_put_text(const struct load_request *r, gpa_t at, const char *text,
                  size_t max, char *error)
{
    size_t n = text ? strlen(text) : 0;

    if (n >= max)
        return load_fail(error, -ENOEXEC,
                         "command line: %zu bytes, at most %zu are taken", n,
                         max - 1);
    return load_put(r, at, text ? text : "", n + 1);
}

/* --- memory --- */

static void add(struct load_range *map, unsigned *n, uint64_t base,
                uint64_t end, uint32_t type)
{
    if (end > base && *n < LOAD_E820_MAX)
        map[(*n)++] = (struct load_range){base, end - base, type};
}

unsigned load_memory_map(const struct load_request *r,
                         struct load_range out[LOAD_E820_MAX])
{
    unsigned n = 0;
    gpa_t base;
    uint64_t size;

    for (size_t i = 0; guest_memory_range(r->memory, i, &base, &size); i++) {
        uint64_t end = base + size;

        if (base == 0) {
            add(out, &n, 0, LOAD_LOW_END, LOAD_E820_USABLE);
            add(out, &n, LOAD_LOW_END, LOAD_HIGH, LOAD_E820_RESERVED);
            base = LOAD_HIGH;
        }
        add(out, &n, base, end, LOAD_E820_USABLE);
    }
    return n;
}

gpa_t load_place_high(const struct load_request *r, uint64_t size, gpa_t floor,
                      gpa_t limit)
{
    gpa_t best = GPA_NONE, base;
    uint64_t length;

    size = ALIGN_UP(size, PAGE_SIZE);
    if (limit > GIB4)
        limit = GIB4;
    if (floor < LOAD_HIGH)
        floor = LOAD_HIGH;
    for (size_t i = 0; guest_memory_range(r->memory, i, &base, &length); i++) {
        gpa_t end = base + length < limit ? base + length : limit;

        end = ALIGN_DOWN(end, PAGE_SIZE);
        if (base < floor)
            base = ALIGN_UP(floor, PAGE_SIZE);
        if (end > base && end - base >= size)
            best = end - size;
    }
    return best;
}

/* --- the state that protocols ask for --- */

int load_put_gdt(const struct load_request *r, struct load_entry *out)
{
    /* Present, DPL 0, flat, 4 KiB granular: Intel SDM 3A 3.4.5. */
    static const uint64_t gdt[] = {
        0,
        0,
        UINT64_C(0x00af9b000000ffff), /* 64-bit code */
        UINT64_C(0x00cf93000000ffff), /* data */
        UINT64_C(0x00cf9b000000ffff), /* 32-bit code */
    };

    out->gdt = LOAD_GDT;
    out->gdt_limit = sizeof(gdt) - 1;
    out->code_selector = out->mode == LOAD_LONG ? LOAD_CODE64 : LOAD_CODE32;
    out->data_selector = LOAD_DATA;
    return load_put(r, LOAD_GDT, gdt, sizeof(gdt));
}

int load_put_page_tables(const struct load_request *r, struct load_entry *out)
{
    enum { PRESENT_WRITABLE = 3, LARGE = 0x80, ENTRIES = 512, GIBS = 4 };
    gpa_t pdpt = LOAD_PAGE_TABLES + PAGE_SIZE, pd = pdpt + PAGE_SIZE;
    uint64_t entry = pdpt | PRESENT_WRITABLE;
    int err = guest_fill(r->memory, LOAD_PAGE_TABLES, 0, 2 * PAGE_SIZE);

    if (!err)
        err = load_put(r, LOAD_PAGE_TABLES, &entry, sizeof(entry));
    for (unsigned i = 0; i < GIBS && !err; i++) {
        entry = (pd + i * PAGE_SIZE) | PRESENT_WRITABLE;
        err = load_put(r, pdpt + i * sizeof(entry), &entry, sizeof(entry));
    }
    for (unsigned i = 0; i < GIBS * ENTRIES && !err; i++) {
        entry = i * LARGE_PAGE_SIZE | LARGE | PRESENT_WRITABLE;
        err = load_put(r, pd + i * sizeof(entry), &entry, sizeof(entry));
    }
    out->cr3 = LOAD_PAGE_TABLES;
    return err;
}

int load_kernel(const struct load_request *r, struct load_entry *out,
                char error[LOAD_ERROR_MAX])
{
    int err;

    memset(out, 0, sizeof(*out));
    error[0] = '\0';
    err = load_bzimage(r, out, error);
    /* A kernel with both is started as the more modern one. */
    if (err == -ENOENT)
        err = load_pvh(r, out, error);
    if (err == -ENOENT)
        err = load_multiboot(r, out, error);
    if (err == -ENOENT)
        return load_fail(error, -ENOEXEC,
                         "the image is neither a bzImage, an ELF with a PVH "
                         "note, nor a Multiboot kernel");
    return err;
}
