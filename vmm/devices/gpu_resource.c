/* Resources of a virtio-gpu: see gpu_resource.h. */
#include "vmm/devices/gpu_resource.h"

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

/* --- the table --- */

static struct list *bucket_of(struct gpu_table *t, uint32_t id)
{
    return &t->buckets[id % GPU_BUCKETS];
}

static struct gpu_resource *resource_of(struct list *n)
{
    return container_of(n, struct gpu_resource, node);
}

void gpu_table_init(struct gpu_table *t, uint64_t limit)
{
    *t = (struct gpu_table){.limit = limit};
    for (size_t i = 0; i < GPU_BUCKETS; i++)
        list_init(&t->buckets[i]);
}

void gpu_table_clear(struct gpu_table *t)
{
    for (size_t i = 0; i < GPU_BUCKETS; i++)
        while (!list_empty(&t->buckets[i]))
            gpu_resource_destroy(t, resource_of(t->buckets[i].next));
}

struct gpu_resource *gpu_resource_find(struct gpu_table *t, uint32_t id)
{
    list_for_each (n, bucket_of(t, id))
        if (resource_of(n)->id == id)
            return resource_of(n);
    return NULL;
}

static bool charge(struct gpu_table *t, uint64_t bytes)
{
    if (bytes > t->limit - t->used)
        return false;
    t->used += bytes;
    return true;
}

static uint64_t pixels_size(uint32_t width, uint32_t height)
{
    return (uint64_t)width * height * sizeof(uint32_t);
}

int gpu_resource_create(struct gpu_table *t, uint32_t id, uint32_t format,
                        uint32_t width, uint32_t height)
{
    uint64_t size = pixels_size(width, height);
    struct gpu_resource *r;

    if (!id || !gpu_format_known(format) || !width || !height ||
        width > GPU_SIDE_MAX || height > GPU_SIDE_MAX)
        return -EINVAL;
    if (gpu_resource_find(t, id))
        return -EEXIST;
    if (t->count >= GPU_COUNT_MAX || !charge(t, size))
        return -ENOMEM;
    r = kzalloc(sizeof(*r));
    if (r)
        r->pixels = kspace_alloc(size, KSPACE_RW);
    if (!r || !r->pixels) {
        t->used -= size;
        kfree(r);
        return -ENOMEM;
    }
    r->id = id;
    r->format = (enum gpu_format)format;
    r->width = width;
    r->height = height;
    t->count++;
    list_push_back(bucket_of(t, id), &r->node);
    return 0;
}

void gpu_resource_destroy(struct gpu_table *t, struct gpu_resource *r)
{
    gpu_resource_detach(t, r);
    list_remove(&r->node);
    kspace_free(r->pixels);
    t->used -= pixels_size(r->width, r->height);
    t->count--;
    kfree(r);
}

/* --- backing --- */

struct gpu_entry *gpu_entries_alloc(struct gpu_table *t, uint32_t count)
{
    uint64_t size = count * sizeof(struct gpu_entry);
    struct gpu_entry *e;

    if (!count || count > GPU_ENTRIES_MAX || !charge(t, size))
        return NULL;
    e = kspace_alloc(size, KSPACE_RW);
    if (!e)
        t->used -= size;
    return e;
}

void gpu_entries_free(struct gpu_table *t, struct gpu_entry *e, uint32_t count)
{
    kspace_free(e);
    t->used -= count * sizeof(*e);
}

/* Neighbours become one; returns how many are left. */
static uint32_t join(struct gpu_entry *e, uint32_t count)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct gpu_entry *last = n ? &e[n - 1] : NULL;

        if (last && last->gpa + last->length == e[i].gpa &&
            e[i].length <= UINT32_MAX - last->length)
            last->length += e[i].length;
        else if (e[i].length)
            e[n++] = e[i];
    }
    return n;
}

void gpu_resource_attach(struct gpu_resource *r, struct gpu_entry *e,
                         uint32_t count)
{
    r->entries = e;
    r->backing_cost = count * sizeof(*e);
    r->entry_count = join(e, count);
    r->backing_size = 0;
    for (uint32_t i = 0; i < r->entry_count; i++) {
        e[i].offset = r->backing_size;
        r->backing_size += e[i].length;
    }
}

void gpu_resource_detach(struct gpu_table *t, struct gpu_resource *r)
{
    if (!r->entries)
        return;
    kspace_free(r->entries);
    t->used -= r->backing_cost;
    r->entries = NULL;
    r->entry_count = 0;
    r->backing_size = r->backing_cost = 0;
}

/* --- transfers --- */

bool gpu_rect_inside(const struct gpu_rect *r, uint32_t width, uint32_t height)
{
    return r->width && r->height && r->x <= width && r->y <= height &&
           r->width <= width - r->x && r->height <= height - r->y;
}

/* The entry that holds this byte, which is inside of the backing. */
static const struct gpu_entry *entry_at(const struct gpu_resource *r,
                                        uint64_t offset)
{
    uint32_t low = 0, high = r->entry_count;

    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;

        if (r->entries[middle].offset <= offset)
            low = middle;
        else
            high = middle;
    }
    return &r->entries[low];
}

/* Where a transfer reads: the rest of a stretch of memory. */
struct source {
    const struct gpu_resource *r;
    struct guest_memory *m;
    const struct gpu_entry *e; /* the last one read; NULL at the start */
    const uint8_t *at;         /* the byte at `offset` */
    uint64_t offset;
    size_t left;
};

/* Go to `offset`; false: that is no RAM. */
static bool source_seek(struct source *s, uint64_t offset)
{
    const struct gpu_entry *e = s->e;

    if (s->left && offset >= s->offset && offset - s->offset < s->left) {
        s->at += offset - s->offset;
        s->left -= offset - s->offset;
        s->offset = offset;
        return true;
    }
    if (!e || offset < e->offset || offset - e->offset >= e->length)
        e = entry_at(s->r, offset);
    s->e = e;
    s->offset = offset;
    s->at = guest_span(s->m, e->gpa + (offset - e->offset),
                       e->length - (offset - e->offset), &s->left);
    if (!s->at)
        s->left = 0;
    return s->at != NULL;
}

/* A pixel that lies in two stretches. */
static bool read_pixel(struct source *s, uint64_t offset, uint32_t *to)
{
    uint8_t bytes[GPU_PIXEL_SIZE];

    for (unsigned i = 0; i < GPU_PIXEL_SIZE; i++) {
        if (!source_seek(s, offset + i))
            return false;
        bytes[i] = *s->at;
    }
    gpu_format_convert(s->r->format, to, bytes, 1);
    return true;
}

static int read_line(struct source *s, uint64_t offset, uint32_t *to,
                     uint32_t count)
{
    while (count) {
        size_t n;

        if (!source_seek(s, offset))
            return -EFAULT;
        n = s->left / GPU_PIXEL_SIZE;
        n = n < count ? n : count;
        if (n)
            gpu_format_convert(s->r->format, to, s->at, n);
        else if (!read_pixel(s, offset, to))
            return -EFAULT;
        n = n ? n : 1;
        to += n;
        offset += n * GPU_PIXEL_SIZE;
        count -= (uint32_t)n;
    }
    return 0;
}

int gpu_resource_transfer(struct gpu_resource *r, struct guest_memory *m,
                          const struct gpu_rect *rect, uint64_t offset)
{
    uint64_t pitch = (uint64_t)r->width * GPU_PIXEL_SIZE;
    struct source s = {.r = r, .m = m};
    uint32_t *to;
    uint64_t size;

    if (!gpu_rect_inside(rect, r->width, r->height))
        return -EINVAL;
    size = pitch * (rect->height - 1) + rect->width * (uint64_t)GPU_PIXEL_SIZE;
    if (offset > r->backing_size || size > r->backing_size - offset)
        return -EINVAL;
    to = r->pixels + (size_t)rect->y * r->width + rect->x;
    for (uint32_t y = 0; y < rect->height; y++) {
        int err = read_line(&s, offset, to, rect->width);

        if (err)
            return err;
        to += r->width;
        offset += pitch;
    }
    return 0;
}
