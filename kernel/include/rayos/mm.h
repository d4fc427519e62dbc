/*
 * Memory: page frames, the kernel's address space, accounts, heaps.
 *
 * Layout (4-level paging):
 *	0xffff800000000000  all physical memory, writable, never executable (the
 *"direct map") 0xffffc00000000000  kspace: stacks, device mappings, big
 *allocations, with guard pages 0xffffffff80000000  the kernel image: text r-x,
 *constants r--, data rw- The lower half is empty, so that a null dereference
 *faults.
 */
#ifndef RAYOS_MM_H
#define RAYOS_MM_H

#include <rayos/list.h>
#include <rayos/spinlock.h>
#include <rayos/types.h>

#define DIRECT_MAP_BASE UINT64_C(0xffff800000000000)
#define KSPACE_BASE     UINT64_C(0xffffc00000000000)
#define KSPACE_END      UINT64_C(0xffffe00000000000)
#define KERNEL_BASE     UINT64_C(0xffffffff80000000)

struct boot_info;

/* --- page frames (mm/frame.c over the pure buddy allocator mm/buddy.c) --- */

#define FRAME_NONE      UINT64_MAX
#define FRAME_MAX_ORDER 18 /* blocks of up to 1 GiB */
#define FRAME_ORDER_2M  9

#define FRAME_ZERO  1u /* cleared */
#define FRAME_LOW32 2u /* below 4 GiB, for devices that need it */

struct frame_stats {
    uint64_t total, free; /* frames of 4 KiB */
    uint64_t free_blocks[FRAME_MAX_ORDER + 1];
};

/* Take over the usable regions of the memory map. Boot, once; LOADER memory
 * joins by frame_reclaim_loader(). */
void frame_init(const struct boot_info *info);
void frame_reclaim_loader(void);
/* 2^order frames, contiguous and aligned to their size; FRAME_NONE when there
 * are none. Any context but NMI. */
phys_t frame_alloc(unsigned order, unsigned flags);
/* Panics on a frame that is not allocated with that order. */
void frame_free(phys_t frame, unsigned order);
void frame_get_stats(struct frame_stats *out);

static inline void *phys_to_virt(phys_t p)
{
    return (void *)(DIRECT_MAP_BASE + p);
}

/* Only for addresses in the direct map. */
static inline phys_t virt_to_phys(const void *v)
{
    return (phys_t)v - DIRECT_MAP_BASE;
}

/* --- kernel address space (mm/kspace.c) --- */

enum kspace_prot {
    KSPACE_R = 0,
    KSPACE_RW = 1,
    KSPACE_RX = 2
}; /* W and X together do not exist */
enum kspace_cache { CACHE_WB, CACHE_WC, CACHE_UC };

/* Build the final page tables (W^X, direct map) and switch to them. Boot, once.
 */
void kspace_init(const struct boot_info *info);
/* `size` bytes of fresh zeroed frames with an unmapped guard page on both
 * sides; NULL when out of memory. Thread context. */
void *kspace_alloc(size_t size, enum kspace_prot prot);
/* The same, writable, for a thread's stack: panics name its guard page so. */
void *kspace_alloc_stack(size_t size);
void kspace_free(void *va);
/* Map physical memory (device registers, framebuffer, tables); any alignment.
 * NULL. Undo with kspace_unmap_phys. */
void *kspace_map_phys(phys_t base, size_t size, enum kspace_prot prot,
                      enum kspace_cache cache);
void kspace_unmap_phys(void *va);
/* What lies at va, for panics: "guard page of stack", "kernel text",
 * "unmapped", ...; a static string. Any context. */
const char *kspace_describe(uintptr_t va);
/* Physical address and rights of a mapped address; false when unmapped. Any
 * context. */
bool kspace_lookup(uintptr_t va, phys_t *pa, enum kspace_prot *prot);
/* Physical address of the kernel's top page table, for other CPUs and for mm of
 * UEFI runtime calls. */
phys_t kspace_root(void);

/* --- accounts: who pays for memory --- */

/* Counters are atomic: any context. An account lives on while memory is charged
 * to it. */
struct account {
    _Atomic size_t used, peak;
    size_t limit; /* bytes; SIZE_MAX: none */
    _Atomic uint64_t refused;
};

void account_init(struct account *a, size_t limit);
/* false: over the limit (counted), nothing charged. */
bool account_charge(struct account *a, size_t bytes);
void account_credit(struct account *a, size_t bytes);

/* --- shortage, told as events of type memory_pressure (mm/pressure.c) --- */

enum memory_pressure { PRESSURE_REFUSED, PRESSURE_LOW, PRESSURE_EXHAUSTED };

/* `source` and `name` (may be NULL): the domain that is refused. Any context
 * but NMI, any lock. */
void memory_pressure(enum memory_pressure kind, uint32_t source, size_t bytes,
                     const char *name);

/* --- heaps (mm/heap.c): size classes in spans of pages, cut from 64 KiB
 * segments; a segment that is empty goes back --- */

struct heap_span;
struct heap_segment;
#define HEAP_CLASSES 40

/*
 * A heap belongs to one thread (a Lua domain: no lock at all), or is shared
 * (its lock, interrupts off). Segments and big blocks come from frames through
 * the direct map and are charged to `account`. All fields: owner, or lock.
 */
struct heap {
    struct heap_span *current[HEAP_CLASSES]; /* fast path; never NULL */
    struct heap_span *partial[HEAP_CLASSES]; /* spans with room */
    uint32_t spans[HEAP_CLASSES];            /* how many there are */
    struct list open;                        /* segments with free pages */
    struct list closed;                      /* segments without */
    struct list big;                         /* blocks beyond the classes */
    struct heap_segment *spare;              /* empty, one of `open` */
    struct account *account;                 /* NULL: not charged */
    bool shared;
    struct spinlock lock;
    size_t used; /* bytes in live blocks, by class size */
};

void heap_init(struct heap *h, struct account *account, bool shared);
/* 16-byte aligned, not cleared; NULL when the account or the machine has no
 * more. */
void *heap_alloc(struct heap *h, size_t size);
void heap_free(struct heap *h, void *p);
/* As realloc. Shrinking never fails (the block may stay where it is). */
void *heap_realloc(struct heap *h, void *p, size_t size);
/* Usable size of a block. */
size_t heap_size(const void *p);
/* Give back every span and big block at once; the heap is empty afterwards. */
void heap_destroy(struct heap *h);

/* --- the kernel's shared heap; any context but interrupt --- */
void kheap_init(void);
void *kalloc(size_t size);
void *kzalloc(size_t size);
/* As realloc, of a block that is there. */
void *krealloc(void *p, size_t size);
void kfree(void *p);
/* Bytes in live blocks. */
size_t kheap_used(void);
/*
 * malloc, free, realloc, calloc, memalign of the C library (libc/malloc.c) are
 * the same heap with a header that names the account of the thread which asked
 * (thread->account), so that third-party C pays from its domain's cap.
 */

#endif
