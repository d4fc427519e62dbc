/* The kernel's heap itself, for malloc, which is the same heap with accounts.
 */
#ifndef MM_KHEAP_H
#define MM_KHEAP_H

#include <rayos/mm.h>

extern struct heap kernel_heap;

#endif
