/* What other files of mm need of kspace.c beyond <rayos/mm.h>. */
#ifndef MM_KSPACE_H
#define MM_KSPACE_H

#include <rayos/mm.h>

/* What an entry that is not present says: bits 1..3. */
#define KSPACE_TAG(n)    ((uint64_t)(n) << 1)
#define KSPACE_TAG_MASK  KSPACE_TAG(7)
#define KSPACE_TAG_STACK KSPACE_TAG(1) /* guard page below a stack, */
#define KSPACE_TAG_ALLOC KSPACE_TAG(2) /* an allocation, */
#define KSPACE_TAG_PHYS  KSPACE_TAG(3) /* a mapping of physical memory */
#define KSPACE_TAG_AFTER KSPACE_TAG(4) /* guard page behind any of them */
#define KSPACE_TAG_FREE  KSPACE_TAG(5) /* first page of a free slot */
#define KSPACE_TAG_DYING KSPACE_TAG(6) /* page of an area being freed */

/* As kspace_alloc, writable, and aligned to `align` bytes (a power of two, one
 * page to 2 MiB). The frames are not cleared. Undo with kspace_free. */
void *kspace_alloc_aligned(size_t size, size_t align);

#endif
