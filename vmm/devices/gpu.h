/*
 * The commands of a 2D virtio-gpu (virtio 1.2 5.7.6), apart from rings and
 * screens: a request is read once, checked, and carried out on resources and on
 * what the operations do. Thread context; the caller locks.
 */
#ifndef VMM_DEVICES_GPU_H
#define VMM_DEVICES_GPU_H

#include "vmm/devices/gpu_resource.h"

/* virtio 1.2 5.7.6.7 */
enum gpu_type {
    GPU_GET_DISPLAY_INFO = 0x100,
    GPU_RESOURCE_CREATE_2D,
    GPU_RESOURCE_UNREF,
    GPU_SET_SCANOUT,
    GPU_RESOURCE_FLUSH,
    GPU_TRANSFER_TO_HOST_2D,
    GPU_RESOURCE_ATTACH_BACKING,
    GPU_RESOURCE_DETACH_BACKING,
    GPU_GET_CAPSET_INFO,
    GPU_GET_CAPSET,
    GPU_GET_EDID,
    GPU_UPDATE_CURSOR = 0x300,
    GPU_MOVE_CURSOR,
    GPU_OK_NODATA = 0x1100,
    GPU_OK_DISPLAY_INFO = 0x1101,
    GPU_OK_EDID = 0x1104,
    GPU_ERR_UNSPEC = 0x1200,
    GPU_ERR_OUT_OF_MEMORY,
    GPU_ERR_INVALID_SCANOUT_ID,
    GPU_ERR_INVALID_RESOURCE_ID,
    GPU_ERR_INVALID_CONTEXT_ID,
    GPU_ERR_INVALID_PARAMETER,
};

#define GPU_FLAG_FENCE 1u
#define GPU_SCANOUTS   16 /* in a display info; we have one */

/* struct virtio_gpu_ctrl_hdr */
struct gpu_header {
    uint32_t type, flags;
    uint64_t fence;
    uint32_t context;
    uint8_t ring, padding[3];
};

/* struct virtio_gpu_resp_edid, the longest answer */
#define GPU_EDID_ROOM    1024
#define GPU_RESPONSE_MAX (sizeof(struct gpu_header) + 8 + GPU_EDID_ROOM)

#define GPU_CURSOR_SIDE 64 /* 5.7.6.10: a cursor's resource */

struct gpu;

struct gpu_ops {
    /* What the scanout shows from now on; pixels NULL: nothing. On return
     * nobody reads the pixels before. */
    void (*scanout)(struct gpu *g, uint32_t *pixels, uint32_t width,
                    uint32_t height, uint32_t stride);
    /* Pixels of the scanout are being written between these two. */
    void (*begin)(struct gpu *g);
    void (*end)(struct gpu *g);
    /* A part of the scanout has a new, finished picture. */
    void (*flush)(struct gpu *g, const struct gpu_rect *r);
    /* A cursor of GPU_CURSOR_SIDE; NULL: none. */
    void (*cursor)(struct gpu *g, const uint32_t *argb, uint32_t hot_x,
                   uint32_t hot_y);
    void (*cursor_move)(struct gpu *g, uint32_t x, uint32_t y);
};

struct gpu {
    const struct gpu_ops *ops;
    void *arg; /* theirs */
    struct guest_memory *memory;
    struct gpu_table table;
    uint32_t width, height;       /* that the display wants */
    struct gpu_resource *scanout; /* NULL: none */
    struct gpu_rect scanout_rect; /* of it */
    uint64_t commands, errors;
};

/* Bytes that a driver wrote. */
struct gpu_request {
    uint32_t size;
    /* 0, or negative: they are not to be had. Never beyond `size`. */
    int (*read)(const struct gpu_request *rq, uint32_t offset, void *out,
                size_t n);
    void *arg;
};

void gpu_init(struct gpu *g, const struct gpu_ops *ops, struct guest_memory *m,
              uint64_t memory_limit);
/* No scanout, no cursor, no resources. */
void gpu_reset(struct gpu *g);
/* Carry one out: bytes of the answer, at most GPU_RESPONSE_MAX. */
size_t gpu_execute(struct gpu *g, const struct gpu_request *rq, void *answer);

#endif
