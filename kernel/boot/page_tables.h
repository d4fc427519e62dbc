/* The page tables that the kernel starts on. Pure. */
#ifndef BOOT_PAGE_TABLES_H
#define BOOT_PAGE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_tables_layout {
    uint64_t memory_end; /* physical memory to map; 4 GiB at least are */
    uint64_t kernel_base, kernel_size; /* physical; base 2 MiB aligned */
    bool huge_pages;                   /* the CPU has 1 GiB pages */
    bool no_execute;                   /* the CPU has the NX bit */
};

/* Bytes that the tables take. */
size_t page_tables_size(const struct page_tables_layout *layout);

/*
 * Build them in `memory` (page aligned, page_tables_size bytes, physical
 * address equal to its virtual one):
 *	0			physical memory, executable
 *	DIRECT_MAP_BASE		the same, never executable
 *	KERNEL_BASE		the kernel image
 * All supervisor, writable. Returns what goes into CR3.
 */
uint64_t page_tables_build(const struct page_tables_layout *layout,
                           void *memory);

#endif
