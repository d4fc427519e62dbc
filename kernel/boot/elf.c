/*
 * Loading of the kernel's ELF file: an executable for x86-64 whose segments
 * all lie in the first ELF_IMAGE_MAX bytes behind KERNEL_BASE. The file comes
 * from a disk: no field is used before it is checked. Pure; loader and host
 * tests.
 */
#include "kernel/boot/elf.h"

#include <stdbool.h>
#include <string.h>

#include <rayos/elf.h>

#define KERNEL_BASE  UINT64_C(0xffffffff80000000) /* see rayos/mm.h */
#define SEGMENTS_MAX 64

static const struct elf64_program *program_at(const void *file, unsigned i)
{
    const struct elf64_header *h = file;

    return (const struct elf64_program *)((const uint8_t *)file + h->phoff) + i;
}

static const char *header_check(const struct elf64_header *h, uint64_t size)
{
    if (size < sizeof(*h))
        return "the file is shorter than an ELF header";
    if (h->magic != ELF_MAGIC)
        return "EI_MAG is not that of an ELF file";
    if (h->class != ELF_CLASS_64)
        return "EI_CLASS is not ELFCLASS64";
    if (h->data != ELF_DATA_LSB)
        return "EI_DATA is not ELFDATA2LSB";
    if (h->ident_version != ELF_VERSION_1 || h->version != ELF_VERSION_1)
        return "EI_VERSION or e_version is not EV_CURRENT";
    if (h->type != ELF_TYPE_EXEC)
        return "e_type is not ET_EXEC";
    if (h->machine != ELF_X86_64)
        return "e_machine is not EM_X86_64";
    if (h->phentsize != sizeof(struct elf64_program))
        return "e_phentsize is not 56";
    if (h->phnum == 0 || h->phnum > SEGMENTS_MAX)
        return "e_phnum is 0 or above 64";
    if (h->phoff % 8)
        return "e_phoff is not aligned";
    if (h->phoff > size ||
        size - h->phoff < h->phnum * sizeof(struct elf64_program))
        return "e_phoff: the program headers lie outside the file";
    return NULL;
}

/* `size` is that of the file. */
static const char *segment_check(const struct elf64_program *p, uint64_t size)
{
    if (p->offset > size || p->filesz > size - p->offset)
        return "p_offset, p_filesz: a segment lies outside the file";
    if (p->filesz > p->memsz)
        return "p_filesz is above p_memsz";
    if (p->vaddr < KERNEL_BASE || p->vaddr - KERNEL_BASE > ELF_IMAGE_MAX)
        return "p_vaddr lies outside the kernel's range";
    if (p->memsz > ELF_IMAGE_MAX - (p->vaddr - KERNEL_BASE))
        return "p_memsz reaches outside the kernel's range";
    return NULL;
}

static bool overlap(const struct elf64_program *a,
                    const struct elf64_program *b)
{
    return a->vaddr < b->vaddr + b->memsz && b->vaddr < a->vaddr + a->memsz;
}

static const char *overlap_check(const void *file, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = i + 1; j < count; j++) {
            const struct elf64_program *a = program_at(file, i);
            const struct elf64_program *b = program_at(file, j);

            if (a->type == ELF_PT_LOAD && b->type == ELF_PT_LOAD &&
                overlap(a, b))
                return "p_vaddr, p_memsz: two segments overlap";
        }
    return NULL;
}

const char *elf_check(const void *file, uint64_t size, struct elf_image *out)
{
    const struct elf64_header *h = file;
    const char *error = header_check(h, size);
    bool entry_found = false;

    if (error)
        return error;
    *out = (struct elf_image){.entry = h->entry};
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf64_program *p = program_at(file, i);

        if (p->type != ELF_PT_LOAD)
            continue;
        error = segment_check(p, size);
        if (error)
            return error;
        if (p->vaddr - KERNEL_BASE + p->memsz > out->size)
            out->size = p->vaddr - KERNEL_BASE + p->memsz;
        /* From file bytes only: zeroes are no code. */
        entry_found |= (p->flags & ELF_PF_X) && h->entry >= p->vaddr &&
                       h->entry - p->vaddr < p->filesz;
    }
    if (!out->size)
        return "p_type: there is nothing to load";
    if (!entry_found)
        return "e_entry is not in an executable segment";
    return overlap_check(file, h->phnum);
}

void elf_place(const void *file, const struct elf_image *image, void *base)
{
    const struct elf64_header *h = file;

    /* Clears bss, and the gaps between segments, at once. */
    memset(base, 0, image->size);
    for (unsigned i = 0; i < h->phnum; i++) {
        const struct elf64_program *p = program_at(file, i);

        if (p->type == ELF_PT_LOAD)
            memcpy((uint8_t *)base + (p->vaddr - KERNEL_BASE),
                   (const uint8_t *)file + p->offset, p->filesz);
    }
}
