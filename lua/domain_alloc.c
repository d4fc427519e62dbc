/*
 * Lua's allocator: the domain's private heap, charged to its account. Runs on
 * the domain's own thread only, so the heap needs no lock.
 */
#include "lua/domain.h"

void *domain_alloc(void *domain, void *ptr, size_t old_size, size_t size)
{
    struct domain *d = domain;

    (void)old_size; /* the heap knows */
    if (size) {
        void *p = heap_realloc(&d->heap, ptr, size);

        if (!p)
            memory_pressure(PRESSURE_REFUSED, d->id, size, d->name);
        return p;
    }
    if (ptr)
        heap_free(&d->heap, ptr);
    return NULL;
}
