/*
 * ELF kernels with a PVH note ("PVH" direct boot ABI of Xen: x86/HVM start
 * info): an unpacked vmlinux, BSD kernels, unikernels. Thread context.
 */
#include <errno.h>
#include <string.h>

#include "vmm/load_common.h"

#define PT_NOTE       4
#define NOTE_HEADER   12
#define NOTE_MAX      4096 /* of one segment that we look at */
#define NOTE_ENTRY    18   /* XEN_ELFNOTE_PHYS32_ENTRY */
#define MACHINE_386   3
#define MACHINE_AMD64 62
#define MAGIC         0x336ec578
#define VERSION       1 /* has the memory map */

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, cmdline, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};

struct start_module {
    uint64_t address, size, cmdline, reserved;
};

struct start_memory {
    uint64_t base, size;
    uint32_t type, reserved;
};

_Static_assert(sizeof(struct start_info) == 56, "as the ABI has it");

static uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

/* Does this segment hold the entry note? Notes are aligned to four. */
static bool find_note(const uint8_t *p, size_t n, uint64_t *entry)
{
    size_t at = 0;

    while (n - at >= NOTE_HEADER) {
        uint64_t namesz = get32(p + at), descsz = get32(p + at + 4);
        uint32_t type = get32(p + at + 8);
        uint64_t name = at + NOTE_HEADER;
        uint64_t desc = name + ALIGN_UP(namesz, UINT64_C(4));
        uint64_t next = desc + ALIGN_UP(descsz, UINT64_C(4));

        if (desc + descsz > n)
            return false;
        if (type == NOTE_ENTRY && namesz == 4 && !memcmp(p + name, "Xen", 4) &&
            (descsz == 4 || descsz == 8)) {
            *entry = get32(p + desc);
            return true;
        }
        if (next > n)
            return false;
        at = (size_t)next;
    }
    return false;
}

static int find_entry(const struct load_request *r, const struct load_elf *elf,
                      uint64_t *entry, char *error)
{
    uint8_t notes[NOTE_MAX];

    for (unsigned i = 0; i < elf->phnum; i++) {
        struct load_segment s;
        int err = load_elf_segment(&r->kernel, elf, i, &s, error);

        if (err)
            return err;
        if (s.type != PT_NOTE || s.filesz > NOTE_MAX)
            continue;
        err = load_read(&r->kernel, s.offset, notes, (size_t)s.filesz,
                        "ELF notes", error);
        if (err)
            return err;
        if (find_note(notes, (size_t)s.filesz, entry))
            return 0;
    }
    return -ENOENT;
}

/* Modules from the top of memory down, the list at LOAD_MODLIST. */
static int put_modules(const struct load_request *r, gpa_t floor, char *error)
{
    gpa_t limit = GUEST_LOW_END;

    for (unsigned i = 0; i < r->module_count; i++) {
        const struct load_module *m = &r->module[i];
        gpa_t line = LOAD_MODLINES + i * (gpa_t)LOAD_MODLINE_MAX;
        gpa_t at = load_place_high(r, m->source.size, floor, limit);
        struct start_module entry = {at, m->source.size, line, 0};
        int err;

        if (!m->source.size || at == GPA_NONE)
            return load_fail(error, -ENOMEM, "module %u: %llu bytes do not fit",
                             i, (unsigned long long)m->source.size);
        err = load_copy(r, &m->source, 0, at, m->source.size, m->source.size,
                        "module", error);
        if (!err)
            err = load_put_text(r, line, m->cmdline, LOAD_MODLINE_MAX, error);
        if (!err)
            err = load_put(r, LOAD_MODLIST + i * sizeof(entry), &entry,
                           sizeof(entry));
        if (err)
            return err;
        limit = at;
    }
    return 0;
}

static int put_info(const struct load_request *r, char *error)
{
    struct load_range map[LOAD_E820_MAX];
    unsigned n = load_memory_map(r, map);
    struct start_info info = {
        .magic = MAGIC,
        .version = VERSION,
        .module_count = r->module_count,
        .modules = r->module_count ? LOAD_MODLIST : 0,
        .cmdline = LOAD_CMDLINE,
        .rsdp = r->rsdp,
        .memory_map = LOAD_MEMMAP,
        .memory_map_count = n,
    };
    int err = load_put_text(r, LOAD_CMDLINE, r->cmdline, LOAD_CMDLINE_MAX,
                            error);

    for (unsigned i = 0; i < n && !err; i++) {
        struct start_memory entry = {map[i].base, map[i].size, map[i].type, 0};

        err = load_put(r, LOAD_MEMMAP + i * sizeof(entry), &entry,
                       sizeof(entry));
    }
    return err ? err : load_put(r, LOAD_INFO, &info, sizeof(info));
}

int load_pvh(const struct load_request *r, struct load_entry *out, char *error)
{
    struct load_elf elf;
    uint64_t entry;
    gpa_t end;
    int err = load_elf_open(&r->kernel, &elf, error);

    if (err)
        return err;
    err = find_entry(r, &elf, &entry, error);
    if (err)
        return err;
    if (elf.machine != MACHINE_386 && elf.machine != MACHINE_AMD64)
        return load_fail(error, -ENOEXEC, "ELF: e_machine is %u", elf.machine);
    err = load_elf_copy(r, &elf, &end, error);
    if (!err)
        err = put_modules(r, end, error);
    if (!err)
        err = put_info(r, error);
    if (err)
        return err;
    out->format = "PVH";
    out->mode = LOAD_PROTECTED;
    out->rip = entry;
    out->rbx = LOAD_INFO;
    return load_put_gdt(r, out);
}
