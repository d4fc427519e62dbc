/*
 * What the loaders share: bounded reading, copying into the guest, its memory
 * map, and the low memory in which boot structures lie. Private to
 * vmm/load_*.c.
 */
#ifndef VMM_LOAD_COMMON_H
#define VMM_LOAD_COMMON_H

#include "vmm/image.h"

/*
 * Low memory, page by page. Everything from LOAD_LOW_END to 1 MiB belongs to
 * "firmware": ACPI tables.
 */
#define LOAD_GDT         UINT64_C(0x1000)
#define LOAD_INFO        UINT64_C(0x2000) /* boot_params, start_info, ... */
#define LOAD_MEMMAP      UINT64_C(0x4000)
#define LOAD_MODLIST     UINT64_C(0x5000)
#define LOAD_PAGE_TABLES UINT64_C(0x8000) /* six pages */
#define LOAD_STACK       UINT64_C(0x1f000)
#define LOAD_CMDLINE     UINT64_C(0x20000)
#define LOAD_CMDLINE_MAX 0x10000
#define LOAD_MODLINES    UINT64_C(0x30000) /* the modules' command lines */
#define LOAD_MODLINE_MAX 0x1000
#define LOAD_LOW_END     UINT64_C(0x9fc00)
#define LOAD_HIGH        UINT64_C(0x100000)

/* Write the message and give back the error. */
__attribute__((format(printf, 3, 4))) int load_fail(char *error, int err,
                                                    const char *format, ...);

/* Exactly `n` bytes; -ENOEXEC with `what` when the image ends before. */
int load_read(const struct load_source *s, uint64_t offset, void *out, size_t n,
              const char *what, char *error);
/* From the image into the guest, and zeros up to `total` bytes; refused when
 * any of it is not RAM at or above LOAD_HIGH. */
int load_copy(const struct load_request *r, const struct load_source *s,
              uint64_t offset, gpa_t to, uint64_t n, uint64_t total,
              const char *what, char *error);
/* Little helpers on guest memory that is known to be there. */
int load_put(const struct load_request *r, gpa_t at, const void *data,
             size_t n);
int load_put_text(const struct load_request *r, gpa_t at, const char *text,
                  size_t max, char *error);

/* One range of the e820 map: usable RAM without what firmware keeps. */
#define LOAD_E820_MAX      8
#define LOAD_E820_USABLE   1
#define LOAD_E820_RESERVED 2
struct load_range {
    uint64_t base, size;
    uint32_t type;
};
unsigned load_memory_map(const struct load_request *r,
                         struct load_range out[LOAD_E820_MAX]);

/* The place for `size` bytes as high as may be: aligned to 4 KiB, below `limit`
 * and at or above `floor`, in RAM below 4 GiB. GPA_NONE. */
gpa_t load_place_high(const struct load_request *r, uint64_t size, gpa_t floor,
                      gpa_t limit);

/* Flat 32-bit and 64-bit segments at LOAD_GDT: selectors below. */
#define LOAD_CODE64 0x10
#define LOAD_DATA   0x18
#define LOAD_CODE32 0x20
int load_put_gdt(const struct load_request *r, struct load_entry *out);
/* Identity map of 4 GiB in 2 MiB pages. */
int load_put_page_tables(const struct load_request *r, struct load_entry *out);

/* --- ELF, both classes --- */

struct load_elf {
    bool wide; /* ELF64 */
    uint16_t machine;
    uint64_t entry, phoff;
    uint16_t phnum;
};

struct load_segment {
    uint32_t type;
    uint64_t offset, paddr, filesz, memsz, align;
};

/* -ENOENT: no ELF at all. */
int load_elf_open(const struct load_source *s, struct load_elf *elf,
                  char *error);
int load_elf_segment(const struct load_source *s, const struct load_elf *elf,
                     unsigned i, struct load_segment *out, char *error);
/* Copy every PT_LOAD; *end is one past the highest byte. */
int load_elf_copy(const struct load_request *r, const struct load_elf *elf,
                  gpa_t *end, char *error);

#endif
