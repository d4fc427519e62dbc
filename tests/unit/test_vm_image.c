/* sources: vmm/load_common.c vmm/load_bzimage.c vmm/load_elf.c vmm/load_pvh.c
   vmm/load_multiboot.c kernel/core/fmt.c */
/*
 * Guest loaders: what they put where, and that they refuse images whose fields
 * lie, naming the field.
 */
#include <errno.h>
#include <stdlib.h>

#include "check.h"

#include "../../vmm/load_common.h"

/* --- a guest with 64 MiB, of which no byte beyond can be touched --- */

#define RAM (UINT64_C(64) << 20)

struct guest_memory {
    uint8_t *ram;
};

static struct guest_memory memory;

bool guest_memory_range(const struct guest_memory *m, size_t i, gpa_t *base,
                        uint64_t *size)
{
    (void)m;
    *base = 0;
    *size = RAM;
    return i == 0;
}

static bool inside(gpa_t gpa, size_t n)
{
    return gpa <= RAM && n <= RAM - gpa;
}

int guest_read(const struct guest_memory *m, gpa_t gpa, void *out, size_t n)
{
    if (!inside(gpa, n))
        return -EFAULT;
    memcpy(out, m->ram + gpa, n);
    return 0;
}

int guest_write(struct guest_memory *m, gpa_t gpa, const void *data, size_t n)
{
    if (!inside(gpa, n))
        return -EFAULT;
    memcpy(m->ram + gpa, data, n);
    return 0;
}

int guest_fill(struct guest_memory *m, gpa_t gpa, uint8_t byte, size_t n)
{
    if (!inside(gpa, n))
        return -EFAULT;
    memset(m->ram + gpa, byte, n);
    return 0;
}

void *guest_span(struct guest_memory *m, gpa_t gpa, size_t n, size_t *got)
{
    uint64_t left = 4096 - gpa % 4096; /* as small as spans may be */

    if (!inside(gpa, 1))
        return NULL;
    *got = n < left ? n : left;
    return m->ram + gpa;
}

/* --- images in memory --- */

static uint8_t image[128 * 1024], initrd[5000];

static ssize_t image_read(void *arg, uint64_t offset, void *out, size_t n)
{
    memcpy(out, (uint8_t *)arg + offset, n);
    return (ssize_t)n;
}

static struct load_request request(size_t size)
{
    struct load_request r = {
        .memory = &memory,
        .kernel = {image_read, image, size},
        .cmdline = "console=ttyS0 quiet",
        .module = {{{image_read, initrd, sizeof(initrd)}, "first module"}},
        .module_count = 1,
        .rsdp = 0xe0000,
    };

    if (!memory.ram)
        memory.ram = malloc(RAM);
    memset(memory.ram, 0xcc, 1 << 20);
    for (size_t i = 0; i < sizeof(initrd); i++)
        initrd[i] = (uint8_t)(i * 7);
    return r;
}

static void put(size_t at, uint64_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        image[at + i] = (uint8_t)(v >> 8 * i);
}

static uint64_t get(gpa_t at, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)memory.ram[at + i] << 8 * i;
    return v;
}

/* A bzImage with one setup sector and a kernel of 20,000 bytes. */
static size_t make_bzimage(void)
{
    memset(image, 0, sizeof(image));
    put(0x1f1, 1, 1);
    put(0x1fe, 0xaa55, 2);
    put(0x200, 0x6aeb, 2); /* jump: the header ends at 0x26c */
    put(0x202, 0x53726448, 4);
    put(0x206, 0x020f, 2);
    put(0x211, 1, 1);
    put(0x22c, 0x7fffffff, 4);
    put(0x230, 0x200000, 4);
    put(0x236, 3, 2);
    put(0x238, 2047, 4);
    put(0x258, 0x1000000, 8);
    put(0x260, 0x200000, 4);
    for (size_t i = 0; i < 20000; i++)
        image[1024 + i] = (uint8_t)(i ^ i >> 8);
    return 1024 + 20000;
}

static char error[LOAD_ERROR_MAX];

TEST(a_bzimage_is_loaded_as_its_protocol_says)
{
    struct load_request r = request(make_bzimage());
    struct load_entry e;
    gpa_t at;

    CHECK_EQ(load_kernel(&r, &e, error), 0);
    CHECK_STR(e.format, "bzImage");
    CHECK_EQ(e.mode, LOAD_LONG);
    CHECK_EQ(e.rip, 0x1000200);
    CHECK(!memcmp(memory.ram + 0x1000000, image + 1024, 20000));
    CHECK_EQ(get(0x1000000 + 20000, 4), 0); /* cleared up to init_size */
    CHECK_EQ(get(0x11ffffc, 4), 0);
    CHECK_EQ(get(e.rsi + 0x70, 8), 0xe0000);
    CHECK_STR((char *)memory.ram + get(e.rsi + 0x228, 4),
              "console=ttyS0 quiet");
    at = get(e.rsi + 0x218, 4);
    CHECK_EQ(at, RAM - 8192);
    CHECK_EQ(get(e.rsi + 0x21c, 4), sizeof(initrd));
    CHECK(!memcmp(memory.ram + at, initrd, sizeof(initrd)));
    CHECK_EQ(get(e.rsi + 0x210, 1), 0xff);
}

TEST(the_memory_map_leaves_the_firmwares_part_out)
{
    struct load_request r = request(make_bzimage());
    struct load_entry e;

    CHECK_EQ(load_kernel(&r, &e, error), 0);
    CHECK_EQ(get(e.rsi + 0x1e8, 1), 3);
    CHECK_EQ(get(e.rsi + 0x2d0, 8), 0);
    CHECK_EQ(get(e.rsi + 0x2d8, 8), LOAD_LOW_END);
    CHECK_EQ(get(e.rsi + 0x2d0 + 36, 4), LOAD_E820_RESERVED);
    CHECK_EQ(get(e.rsi + 0x2d0 + 40, 8), LOAD_HIGH);
    CHECK_EQ(get(e.rsi + 0x2d0 + 48, 8), RAM - LOAD_HIGH);
}

TEST(the_page_tables_map_four_gigabytes_one_to_one)
{
    struct load_request r = request(make_bzimage());
    struct load_entry e;

    CHECK_EQ(load_kernel(&r, &e, error), 0);
    for (uint64_t va = 0; va < UINT64_C(1) << 32; va += 0x12345000) {
        uint64_t pdpt = get(e.cr3, 8) & ~UINT64_C(0xfff);
        uint64_t pd = get(pdpt + (va >> 30) * 8, 8) & ~UINT64_C(0xfff);
        uint64_t entry = get(pd + (va >> 21 & 511) * 8, 8);

        CHECK_EQ(entry & ~UINT64_C(0x1fffff), va & ~UINT64_C(0x1fffff));
        CHECK_EQ(entry & 0xff, 0x83);
    }
}

static void refused(size_t at, uint64_t v, unsigned size, const char *field)
{
    size_t n = make_bzimage();
    struct load_request r = request(n);
    struct load_entry e;

    put(at, v, size);
    CHECK(load_kernel(&r, &e, error) < 0);
    if (!strstr(error, field))
        CHECK_FAIL("\"%s\" does not name %s", error, field);
}

TEST(a_bzimage_that_lies_is_refused_by_the_field)
{
    refused(0x206, 0x0206, 2, "version");
    refused(0x211, 0, 1, "loadflags");
    refused(0x236, 0, 2, "xloadflags");
    refused(0x201, 5, 1, "jump");
    refused(0x201, 0xff, 1, "jump");
    refused(0x1f1, 64, 1, "setup_sects");
    refused(0x230, 3, 4, "kernel_alignment");
    refused(0x230, 0, 4, "kernel_alignment");
    refused(0x258, 0x1000, 8, "pref_address");
    refused(0x258, UINT64_MAX, 8, "pref_address");
    refused(0x258, 0x1000001, 8, "pref_address");
    refused(0x260, 0xffffffff, 4, "init_size");
    refused(0x22c, 0x1100000, 4, "initrd");
    refused(0x238, 5, 4, "command line");
    refused(0x202, 0, 4, "neither");
}

/* --- ELF --- */

#define NOTE_AT 0x200
#define DATA_AT 0x1000

static size_t make_elf(bool wide, bool note)
{
    unsigned ph = wide ? 64 : 52, size = wide ? 56 : 32, word = wide ? 8 : 4;

    memset(image, 0, sizeof(image));
    memcpy(image, "\177ELF", 4);
    image[4] = wide ? 2 : 1;
    image[5] = 1;
    put(18, wide ? 62 : 3, 2);
    put(24, 0x200010, word);
    put(wide ? 32 : 28, ph, word);
    put(wide ? 54 : 42, size, 2);
    put(wide ? 56 : 44, 2, 2);
    put(ph, 1, 4); /* PT_LOAD */
    put(ph + (wide ? 8 : 4), DATA_AT, word);
    put(ph + (wide ? 24 : 12), 0x200000, word);
    put(ph + (wide ? 32 : 16), 8192, word);
    put(ph + (wide ? 40 : 20), 16384, word);
    ph += size;
    put(ph, note ? 4 : 0, 4);
    put(ph + (wide ? 8 : 4), NOTE_AT, word);
    put(ph + (wide ? 32 : 16), 36, word);
    put(NOTE_AT, 4, 4); /* a note of somebody else first */
    put(NOTE_AT + 4, 0, 4);
    put(NOTE_AT + 8, 18, 4);
    memcpy(image + NOTE_AT + 12, "GNU", 4);
    put(NOTE_AT + 16, 4, 4);
    put(NOTE_AT + 20, 4, 4);
    put(NOTE_AT + 24, 18, 4);
    memcpy(image + NOTE_AT + 28, "Xen", 4);
    put(NOTE_AT + 32, 0x200040, 4);
    for (size_t i = 0; i < 8192; i++)
        image[DATA_AT + i] = (uint8_t)(i * 3 + 1);
    return DATA_AT + 8192;
}

TEST(pvh_kernels_of_both_classes_start_at_their_note)
{
    for (int wide = 0; wide < 2; wide++) {
        struct load_request r = request(make_elf(wide, true));
        struct load_entry e;
        gpa_t module;

        CHECK_EQ(load_kernel(&r, &e, error), 0);
        CHECK_STR(e.format, "PVH");
        CHECK_EQ(e.mode, LOAD_PROTECTED);
        CHECK_EQ(e.rip, 0x200040);
        CHECK(!memcmp(memory.ram + 0x200000, image + DATA_AT, 8192));
        CHECK_EQ(get(0x203ffc, 4), 0);
        CHECK_EQ(get(e.rbx, 4), 0x336ec578);
        CHECK_EQ(get(e.rbx + 12, 4), 1);
        module = get(get(e.rbx + 16, 8), 8);
        CHECK(!memcmp(memory.ram + module, initrd, sizeof(initrd)));
        CHECK_STR((char *)memory.ram + get(e.rbx + 24, 8),
                  "console=ttyS0 quiet");
        CHECK_EQ(get(e.rbx + 32, 8), 0xe0000);
        CHECK_EQ(get(e.rbx + 48, 4), 3);
    }
}

TEST(an_elf_without_a_note_is_no_kernel)
{
    struct load_request r = request(make_elf(true, false));
    struct load_entry e;

    CHECK_EQ(load_kernel(&r, &e, error), -ENOEXEC);
    CHECK(strstr(error, "neither"));
}

TEST(an_elf_that_lies_is_refused)
{
    static const struct {
        size_t at;
        uint64_t v;
        unsigned size;
        const char *say;
    } lies[] = {
        {4, 3, 1, "EI_CLASS"},
        {5, 2, 1, "EI_DATA"},
        {54, 55, 2, "e_phentsize"},
        {56, 0, 2, "e_phnum"},
        {56, 999, 2, "e_phnum"},
        {18, 40, 2, "e_machine"},
        {32, UINT64_MAX - 8, 8, "ELF"},
        {64 + 8, UINT64_MAX - 8, 8, "ELF segment"},
        {64 + 24, 0x1000, 8, "ELF segment"},
        {64 + 24, UINT64_MAX - 4096, 8, "ELF segment"},
        {64 + 32, 20000, 8, "ELF segment"},
        {64 + 40, UINT64_MAX, 8, "ELF segment"},
    };

    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        struct load_request r = request(make_elf(true, true));
        struct load_entry e;

        put(lies[i].at, lies[i].v, lies[i].size);
        CHECK(load_kernel(&r, &e, error) < 0);
        if (!strstr(error, lies[i].say))
            CHECK_FAIL("\"%s\" does not name %s", error, lies[i].say);
    }
}

/* --- Multiboot --- */

static void put_header(size_t at, uint32_t flags)
{
    put(at, 0x1badb002, 4);
    put(at + 4, flags, 4);
    put(at + 8, -(0x1badb002 + flags), 4);
}

TEST(multiboot_kernels_load_by_elf_or_by_addresses)
{
    struct load_entry e;
    size_t n = make_elf(false, false);
    struct load_request r = request(n);

    put_header(0x400, 3);
    CHECK_EQ(load_kernel(&r, &e, error), 0);
    CHECK_STR(e.format, "Multiboot");
    CHECK_EQ(e.rip, 0x200010);
    CHECK_EQ(e.rax, 0x2badb002);
    CHECK(!memcmp(memory.ram + 0x200000, image + DATA_AT, 8192));

    memset(image, 0x5a, sizeof(image));
    put_header(4092, 0x10000); /* over a window's border */
    put(4092 + 12, 0x300ffc, 4);
    put(4092 + 16, 0x300000, 4);
    put(4092 + 20, 0x305000, 4);
    put(4092 + 24, 0x309000, 4);
    put(4092 + 28, 0x300100, 4);
    r = request(65536);
    CHECK_EQ(load_kernel(&r, &e, error), 0);
    CHECK_EQ(e.rip, 0x300100);
    CHECK_EQ(get(0x304fff, 1), 0x5a);
    CHECK_EQ(get(0x305000, 1), 0);
    gpa_t module = get(get(e.rbx + 24, 4), 4);

    CHECK_EQ(module, 0x309000);
    CHECK(!memcmp(memory.ram + module, initrd, sizeof(initrd)));
    CHECK_EQ(get(e.rbx + 8, 4), (RAM - LOAD_HIGH) / 1024);
}

TEST(a_multiboot_header_that_lies_is_refused)
{
    static const uint32_t lies[][5] = {
        {0x300ffc, 0x400000, 0, 0, 0},          /* load above the header */
        {0x30fffc, 0x300000, 0, 0, 0},          /* before the file's start */
        {0x300ffc, 0x300000, 0x2ff000, 0, 0},   /* end before the start */
        {0x300ffc, 0x300000, 0, 0x2ff000, 0},   /* bss before the start */
        {0x300ffc, 0x300000, 0xfffff000, 0, 0}, /* longer than the file */
        {0xffc, 0, 0, 0, 0},                    /* into low memory */
    };
    struct load_entry e;

    for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
        struct load_request r = request(65536);

        memset(image, 0, sizeof(image));
        put_header(4092, 0x10000);
        for (unsigned k = 0; k < 5; k++)
            put(4092 + 12 + k * 4, lies[i][k], 4);
        CHECK(load_kernel(&r, &e, error) < 0);
        CHECK(strstr(error, "Multiboot"));
    }
    struct load_request r = request(65536);

    memset(image, 0, sizeof(image));
    put_header(0, 0x8);
    CHECK(load_kernel(&r, &e, error) < 0);
    CHECK(strstr(error, "flags"));
}

TEST(random_damage_is_loaded_or_refused_but_never_harms)
{
    srand(3);
    for (int i = 0; i < 3000; i++) {
        size_t n = i % 3 == 0 ? make_bzimage() : make_elf(i % 3 == 1, i & 8);
        struct load_entry e;
        struct load_request r;

        if (i % 3 == 2)
            put_header(0x400, i & 1 ? 0x10003 : 3);
        for (int k = rand() % 6; k >= 0; k--)
            image[(i % 3 == 0 ? 0x1f1 : 0) + rand() % 200] = (uint8_t)rand();
        r = request(rand() % 4 ? n : (size_t)rand() % n);
        load_kernel(&r, &e, error);
    }
}

CHECK_MAIN
