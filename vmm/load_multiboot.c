/*
 * Multiboot 1 kernels (Multiboot Specification 0.6.96): 32-bit ELF or the
 * addresses in the header ("a.out kludge"), with modules. Thread context.
 */
#include <errno.h>
#include <string.h>

#include "vmm/load_common.h"

#define SEARCH_SIZE 8192
#define WINDOW      1024
#define HEADER_SIZE 32 /* with addresses */
#define MINIMUM     12 /* without */
#define MAGIC       0x1badb002u
#define MAGIC_BOOT  0x2badb002u

/* Header flags, 3.1.2 */
#define WANTS_PAGE_ALIGN 0x00000001u
#define WANTS_MEMORY     0x00000002u
#define WANTS_VIDEO      0x00000004u
#define HAS_ADDRESSES    0x00010000u
#define REQUIREMENTS     0x0000ffffu

/* Information flags, 3.3 */
#define INFO_MEMORY  0x001u
#define INFO_CMDLINE 0x004u
#define INFO_MODULES 0x008u
#define INFO_MEMMAP  0x040u
#define INFO_LOADER  0x200u

#define INFO_SIZE     116
#define INFO_NAME     (LOAD_INFO + 0x100)
#define MODULE_SIZE   16
#define MEMMAP_SIZE   24
#define MEMMAP_LENGTH 20 /* an entry's size does not count itself */
#define KIB           1024

struct header {
    uint32_t offset; /* in the file */
    uint32_t flags;
    uint32_t header_addr, load_addr, load_end, bss_end, entry;
};

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* The header at `p`, `n` bytes before the end of what may be searched. */
static bool parse_header(const uint8_t *p, size_t n, struct header *h)
{
    uint32_t flags = get32(p + 4);

    if (get32(p) != MAGIC || MAGIC + flags + get32(p + 8) != 0 ||
        (flags & HAS_ADDRESSES && n < HEADER_SIZE))
        return false;
    h->flags = flags;
    if (flags & HAS_ADDRESSES) {
        h->header_addr = get32(p + 12);
        h->load_addr = get32(p + 16);
        h->load_end = get32(p + 20);
        h->bss_end = get32(p + 24);
        h->entry = get32(p + 28);
    }
    return true;
}

static int find_header(const struct load_request *r, struct header *h,
                       char *error)
{
    uint64_t end = r->kernel.size < SEARCH_SIZE ? r->kernel.size : SEARCH_SIZE;
    uint8_t window[WINDOW + HEADER_SIZE];

    *h = (struct header){0};
    for (uint64_t base = 0; base < end; base += WINDOW) {
        size_t n = end - base < sizeof(window) ? (size_t)(end - base)
                                               : sizeof(window);
        int err = load_read(&r->kernel, base, window, n, "Multiboot", error);

        if (err)
            return err;
        for (size_t at = 0; at < WINDOW && at + MINIMUM <= n; at += 4) {
            h->offset = (uint32_t)(base + at);
            if (parse_header(window + at, n - at, h))
                return 0;
        }
    }
    return -ENOENT;
}

/* The header says what to load where (3.1.3). */
static int copy_by_addresses(const struct load_request *r,
                             const struct header *h, gpa_t *end, char *error)
{
    uint64_t before = (uint64_t)h->header_addr - h->load_addr, from, n, total;

    if (h->load_addr > h->header_addr || before > h->offset)
        return load_fail(error, -ENOEXEC,
                         "Multiboot: load_addr 0x%x, header_addr 0x%x",
                         h->load_addr, h->header_addr);
    from = h->offset - before;
    n = h->load_end ? (uint64_t)h->load_end - h->load_addr
                    : r->kernel.size - from;
    if (h->load_end && h->load_end < h->load_addr)
        return load_fail(error, -ENOEXEC, "Multiboot: load_end_addr 0x%x",
                         h->load_end);
    total = h->bss_end ? (uint64_t)h->bss_end - h->load_addr : n;
    if (h->bss_end && h->bss_end < h->load_addr)
        return load_fail(error, -ENOEXEC, "Multiboot: bss_end_addr 0x%x",
                         h->bss_end);
    *end = h->load_addr + total;
    return load_copy(r, &r->kernel, from, h->load_addr, n, total,
                     "Multiboot: addresses", error);
}

static int copy_elf(const struct load_request *r, struct header *h, gpa_t *end,
                    char *error)
{
    struct load_elf elf;
    int err = load_elf_open(&r->kernel, &elf, error);

    if (err == -ENOENT || (!err && elf.wide))
        return load_fail(error, -ENOEXEC,
                         "Multiboot: neither addresses in the header nor a "
                         "32-bit ELF");
    h->entry = (uint32_t)elf.entry;
    return err ? err : load_elf_copy(r, &elf, end, error);
}

/* Modules follow the kernel, page by page. */
static int put_modules(const struct load_request *r, gpa_t at, char *error)
{
    for (unsigned i = 0; i < r->module_count; i++) {
        const struct load_module *m = &r->module[i];
        gpa_t line = LOAD_MODLINES + i * (gpa_t)LOAD_MODLINE_MAX;
        uint32_t entry[4] = {0};
        int err;

        at = ALIGN_UP(at, PAGE_SIZE);
        entry[0] = (uint32_t)at;
        entry[1] = (uint32_t)(at + m->source.size);
        entry[2] = (uint32_t)line;
        err = load_copy(r, &m->source, 0, at, m->source.size, m->source.size,
                        "module", error);
        if (!err)
            err = load_put_text(r, line, m->cmdline, LOAD_MODLINE_MAX, error);
        if (!err)
            err = load_put(r, LOAD_MODLIST + i * MODULE_SIZE, entry,
                           sizeof(entry));
        if (err)
            return err;
        at += m->source.size;
    }
    return 0;
}

static int put_memory_map(const struct load_request *r, uint32_t *length,
                          uint32_t *upper)
{
    struct load_range map[LOAD_E820_MAX];
    unsigned n = load_memory_map(r, map);
    int err = 0;

    *upper = 0;
    for (unsigned i = 0; i < n && !err; i++) {
        struct {
            uint32_t size;
            uint64_t base, length;
            uint32_t type;
        } __attribute__((packed))
        entry = {MEMMAP_LENGTH, map[i].base, map[i].size, map[i].type};

        if (map[i].base == LOAD_HIGH)
            *upper = (uint32_t)(map[i].size / KIB);
        err = load_put(r, LOAD_MEMMAP + i * MEMMAP_SIZE, &entry, sizeof(entry));
    }
    *length = n * MEMMAP_SIZE;
    return err;
}

static int put_info(const struct load_request *r, char *error)
{
    static const char name[] = "RayOS";
    uint32_t info[INFO_SIZE / 4] = {0}, length, upper;
    int err = put_memory_map(r, &length, &upper);

    info[0] = INFO_MEMORY | INFO_CMDLINE | INFO_MEMMAP | INFO_LOADER |
              (r->module_count ? INFO_MODULES : 0);
    info[1] = (uint32_t)(LOAD_LOW_END / KIB);
    info[2] = upper;
    info[4] = (uint32_t)LOAD_CMDLINE;
    info[5] = r->module_count;
    info[6] = (uint32_t)LOAD_MODLIST;
    info[11] = length;
    info[12] = (uint32_t)LOAD_MEMMAP;
    info[16] = (uint32_t)INFO_NAME;
    if (!err)
        err = load_put_text(r, LOAD_CMDLINE, r->cmdline, LOAD_CMDLINE_MAX,
                            error);
    if (!err)
        err = load_put(r, INFO_NAME, name, sizeof(name));
    return err ? err : load_put(r, LOAD_INFO, info, sizeof(info));
}

int load_multiboot(const struct load_request *r, struct load_entry *out,
                   char *error)
{
    struct header h;
    gpa_t end;
    int err = find_header(r, &h, error);

    if (err)
        return err;
    if (h.flags & REQUIREMENTS &
        ~(WANTS_PAGE_ALIGN | WANTS_MEMORY | WANTS_VIDEO))
        return load_fail(error, -ENOEXEC,
                         "Multiboot: flags 0x%08x require what is not known",
                         h.flags);
    err = h.flags & HAS_ADDRESSES ? copy_by_addresses(r, &h, &end, error)
                                  : copy_elf(r, &h, &end, error);
    if (!err)
        err = put_modules(r, end, error);
    if (!err)
        err = put_info(r, error);
    if (err)
        return err;
    out->format = "Multiboot";
    out->mode = LOAD_PROTECTED;
    out->rip = h.entry;
    out->rax = MAGIC_BOOT;
    out->rbx = LOAD_INFO;
    return load_put_gdt(r, out);
}
