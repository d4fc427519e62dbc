/*
 * What guest memory and device models want of the kernel, on the host: every
 * block is one of malloc's, so that the address sanitizer sees a step outside,
 * and all are counted. Large frames can be made to run out.
 */
#ifndef RAYOS_TEST_VM_HOST_H
#define RAYOS_TEST_VM_HOST_H

#include <stdlib.h>
#include <string.h>

#include <arch/features.h>
#include <rayos/mm.h>

static int vm_host_blocks;          /* that are not given back */
static int vm_host_large = 1 << 30; /* frames of 2 MiB that there are */
static int vm_host_left = 1 << 30;  /* blocks of kspace_alloc */

phys_t frame_alloc(unsigned order, unsigned flags)
{
    size_t size = PAGE_SIZE << order;
    void *p;

    if (order && vm_host_large-- <= 0)
        return FRAME_NONE;
    p = aligned_alloc(size, size);
    memset(p, flags & FRAME_ZERO ? 0 : 0xaa, size);
    vm_host_blocks++;
    return virt_to_phys(p);
}

void frame_free(phys_t frame, unsigned order)
{
    (void)order;
    vm_host_blocks--;
    free(phys_to_virt(frame));
}

void *kalloc(size_t size)
{
    vm_host_blocks++;
    return malloc(size);
}

void *kzalloc(size_t size)
{
    vm_host_blocks++;
    return calloc(1, size);
}

void kfree(void *p)
{
    vm_host_blocks -= p != NULL;
    free(p);
}

void *kspace_alloc(size_t size, enum kspace_prot prot)
{
    (void)prot;
    if (vm_host_left-- <= 0)
        return NULL;
    vm_host_blocks++;
    return calloc(1, size);
}

void kspace_free(void *p)
{
    vm_host_blocks -= p != NULL;
    free(p);
}

const struct arch_cpu_info *arch_cpu_info(void)
{
    static struct arch_cpu_info info = {.nx_mask = UINT64_C(1) << 63};

    return &info;
}

#endif
