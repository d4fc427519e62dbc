/*
 * ELF program headers of both classes, for loaders (System V ABI, gABI 4.1
 * chapter 5). Thread context.
 */
#include <errno.h>
#include <string.h>

#include "vmm/load_common.h"

#define EI_CLASS    4
#define EI_DATA     5
#define CLASS_32    1
#define CLASS_64    2
#define DATA_LITTLE 1
#define PT_LOAD     1
#define PHNUM_MAX   128 /* more is no kernel */

struct elf_shape {
    unsigned header_size, entry, phoff, phentsize, phnum, word;
    unsigned ph_size, p_offset, p_paddr, p_filesz, p_memsz, p_align;
};

static const struct elf_shape shape32 = {52, 24, 28, 42, 44, 4,
                                         32, 4,  12, 16, 20, 28};
static const struct elf_shape shape64 = {64, 24, 32, 54, 56, 8,
                                         56, 8,  24, 32, 40, 48};

#define E_MACHINE 18

static uint64_t get(const uint8_t *p, unsigned offset, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)p[offset + i] << 8 * i;
    return v;
}

int load_elf_open(const struct load_source *s, struct load_elf *elf,
                  char *error)
{
    uint8_t h[64] = {0};
    const struct elf_shape *shape;
    int err;

    if (s->size < 52)
        return -ENOENT;
    err = load_read(s, 0, h, s->size < 64 ? 52 : 64, "ELF header", error);
    if (err)
        return err;
    if (memcmp(h, "\177ELF", 4))
        return -ENOENT;
    if (h[EI_CLASS] != CLASS_32 && h[EI_CLASS] != CLASS_64)
        return load_fail(error, -ENOEXEC, "ELF: EI_CLASS is %u", h[EI_CLASS]);
    if (h[EI_DATA] != DATA_LITTLE)
        return load_fail(error, -ENOEXEC, "ELF: EI_DATA is %u", h[EI_DATA]);
    elf->wide = h[EI_CLASS] == CLASS_64;
    shape = elf->wide ? &shape64 : &shape32;
    elf->machine = (uint16_t)get(h, E_MACHINE, 2);
    elf->entry = get(h, shape->entry, shape->word);
    elf->phoff = get(h, shape->phoff, shape->word);
    elf->phnum = (uint16_t)get(h, shape->phnum, 2);
    if (get(h, shape->phentsize, 2) != shape->ph_size)
        return load_fail(error, -ENOEXEC, "ELF: e_phentsize is %u",
                         (unsigned)get(h, shape->phentsize, 2));
    if (!elf->phnum || elf->phnum > PHNUM_MAX)
        return load_fail(error, -ENOEXEC, "ELF: e_phnum is %u", elf->phnum);
    return 0;
}

int load_elf_segment(const struct load_source *s, const struct load_elf *elf,
                     unsigned i, struct load_segment *out, char *error)
{
    const struct elf_shape *shape = elf->wide ? &shape64 : &shape32;
    uint8_t p[56];
    uint64_t at = elf->phoff + (uint64_t)i * shape->ph_size;
    int err;

    if (at < elf->phoff)
        return load_fail(error, -ENOEXEC, "ELF: e_phoff is 0x%llx",
                         (unsigned long long)elf->phoff);
    err = load_read(s, at, p, shape->ph_size, "ELF program headers", error);
    if (err)
        return err;
    *out = (struct load_segment){
        .type = (uint32_t)get(p, 0, 4),
        .offset = get(p, shape->p_offset, shape->word),
        .paddr = get(p, shape->p_paddr, shape->word),
        .filesz = get(p, shape->p_filesz, shape->word),
        .memsz = get(p, shape->p_memsz, shape->word),
        .align = get(p, shape->p_align, shape->word),
    };
    return 0;
}

int load_elf_copy(const struct load_request *r, const struct load_elf *elf,
                  gpa_t *end, char *error)
{
    unsigned loaded = 0;

    *end = 0;
    for (unsigned i = 0; i < elf->phnum; i++) {
        struct load_segment s;
        int err = load_elf_segment(&r->kernel, elf, i, &s, error);

        if (!err && s.type == PT_LOAD && s.memsz) {
            err = load_copy(r, &r->kernel, s.offset, s.paddr, s.filesz, s.memsz,
                            "ELF segment", error);
            if (!err && s.paddr + s.memsz > *end)
                *end = s.paddr + s.memsz;
            loaded++;
        }
        if (err)
            return err;
    }
    return loaded ? 0
                  : load_fail(error, -ENOEXEC, "ELF: nothing is to be loaded");
}
