/*
 * The memory of lua-cjson's buffers (limit_cjson.c, limit_strbuf.c): from the
 * domain's own heap, which goes with the domain, because the library forgets
 * them when Lua raises an error under it. Domain's thread.
 */
#ifndef RAYOS_LUA_LIMIT_CJSON_H
#define RAYOS_LUA_LIMIT_CJSON_H

#include <stdlib.h>

#include "lua/domain.h"

static inline void *buffer_alloc(size_t size)
{
    return heap_alloc(&domain_current()->heap, size);
}

static inline void *buffer_realloc(void *p, size_t size)
{
    return heap_realloc(&domain_current()->heap, p, size);
}

static inline void buffer_free(void *p)
{
    if (p)
        heap_free(&domain_current()->heap, p);
}

#define malloc  buffer_alloc
#define realloc buffer_realloc
#define free    buffer_free

#endif
