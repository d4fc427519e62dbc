/* sources: kernel/mm/paging.c kernel/mm/kspace.c kernel/mm/kspace_describe.c */
/*
 * The kernel's address space as page tables in the host's memory: what is
 * mapped is what was asked for, guards stay unmapped and have names, nothing
 * leaks, and no frame is given back before the TLBs are flushed.
 */
#include "check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <arch/cpu.h>
#include <arch/features.h>
#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/smp.h>

#include "../../kernel/mm/kspace.h"
#include "../../kernel/mm/paging.h"

/* The image's symbols; what lies between them does not matter here. The host's
 * start-up code has a __data_start. */
char __text_start[1], __text_end[1], __rodata_start[1], __rodata_end[1],
    __kernel_end[1];

/* --- frames --- */

#define POOL 6000

static struct {
    _Alignas(4096) char frame[POOL][4096];
} pool;
static bool taken[POOL];
static size_t frames_out, frames_limit = POOL;
static bool irqs_on = true;
static int flushes;
static jmp_buf panicked;

/* phys_to_virt of it is the pool: sums of addresses wrap round. */
static phys_t pool_base(void)
{
    return (phys_t)(uintptr_t)pool.frame - DIRECT_MAP_BASE;
}

phys_t frame_alloc(unsigned order, unsigned flags)
{
    (void)order;
    if (frames_out >= frames_limit)
        return FRAME_NONE;
    for (size_t i = 0; i < POOL; i++) {
        if (taken[i])
            continue;
        taken[i] = true;
        frames_out++;
        memset(pool.frame[i], flags & FRAME_ZERO ? 0 : 0xee, 4096);
        return pool_base() + i * 4096;
    }
    return FRAME_NONE;
}

void frame_free(phys_t frame, unsigned order)
{
    size_t i = (frame - pool_base()) / 4096;

    CHECK_EQ(order, 0);
    CHECK(i < POOL && taken[i]);
    taken[i] = false;
    frames_out--;
}

bool arch_irq_enabled(void)
{
    return irqs_on;
}

uint64_t arch_read_cr3(void)
{
    return 0;
}

const struct arch_cpu_info *arch_cpu_info(void)
{
    static const struct arch_cpu_info info = {.nx_mask = PTE_NX};

    return &info;
}

void smp_tlb_flush(uintptr_t va, size_t size)
{
    CHECK(irqs_on);
    CHECK(va >= KSPACE_BASE && size);
    flushes++;
}

void panic(const char *fmt, ...)
{
    (void)fmt;
    longjmp(panicked, 1);
}

/* --- */

static void setup(void)
{
    if (!paging_root())
        paging_init();
    irqs_on = true;
    flushes = 0;
    frames_limit = POOL;
}

/* Frames that page tables have, which are never given back. */
static size_t count_tables(const uint64_t *table, int level)
{
    size_t n = 1;

    for (int i = 0; level > 1 && i < 512; i++)
        if (table[i] & PTE_P && !(table[i] & PTE_PS))
            n += count_tables(phys_to_virt(table[i] & PTE_ADDR), level - 1);
    return n;
}

static void check_nothing_leaked(void)
{
    CHECK_EQ(frames_out, count_tables(phys_to_virt(paging_root()), 4));
}

static bool mapped(uintptr_t va)
{
    enum kspace_prot prot;
    phys_t pa;

    return kspace_lookup(va, &pa, &prot);
}

TEST(an_allocation_is_mapped_as_asked_between_unmapped_guards)
{
    enum kspace_prot prot;
    uintptr_t va;
    phys_t pa;

    setup();
    va = (uintptr_t)kspace_alloc(10000, KSPACE_RW);
    CHECK(va >= KSPACE_BASE && va < KSPACE_END && va % PAGE_SIZE == 0);
    for (int i = 0; i < 3; i++) {
        CHECK(kspace_lookup(va + (uintptr_t)i * 4096 + 5, &pa, &prot));
        CHECK_EQ(prot, KSPACE_RW);
        CHECK_EQ(pa % 4096, 5);
        CHECK_EQ(*(char *)phys_to_virt(pa), 0);
    }
    CHECK(!mapped(va - 1));
    CHECK(!mapped(va + 3 * 4096));
    kspace_free((void *)va);
    CHECK(!mapped(va));
    CHECK_EQ(flushes, 1);
    check_nothing_leaked();
}

TEST(code_is_not_writable_and_data_is_not_executable)
{
    int level;
    uint64_t e;
    void *p;

    setup();
    p = kspace_alloc(1, KSPACE_RX);
    e = paging_walk((uintptr_t)p, &level);
    CHECK(!(e & PTE_W) && !(e & PTE_NX));
    kspace_free(p);
    p = kspace_alloc(1, KSPACE_R);
    e = paging_walk((uintptr_t)p, &level);
    CHECK(!(e & PTE_W) && e & PTE_NX);
    kspace_free(p);
    p = kspace_alloc(1, KSPACE_RW);
    e = paging_walk((uintptr_t)p, &level);
    CHECK(e & PTE_W && e & PTE_NX);
    kspace_free(p);
}

TEST(addresses_have_names)
{
    uintptr_t stack, block, regs;

    setup();
    stack = (uintptr_t)kspace_alloc_stack(3 * 4096);
    block = (uintptr_t)kspace_alloc(4096, KSPACE_RW);
    regs = (uintptr_t)kspace_map_phys(0xfee00000, 4096, KSPACE_RW, CACHE_UC);
    CHECK_STR(kspace_describe(stack - 8), "guard page below a thread's stack");
    CHECK_STR(kspace_describe(stack + 5000), "a thread's stack");
    CHECK_STR(kspace_describe(block - 8), "guard page below an allocation");
    CHECK_STR(kspace_describe(block), "a kernel allocation");
    CHECK_STR(kspace_describe(block + 4096), "guard page behind an allocation");
    CHECK_STR(kspace_describe(regs), "a device mapping");
    CHECK_STR(kspace_describe(8), "null pointer");
    CHECK_STR(kspace_describe(UINT64_C(0x7f0000000000)), "unmapped lower half");
    CHECK_STR(kspace_describe(UINT64_C(0x0000900000000000)),
              "not a canonical address");
    CHECK_STR(kspace_describe(DIRECT_MAP_BASE + 0x1234),
              "hole in physical memory");
    CHECK(!mapped(0) && !mapped(UINT64_C(0x0000900000000000)));
    kspace_free((void *)stack);
    kspace_free((void *)block);
    kspace_unmap_phys((void *)regs);
    CHECK_STR(kspace_describe(stack), "unmapped kernel space");
    check_nothing_leaked();
}

TEST(freed_address_space_is_used_again)
{
    void *p, *q;

    setup();
    p = kspace_alloc(5 * 4096, KSPACE_RW);
    q = kspace_alloc(5 * 4096, KSPACE_RW);
    CHECK(p != q);
    kspace_free(p);
    kspace_free(q);
    CHECK(kspace_alloc(5 * 4096, KSPACE_RW) == q);
    CHECK(kspace_alloc(5 * 4096, KSPACE_RW) == p);
    kspace_free(p);
    kspace_free(q);
}

TEST(aligned_areas_are_aligned_wherever_their_slot_lies)
{
    void *p[20];

    setup();
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 20; i++) {
            p[i] = kspace_alloc_aligned((size_t)(i + 1) * 30000, 0x10000);
            CHECK_EQ((uintptr_t)p[i] % 0x10000, 0);
            CHECK(!mapped((uintptr_t)p[i] - 1));
        }
        for (int i = 0; i < 20; i++)
            kspace_free(p[i]);
        kspace_free(kspace_alloc((size_t)(round + 1) * 4096, KSPACE_RW));
    }
    check_nothing_leaked();
}

TEST(physical_memory_is_mapped_with_its_offset_and_cache_type)
{
    enum kspace_prot prot;
    uintptr_t va;
    phys_t pa;
    int level;

    setup();
    va = (uintptr_t)kspace_map_phys(0xfeb00ff0, 0x20, KSPACE_RW, CACHE_WC);
    CHECK_EQ(va % 4096, 0xff0);
    CHECK(kspace_lookup(va + 0x1f, &pa, &prot));
    CHECK_EQ(pa, 0xfeb0100f);
    CHECK_EQ(paging_walk(va, &level) & PTE_CACHE_MASK, PTE_CACHE_WC);
    kspace_unmap_phys((void *)va);
    CHECK(!mapped(va));
    CHECK(!kspace_map_phys(0x1000, 0, KSPACE_R, CACHE_WB));
    CHECK(!kspace_map_phys(UINT64_MAX - 10, 100, KSPACE_R, CACHE_WB));
    check_nothing_leaked();
}

TEST(large_mappings_use_large_pages_where_they_fit)
{
    const phys_t base = 0x80123000;
    const size_t size = 16 << 20;
    enum kspace_prot prot;
    uintptr_t va;
    phys_t pa;
    int level;

    setup();
    for (int round = 0; round < 3; round++) {
        va = (uintptr_t)kspace_map_phys(base, size, KSPACE_RW, CACHE_WC);
        for (size_t at = 0; at < size; at += 4096) {
            CHECK(kspace_lookup(va + at, &pa, &prot));
            CHECK_EQ(pa, base + at);
        }
        paging_walk(va + (4 << 20), &level);
        CHECK_EQ(level, 2);
        CHECK(!mapped(va - 1) && !mapped(va + size));
        kspace_unmap_phys((void *)va);
        for (size_t at = 0; at < size; at += 4096)
            CHECK(!mapped(va + at));
    }
    check_nothing_leaked();
}

TEST(with_interrupts_off_frames_are_kept_until_a_flush_is_possible)
{
    size_t before;
    void *p, *q;

    setup();
    p = kspace_alloc(20000, KSPACE_RW);
    q = kspace_alloc(20000, KSPACE_RW);
    irqs_on = false;
    before = frames_out;
    kspace_free(p);
    kspace_free(q);
    CHECK(!mapped((uintptr_t)p));
    CHECK_EQ(frames_out, before);
    CHECK_STR(kspace_describe((uintptr_t)p), "freed kernel memory");
    kspace_free(kspace_alloc(4096, KSPACE_RW));
    irqs_on = true;
    kspace_free(kspace_alloc(4096, KSPACE_RW));
    CHECK_EQ(flushes, 4);
    check_nothing_leaked();
}

TEST(running_out_of_memory_anywhere_leaves_nothing_behind)
{
    setup();
    for (size_t more = 0; more < 40; more++) {
        void *p;

        frames_limit = frames_out + more;
        p = kspace_alloc(31 * 4096 + more * 4096 * 600, KSPACE_RW);
        CHECK(!p);
        p = kspace_alloc_aligned(64 << 20, LARGE_PAGE_SIZE);
        CHECK(!p);
        frames_limit = POOL;
        check_nothing_leaked();
    }
    CHECK(!kspace_alloc(0, KSPACE_RW));
    CHECK(!kspace_alloc(SIZE_MAX, KSPACE_RW));
    CHECK(!kspace_alloc((size_t)1 << 45, KSPACE_RW));
    check_nothing_leaked();
}

static bool panics_on_free(void *p)
{
    if (setjmp(panicked))
        return true;
    kspace_free(p);
    return false;
}

TEST(a_wrong_free_panics)
{
    char *p;

    setup();
    p = kspace_alloc(3 * 4096, KSPACE_RW);
    CHECK(panics_on_free(p + 4096));
    CHECK(panics_on_free(p + 1));
    CHECK(panics_on_free((void *)0x1000));
    CHECK(!panics_on_free(p));
    CHECK(panics_on_free(p));
    CHECK(!panics_on_free(NULL));
}

TEST(a_long_mixture_leaks_nothing)
{
    static struct {
        void *va;
        int kind;
    } held[60];

    setup();
    srand(5);
    for (int step = 0; step < 6000; step++) {
        unsigned i = (unsigned)rand() % 60;
        size_t size = 1 + (size_t)rand() % (rand() % 20 ? 90000 : 900000);

        irqs_on = rand() % 4 != 0;
        if (held[i].va && held[i].kind == 0) {
            kspace_unmap_phys(held[i].va);
            held[i].va = NULL;
        } else if (held[i].va) {
            kspace_free(held[i].va);
            held[i].va = NULL;
        } else {
            held[i].kind = rand() % 4;
            held[i].va = held[i].kind == 0
                             ? kspace_map_phys((phys_t)rand() << 8, size * 20,
                                               KSPACE_RW, CACHE_UC)
                         : held[i].kind == 1
                             ? kspace_alloc_aligned(size, 0x10000)
                             : kspace_alloc(size, KSPACE_RW);
            CHECK(held[i].va != NULL);
            CHECK(mapped((uintptr_t)held[i].va));
            CHECK(mapped((uintptr_t)held[i].va + size - 1));
        }
    }
    irqs_on = true;
    for (int i = 0; i < 60; i++) {
        if (held[i].va && held[i].kind == 0)
            kspace_unmap_phys(held[i].va);
        else
            kspace_free(held[i].va);
    }
    kspace_free(kspace_alloc(1, KSPACE_RW));
    check_nothing_leaked();
}

CHECK_MAIN
