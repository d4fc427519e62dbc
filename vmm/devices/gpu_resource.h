/*
 * Resources of a virtio-gpu: pictures of ours that a guest fills from its
 * memory (virtio 1.2 5.7.6.8). Thread context; the caller locks.
 */
#ifndef VMM_DEVICES_GPU_RESOURCE_H
#define VMM_DEVICES_GPU_RESOURCE_H

#include <rayos/list.h>
#include <rayos/types.h>

#include "vmm/devices/gpu_format.h"
#include "vmm/guest_memory.h"

#define GPU_SIDE_MAX    8192   /* of a resource */
#define GPU_COUNT_MAX   4096   /* resources of one device */
#define GPU_ENTRIES_MAX 262144 /* of one resource's backing */
#define GPU_BUCKETS     64

/* virtio 1.2 5.7.6.8: struct virtio_gpu_rect */
struct gpu_rect {
    uint32_t x, y, width, height;
};

/* A piece of the guest's memory, `offset` bytes behind the backing's start. */
struct gpu_entry {
    gpa_t gpa;
    uint64_t offset;
    uint32_t length;
};

struct gpu_resource {
    uint32_t id;
    enum gpu_format format;
    uint32_t width, height;
    uint32_t *pixels;          /* 0xAARRGGBB, a line after the other */
    struct gpu_entry *entries; /* NULL: no backing */
    uint32_t entry_count;
    uint64_t backing_size, backing_cost; /* bytes */
    struct list node;
};

struct gpu_table {
    struct list buckets[GPU_BUCKETS];
    uint32_t count;
    uint64_t used, limit; /* bytes of pixels and of entries */
};

void gpu_table_init(struct gpu_table *t, uint64_t limit);
void gpu_table_clear(struct gpu_table *t);
struct gpu_resource *gpu_resource_find(struct gpu_table *t, uint32_t id);
/* Black. 0; -EEXIST, -EINVAL (size, format, id 0), -ENOMEM. */
int gpu_resource_create(struct gpu_table *t, uint32_t id, uint32_t format,
                        uint32_t width, uint32_t height);
void gpu_resource_destroy(struct gpu_table *t, struct gpu_resource *r);

/* Room for so many entries, to be filled in and given to
 * gpu_resource_attach. NULL: there are too many, or no memory. */
struct gpu_entry *gpu_entries_alloc(struct gpu_table *t, uint32_t count);
/* What gpu_entries_alloc gave and nobody took. */
void gpu_entries_free(struct gpu_table *t, struct gpu_entry *e, uint32_t count);
/* To one that has no backing. `e` is taken over; gpa and length are set, offset
 * is not. */
void gpu_resource_attach(struct gpu_resource *r, struct gpu_entry *e,
                         uint32_t count);
void gpu_resource_detach(struct gpu_table *t, struct gpu_resource *r);

bool gpu_rect_inside(const struct gpu_rect *r, uint32_t width, uint32_t height);
/* Copy one rectangle from the backing, whose lines are as long as the
 * resource's; its first pixel is at `offset`. -EINVAL: not inside of the
 * resource or its backing; -EFAULT: a piece is no RAM. What was copied until
 * then stays. */
int gpu_resource_transfer(struct gpu_resource *r, struct guest_memory *m,
                          const struct gpu_rect *rect, uint64_t offset);

#endif
