/*
 * Contents of memory files: a growing table of 4 KiB pages, made when they are
 * first written. The caller holds fs->lock. Thread context.
 */
#include "tmpfs.h"

#include <errno.h>
#include <string.h>

#define PAGE_SLOTS_MIN 8

/* How much of [offset, offset + size) lies in the page that holds offset. */
static size_t page_part(uint64_t offset, size_t size)
{
    size_t left = PAGE_SIZE - (offset & (PAGE_SIZE - 1));

    return size < left ? size : left;
}

size_t tmp_data_read(const struct tmp_node *n, void *buf, size_t size,
                     uint64_t offset)
{
    char *to = buf;

    if (offset >= n->size)
        return 0;
    if (size > n->size - offset)
        size = n->size - offset;
    for (size_t done = 0, part; done < size; done += part, offset += part) {
        size_t i = offset >> PAGE_SHIFT;

        part = page_part(offset, size - done);
        if (i < n->page_slots && n->pages[i])
            memcpy(to + done, n->pages[i] + (offset & (PAGE_SIZE - 1)), part);
        else
            memset(to + done, 0, part);
    }
    return size;
}

/* Make the table hold page `i`. */
static int table_grow(struct tmpfs *t, struct tmp_node *n, size_t i)
{
    size_t slots = n->page_slots ? n->page_slots : PAGE_SLOTS_MIN;

    while (slots <= i)
        slots *= 2;
    if (slots == n->page_slots)
        return 0;
    uint8_t **v = tmp_alloc(t, slots * sizeof(*v));

    if (!v)
        return -ENOSPC;
    if (n->page_slots)
        memcpy(v, n->pages, n->page_slots * sizeof(*v));
    tmp_free(t, n->pages, n->page_slots * sizeof(*v));
    n->pages = v;
    n->page_slots = slots;
    return 0;
}

static uint8_t *page_get(struct tmpfs *t, struct tmp_node *n, size_t i)
{
    if (table_grow(t, n, i) < 0)
        return NULL;
    if (!n->pages[i])
        n->pages[i] = tmp_alloc(t, PAGE_SIZE);
    return n->pages[i];
}

ssize_t tmp_data_write(struct tmpfs *t, struct tmp_node *n, const void *buf,
                       size_t size, uint64_t offset)
{
    const char *from = buf;
    size_t done = 0;

    /* No file can be larger than the file system; this also bounds the table
     * that a far seek would ask for. */
    if (offset >= t->limit)
        return size ? -ENOSPC : 0;
    if (size > t->limit - offset)
        size = t->limit - offset;
    while (done < size) {
        uint8_t *page = page_get(t, n, offset >> PAGE_SHIFT);
        size_t part = page_part(offset, size - done);

        if (!page)
            break;
        memcpy(page + (offset & (PAGE_SIZE - 1)), from + done, part);
        done += part;
        offset += part;
    }
    if (done && offset > n->size)
        n->size = offset;
    return done || !size ? (ssize_t)done : -ENOSPC;
}

int tmp_data_resize(struct tmpfs *t, struct tmp_node *n, uint64_t size)
{
    if (size > t->limit)
        return -ENOSPC;
    for (size_t i = ALIGN_UP(size, PAGE_SIZE) >> PAGE_SHIFT; i < n->page_slots;
         i++) {
        tmp_free(t, n->pages[i], PAGE_SIZE);
        n->pages[i] = NULL;
    }
    /* What is cut off must read as zeros when the file grows again. */
    size_t tail = size & (PAGE_SIZE - 1), last = size >> PAGE_SHIFT;

    if (tail && last < n->page_slots && n->pages[last])
        memset(n->pages[last] + tail, 0, PAGE_SIZE - tail);
    if (size == 0) {
        tmp_free(t, n->pages, n->page_slots * sizeof(*n->pages));
        n->pages = NULL;
        n->page_slots = 0;
    }
    n->size = size;
    return 0;
}
