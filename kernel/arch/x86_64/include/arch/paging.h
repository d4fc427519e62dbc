/*
 * Bits of page table entries and of the PAT (Intel SDM 3A 4.5, 11.12). The PAT
 * is programmed on every CPU (cpu_features.c) so that PWT alone means
 * write-combining; the cache bits below are the same for 4 KiB and 2 MiB
 * pages.
 */
#ifndef ARCH_PAGING_H
#define ARCH_PAGING_H

#include <stdint.h>

#define PTE_P   (UINT64_C(1) << 0) /* present */
#define PTE_W   (UINT64_C(1) << 1) /* writable */
#define PTE_U   (UINT64_C(1) << 2) /* user: never set in the kernel's tables */
#define PTE_PWT (UINT64_C(1) << 3)
#define PTE_PCD (UINT64_C(1) << 4)
#define PTE_A   (UINT64_C(1) << 5)
#define PTE_D   (UINT64_C(1) << 6)
#define PTE_PS  (UINT64_C(1) << 7) /* 2 MiB or 1 GiB page, levels 2 and 3 */
#define PTE_G   (UINT64_C(1) << 8) /* kept in the TLB over a CR3 load */
/* Execution forbidden; arch_cpu_info()->nx_mask is this or, on a CPU that has
 * no NX, 0. */
#define PTE_NX   (UINT64_C(1) << 63)
#define PTE_ADDR UINT64_C(0x000ffffffffff000)

/* Memory types by PAT index PWT + 2 * PCD. */
#define PTE_CACHE_WB   UINT64_C(0)
#define PTE_CACHE_WC   PTE_PWT
#define PTE_CACHE_UC   (PTE_PCD | PTE_PWT)
#define PTE_CACHE_MASK (PTE_PCD | PTE_PWT)

/* PAT entries 0..3, repeated for 4..7: WB, WC, UC-, UC. */
#define PAT_VALUE UINT64_C(0x0007010600070106)

#endif
