/* The kernel's shared heap. Any context but interrupt; never sleeps. */
#include <rayos/mm.h>

#include <string.h>

static struct heap kernel_heap;

void kheap_init(void)
{
    heap_init(&kernel_heap, NULL, true);
}

size_t kheap_used(void)
{
    return kernel_heap.used;
}

void *kalloc(size_t size)
{
    return heap_alloc(&kernel_heap, size);
}

void *kzalloc(size_t size)
{
    void *p = heap_alloc(&kernel_heap, size);

    if (p)
        memset(p, 0, size);
    return p;
}

void *krealloc(void *p, size_t size)
{
    return heap_realloc(&kernel_heap, p, size);
}

void kfree(void *p)
{
    heap_free(&kernel_heap, p);
}
