/* The kernel's ELF file: checked, then laid out in memory. Pure. */
#ifndef BOOT_ELF_H
#define BOOT_ELF_H

#include <stddef.h>
#include <stdint.h>

/* The image may take this much behind KERNEL_BASE (one page directory maps
 * 1 GiB). */
#define ELF_IMAGE_MAX (UINT64_C(512) << 20)

struct elf_image {
    uint64_t entry; /* virtual */
    uint64_t size;  /* bytes from KERNEL_BASE to the end of the last segment */
};

/* Check all that elf_place relies on. NULL, or what is wrong: the field's name
 * (gABI chapters 4 and 5) and why. */
const char *elf_check(const void *file, uint64_t size, struct elf_image *out);

/* Lay out the segments of a file that elf_check accepted; `base` is where
 * KERNEL_BASE is to be, with room for image->size bytes. */
void elf_place(const void *file, const struct elf_image *image, void *base);

#endif
