/*
 * malloc and its family for C libraries: the kernel's shared heap, with a
 * header before each block that names the account which pays for it: that of
 * the thread that asked. Whoever frees it, that account is credited. Any
 * context but interrupt.
 *
 * The header is one unit of the heap's alignment. Everything that newlib's own
 * malloc defines is defined here, so that its object is not linked.
 */
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>

#include <errno.h>
#include <malloc.h>
#include <reent.h>
#include <stdlib.h>
#include <string.h>

#define UNIT 16
/* What the header's 32-bit counts of units can hold: 64 GiB. */
#define MALLOC_MAX ((size_t)UINT32_MAX * UNIT)

struct header {
    struct account *account;
    uint32_t charged; /* units, header included */
    uint32_t offset;  /* units from the heap's block to the user's */
};

_Static_assert(sizeof(struct header) == UNIT, "the header is one unit");

static struct header *header_of(void *p)
{
    return (struct header *)p - 1;
}

static void *heap_block_of(void *p)
{
    return (char *)p - (size_t)header_of(p)->offset * UNIT;
}

static struct account *current_account(void)
{
    const struct thread *t = thread_current();

    return t ? t->account : NULL;
}

static bool charge(struct account *a, size_t bytes)
{
    return !a || account_charge(a, bytes);
}

static void credit(struct account *a, size_t bytes)
{
    if (a)
        account_credit(a, bytes);
}

/* `before` bytes, a multiple of UNIT that leaves room for the header, lie in
 * front of the user's block, less when `align` is reached earlier. */
static void *block_new(size_t size, size_t before, size_t align)
{
    struct account *account = current_account();
    size_t total;
    char *block, *p;

    if (size > MALLOC_MAX - before - UNIT)
        goto fail;
    total = ALIGN_UP(size + before, UNIT);
    if (!charge(account, total))
        goto fail;
    block = kalloc(total);
    if (!block) {
        credit(account, total);
        goto fail;
    }
    p = (char *)ALIGN_UP((uintptr_t)block + sizeof(struct header), align);
    *header_of(p) = (struct header){
        .account = account,
        .charged = (uint32_t)(total / UNIT),
        .offset = (uint32_t)((size_t)(p - block) / UNIT),
    };
    return p;
fail:
    errno = ENOMEM;
    return NULL;
}

void *malloc(size_t size)
{
    return block_new(size, sizeof(struct header), UNIT);
}

void free(void *p)
{
    if (!p)
        return;
    credit(header_of(p)->account, (size_t)header_of(p)->charged * UNIT);
    kfree(heap_block_of(p));
}

void *calloc(size_t n, size_t size)
{
    size_t bytes;
    void *p;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    p = malloc(bytes);
    if (p)
        memset(p, 0, bytes);
    return p;
}

size_t malloc_usable_size(void *p)
{
    if (!p)
        return 0;
    return heap_size(heap_block_of(p)) - (size_t)header_of(p)->offset * UNIT;
}

void *memalign(size_t align, size_t size)
{
    if (align & (align - 1) || align > MALLOC_MAX / 2) {
        errno = EINVAL;
        return NULL;
    }
    if (align <= UNIT)
        return malloc(size);
    return block_new(size, align, align);
}

/* A block of memalign loses its alignment, as realloc may. */
static void *block_move(void *p, size_t size)
{
    size_t old = malloc_usable_size(p);
    void *q = malloc(size);

    if (!q)
        return NULL;
    memcpy(q, p, size < old ? size : old);
    free(p);
    return q;
}

void *realloc(void *p, size_t size)
{
    struct header h, *moved;
    size_t old, total;

    if (!p)
        return malloc(size);
    h = *header_of(p);
    if (h.offset != 1)
        return block_move(p, size);
    if (size > MALLOC_MAX - 2 * UNIT) {
        errno = ENOMEM;
        return NULL;
    }
    /* The block stays with the account that has paid so far. */
    old = (size_t)h.charged * UNIT;
    total = ALIGN_UP(size + sizeof(struct header), UNIT);
    if (total > old && !charge(h.account, total - old)) {
        errno = ENOMEM;
        return NULL;
    }
    moved = krealloc(header_of(p), total);
    if (!moved) {
        credit(h.account, total - old); /* only growing fails */
        errno = ENOMEM;
        return NULL;
    }
    if (total < old)
        credit(h.account, old - total);
    moved->charged = (uint32_t)(total / UNIT);
    return moved + 1;
}

/* --- the names that newlib itself and newer C use --- */

#undef _malloc_r
#undef _calloc_r
#undef _realloc_r
#undef _free_r
#undef _memalign_r
#undef _malloc_usable_size_r

void *_malloc_r(struct _reent *r, size_t size)
{
    (void)r;
    return malloc(size);
}

void *_calloc_r(struct _reent *r, size_t n, size_t size)
{
    (void)r;
    return calloc(n, size);
}

void *_realloc_r(struct _reent *r, void *p, size_t size)
{
    (void)r;
    return realloc(p, size);
}

void _free_r(struct _reent *r, void *p)
{
    (void)r;
    free(p);
}

void *_memalign_r(struct _reent *r, size_t align, size_t size)
{
    (void)r;
    return memalign(align, size);
}

size_t _malloc_usable_size_r(struct _reent *r, void *p)
{
    (void)r;
    return malloc_usable_size(p);
}

void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    void *p;

    if (align < sizeof(void *) || align & (align - 1))
        return EINVAL;
    p = memalign(align, size);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}
