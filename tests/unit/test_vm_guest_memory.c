/* sources: vmm/guest_memory.c vmm/nested.c */
/* Guest memory: bounds, holes, small frames, and every frame given back. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include <arch/features.h>
#include <rayos/mm.h>

#include "vmm/guest_memory.h"

#define MIB (UINT64_C(1) << 20)

static int frames, large_left;

phys_t frame_alloc(unsigned order, unsigned flags)
{
    size_t size = PAGE_SIZE << order;
    void *p;

    if (order && large_left-- <= 0)
        return FRAME_NONE;
    p = aligned_alloc(size, size);
    memset(p, flags & FRAME_ZERO ? 0 : 0xaa, size);
    frames++;
    return virt_to_phys(p);
}

void frame_free(phys_t frame, unsigned order)
{
    (void)order;
    frames--;
    free(phys_to_virt(frame));
}

void *kalloc(size_t size)
{
    return malloc(size);
}

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

const struct arch_cpu_info *arch_cpu_info(void)
{
    static struct arch_cpu_info info = {.nx_mask = UINT64_C(1) << 63};

    return &info;
}

static struct guest_memory *make(uint64_t size, int large)
{
    struct guest_memory *m = NULL;

    large_left = large;
    CHECK_EQ(guest_memory_create(size, &m), 0);
    CHECK_EQ(guest_memory_map(m, NESTED_NPT), 0);
    return m;
}

static void drop(struct guest_memory *m)
{
    guest_memory_destroy(m);
    CHECK_EQ(frames, 0);
}

static void bounds(int large)
{
    struct guest_memory *m = make(5 * MIB + 8192, large);
    uint8_t out[64] = {1};
    gpa_t end = 5 * MIB + 8192;

    CHECK_EQ(guest_memory_end(m), (int64_t)end);
    CHECK_EQ(guest_write(m, end - 8, "12345678", 8), 0);
    CHECK_EQ(guest_read(m, end - 8, out, 8), 0);
    CHECK(memcmp(out, "12345678", 8) == 0);
    CHECK_EQ(guest_read(m, end - 8, out, 9), -EFAULT);
    CHECK_EQ(guest_write(m, end, "1", 1), -EFAULT);
    CHECK_EQ(guest_read(m, UINT64_MAX - 3, out, 8), -EFAULT);
    CHECK_EQ(guest_read(m, 8, out, SIZE_MAX), -EFAULT);
    CHECK_EQ(guest_write(m, 4096 - 4, "abcdefgh", 8), 0);
    CHECK_EQ(guest_read(m, 4096 - 4, out, 8), 0);
    CHECK(memcmp(out, "abcdefgh", 8) == 0);
    CHECK_EQ(guest_read(m, end, out, 0), 0);
    drop(m);
}

TEST(reads_and_writes_end_with_the_ram_over_large_frames)
{
    bounds(100);
}

TEST(and_over_small_frames_when_the_host_has_no_large_ones)
{
    bounds(1);
}

TEST(a_span_ends_with_its_frame)
{
    struct guest_memory *m = make(4 * MIB, 1);
    size_t got;

    CHECK(guest_span(m, 2 * MIB - 16, 64, &got) != NULL);
    CHECK_EQ(got, 16);
    CHECK(guest_span(m, 2 * MIB + 4096 - 8, 64, &got) != NULL);
    CHECK_EQ(got, 8);
    CHECK(guest_span(m, 4 * MIB, 1, &got) == NULL);
    drop(m);
}

TEST(ring_words_must_be_aligned_and_in_ram)
{
    struct guest_memory *m = make(1 * MIB, 0);
    uint16_t v = 0;

    CHECK_EQ(guest_store16(m, 4094, 0xbeef), 0);
    CHECK_EQ(guest_load16(m, 4094, &v), 0);
    CHECK_EQ(v, 0xbeef);
    CHECK_EQ(guest_load16(m, 4095, &v), -EFAULT);
    CHECK_EQ(guest_store16(m, 1 * MIB, 1), -EFAULT);
    drop(m);
}

TEST(sizes_that_make_no_sense_are_refused)
{
    struct guest_memory *m;

    CHECK_EQ(guest_memory_create(0, &m), -EINVAL);
    CHECK_EQ(guest_memory_create(4096, &m), -EINVAL);
    CHECK_EQ(guest_memory_create(2 * MIB + 1, &m), -EINVAL);
    CHECK_EQ(guest_memory_create(UINT64_MAX - 4095, &m), -EINVAL);
}

TEST(rights_of_holes_cannot_be_changed)
{
    struct guest_memory *m = make(2 * MIB, 1);

    CHECK_EQ(guest_memory_protect(m, 0, 4096, NESTED_READ), 0);
    CHECK_EQ(guest_memory_protect(m, 2 * MIB, 4096, NESTED_READ), -EFAULT);
    CHECK_EQ(guest_memory_protect(m, 1, 4096, NESTED_READ), -EINVAL);
    drop(m);
}

CHECK_MAIN
