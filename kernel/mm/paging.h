/*
 * The kernel's page tables as a data structure: walk, map, and the tags that
 * kspace.c keeps in entries that are not present. Tables are never freed, so a
 * walk needs no lock.
 */
#ifndef MM_PAGING_H
#define MM_PAGING_H

#include <arch/paging.h>
#include <rayos/mm.h>

/* Levels as Intel SDM 3A 4.5 counts them from below: page table 1, page
 * directory 2, pointer table 3, PML4 4. */
#define PAGING_LEVELS          4
#define PAGING_ENTRIES         512
#define PAGING_LEVEL_SHIFT(lv) (PAGE_SHIFT + 9 * ((lv)-1))
#define PAGING_LEVEL_SIZE(lv)  (UINT64_C(1) << PAGING_LEVEL_SHIFT(lv))

/* Make an empty top table. Boot, once; panics without memory. */
void paging_init(void);
phys_t paging_root(void);

/* Flags of a leaf entry. */
uint64_t paging_flags(enum kspace_prot prot, enum kspace_cache cache);

/*
 * The entry of level `level` that translates va. With `create`, missing tables
 * are made. NULL: no memory, no table, or a large page covers va. Any context
 * but NMI with `create`, else any.
 */
uint64_t *paging_entry(uintptr_t va, int level, bool create);
/* The entry that decides about va, present or not, and its level. Any context.
 */
uint64_t paging_walk(uintptr_t va, int *level);

/* Map with the largest pages that fit and are at most of level `max_level`; all
 * page aligned, nothing mapped there before. -ENOMEM: a part may be mapped. */
int paging_map(uintptr_t va, phys_t pa, size_t size, uint64_t flags,
               int max_level);

#endif
