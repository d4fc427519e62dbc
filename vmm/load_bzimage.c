/*
 * Linux bzImage by the 64-bit boot protocol (the kernel's documentation, "The
 * Linux/x86 Boot Protocol", 2.12 and later). Thread context.
 */
#include <errno.h>
#include <string.h>

#include "vmm/load_common.h"

/* Offsets in the image's first sectors, and in boot_params from 0x1f1 on. */
enum {
    SETUP_SECTS = 0x1f1,
    VID_MODE = 0x1fa,
    BOOT_FLAG = 0x1fe,
    JUMP_LENGTH = 0x201,
    HEADER = 0x202,
    VERSION = 0x206,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    CMD_LINE_PTR = 0x228,
    INITRD_ADDR_MAX = 0x22c,
    KERNEL_ALIGNMENT = 0x230,
    RELOCATABLE = 0x234,
    XLOADFLAGS = 0x236,
    CMDLINE_SIZE = 0x238,
    PREF_ADDRESS = 0x258,
    INIT_SIZE = 0x260,
    HEADER_END = 0x268, /* of what we need */
};

/* Other members of boot_params */
#define PARAMS_SIZE         4096
#define PARAMS_RSDP         0x070
#define PARAMS_E820_ENTRIES 0x1e8
#define PARAMS_E820         0x2d0
#define PARAMS_E820_SIZE    20
#define PARAMS_HEADER_MAX   0x290 /* the header ends before the next member */

#define MAGIC_BOOT       0xaa55
#define MAGIC_HEADER     0x53726448 /* "HdrS" */
#define VERSION_MIN      0x020c     /* xloadflags */
#define SECTOR           512
#define SETUP_SECTS_ZERO 4 /* what 0 means */
#define LOADER_UNDEFINED 0xff
#define LOADED_HIGH      0x01
#define XLF_KERNEL_64    0x01
#define ENTRY_64         0x200
#define NORMAL_VGA       0xffff
#define GIB4             UINT64_C(0x100000000)

struct bzimage {
    uint8_t header[HEADER_END];
    uint64_t setup_size; /* where the protected-mode kernel begins */
    uint64_t kernel_size;
    uint64_t init_size;
    gpa_t address;
    uint32_t header_length; /* up to its own end */
};

static uint64_t get(const uint8_t *p, unsigned offset, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)p[offset + i] << 8 * i;
    return v;
}

static void put(uint8_t *p, unsigned offset, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        p[offset + i] = (uint8_t)(v >> 8 * i);
}

static int check_header(struct bzimage *b, uint64_t size, char *error)
{
    const uint8_t *h = b->header;
    unsigned sects = h[SETUP_SECTS] ? h[SETUP_SECTS] : SETUP_SECTS_ZERO;
    unsigned version = (unsigned)get(h, VERSION, 2);

    if (version < VERSION_MIN)
        return load_fail(error, -ENOEXEC,
                         "bzImage: version: boot protocol %u.%02u, at least "
                         "2.12 is needed",
                         version >> 8, version & 0xff);
    if (!(h[LOADFLAGS] & LOADED_HIGH))
        return load_fail(error, -ENOEXEC,
                         "bzImage: loadflags: a zImage, which is loaded low");
    if (!(get(h, XLOADFLAGS, 2) & XLF_KERNEL_64))
        return load_fail(error, -ENOEXEC,
                         "bzImage: xloadflags: no 64-bit entry point");
    b->header_length = HEADER + h[JUMP_LENGTH];
    if (b->header_length < HEADER_END || b->header_length > PARAMS_HEADER_MAX)
        return load_fail(error, -ENOEXEC,
                         "bzImage: jump: the setup header ends at 0x%x",
                         b->header_length);
    b->setup_size = (sects + 1) * SECTOR;
    if (b->setup_size >= size)
        return load_fail(error, -ENOEXEC,
                         "bzImage: setup_sects: %u sectors are all of the "
                         "image, or more",
                         sects);
    b->kernel_size = size - b->setup_size;
    return 0;
}

static int check_place(struct bzimage *b, char *error)
{
    const uint8_t *h = b->header;
    uint64_t alignment = get(h, KERNEL_ALIGNMENT, 4);

    b->address = get(h, PREF_ADDRESS, 8);
    b->init_size = get(h, INIT_SIZE, 4);
    if (!alignment || alignment & (alignment - 1))
        return load_fail(error, -ENOEXEC,
                         "bzImage: kernel_alignment: 0x%llx is no power of two",
                         (unsigned long long)alignment);
    if (b->address < LOAD_HIGH || b->address >= GIB4 || b->address % PAGE_SIZE)
        return load_fail(error, -ENOEXEC, "bzImage: pref_address: 0x%llx",
                         (unsigned long long)b->address);
    if (b->init_size < b->kernel_size)
        b->init_size = b->kernel_size;
    return 0;
}

static int open_image(const struct load_request *r, struct bzimage *b,
                      char *error)
{
    int err;

    if (r->kernel.size < HEADER_END)
        return -ENOENT;
    err = load_read(&r->kernel, 0, b->header, HEADER_END, "bzImage", error);
    if (err)
        return err;
    if (get(b->header, BOOT_FLAG, 2) != MAGIC_BOOT ||
        get(b->header, HEADER, 4) != MAGIC_HEADER)
        return -ENOENT;
    err = check_header(b, r->kernel.size, error);
    return err ? err : check_place(b, error);
}

/* As high as it may lie: out of the way of the kernel that unpacks itself. */
static int load_initrd(const struct load_request *r, const struct bzimage *b,
                       uint8_t *params, char *error)
{
    const struct load_source *s = &r->module[0].source;
    gpa_t limit = get(b->header, INITRD_ADDR_MAX, 4) + 1, at;
    int err;

    if (!r->module_count)
        return 0;
    at = load_place_high(r, s->size, b->address + b->init_size, limit);
    if (!s->size || at == GPA_NONE)
        return load_fail(error, -ENOMEM,
                         "initrd: %llu bytes do not fit above the kernel",
                         (unsigned long long)s->size);
    err = load_copy(r, s, 0, at, s->size, s->size, "initrd", error);
    put(params, RAMDISK_IMAGE, at, 4);
    put(params, RAMDISK_SIZE, s->size, 4);
    return err;
}

static int put_cmdline(const struct load_request *r, const struct bzimage *b,
                       uint8_t *params, char *error)
{
    uint64_t max = get(b->header, CMDLINE_SIZE, 4) + 1;

    if (max > LOAD_CMDLINE_MAX)
        max = LOAD_CMDLINE_MAX;
    put(params, CMD_LINE_PTR, LOAD_CMDLINE, 4);
    return load_put_text(r, LOAD_CMDLINE, r->cmdline, (size_t)max, error);
}

static void put_memory_map(const struct load_request *r, uint8_t *params)
{
    struct load_range map[LOAD_E820_MAX];
    unsigned n = load_memory_map(r, map);

    params[PARAMS_E820_ENTRIES] = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        unsigned at = PARAMS_E820 + i * PARAMS_E820_SIZE;

        put(params, at, map[i].base, 8);
        put(params, at + 8, map[i].size, 8);
        put(params, at + 16, map[i].type, 4);
    }
}

static int put_params(const struct load_request *r, const struct bzimage *b,
                      char *error)
{
    static const char what[] = "bzImage: setup header";
    uint8_t params[PARAMS_SIZE] = {0};
    int err = load_read(&r->kernel, SETUP_SECTS, params + SETUP_SECTS,
                        b->header_length - SETUP_SECTS, what, error);

    if (err)
        return err;
    /* What was checked is what is used, whatever the file says by now. */
    memcpy(params + SETUP_SECTS, b->header + SETUP_SECTS,
           HEADER_END - SETUP_SECTS);
    put(params, VID_MODE, NORMAL_VGA, 2);
    params[TYPE_OF_LOADER] = LOADER_UNDEFINED;
    put(params, PARAMS_RSDP, r->rsdp, 8);
    put_memory_map(r, params);
    err = load_initrd(r, b, params, error);
    if (!err)
        err = put_cmdline(r, b, params, error);
    return err ? err : load_put(r, LOAD_INFO, params, sizeof(params));
}

int load_bzimage(const struct load_request *r, struct load_entry *out,
                 char *error)
{
    struct bzimage b;
    int err = open_image(r, &b, error);

    if (!err)
        err = load_copy(r, &r->kernel, b.setup_size, b.address, b.kernel_size,
                        b.init_size, "bzImage: init_size", error);
    if (!err)
        err = put_params(r, &b, error);
    if (err)
        return err;
    out->format = "bzImage";
    out->mode = LOAD_LONG;
    out->rip = b.address + ENTRY_64;
    out->rsi = LOAD_INFO;
    out->rsp = LOAD_STACK;
    err = load_put_gdt(r, out);
    return err ? err : load_put_page_tables(r, out);
}
