/* The commands of a 2D virtio-gpu: see gpu.h. */
#include "vmm/devices/gpu.h"

#include <errno.h>
#include <string.h>

#include "vmm/devices/gpu_edid.h"

/* --- the driver's structures, little endian (virtio 1.2 5.7.6.8) --- */

struct create_2d {
    struct gpu_header header;
    uint32_t resource, format, width, height;
};

struct resource_only { /* unref, detach backing */
    struct gpu_header header;
    uint32_t resource, padding;
};

struct set_scanout {
    struct gpu_header header;
    struct gpu_rect rect;
    uint32_t scanout, resource;
};

struct flush {
    struct gpu_header header;
    struct gpu_rect rect;
    uint32_t resource, padding;
};

struct transfer {
    struct gpu_header header;
    struct gpu_rect rect;
    uint64_t offset;
    uint32_t resource, padding;
};

struct attach {
    struct gpu_header header;
    uint32_t resource, count;
};

struct mem_entry {
    uint64_t address;
    uint32_t length, padding;
};

struct get_edid {
    struct gpu_header header;
    uint32_t scanout, padding;
};

struct cursor {
    struct gpu_header header;
    uint32_t scanout, x, y, padding;
    uint32_t resource, hot_x, hot_y, padding2;
};

struct display_info {
    struct gpu_header header;
    struct {
        struct gpu_rect rect;
        uint32_t enabled, flags;
    } modes[GPU_SCANOUTS];
};

struct edid_answer {
    struct gpu_header header;
    uint32_t size, padding;
    uint8_t edid[GPU_EDID_ROOM];
};

_Static_assert(sizeof(struct edid_answer) == GPU_RESPONSE_MAX, "longest");

/* Entries of a backing that are copied at a time. */
#define ENTRIES_AT_ONCE 64

/* A request whose fixed part is read: once. */
struct command {
    const struct gpu_request *rq; /* for what follows the fixed part */
    uint32_t size;                /* of `bytes` */
    uint8_t bytes[sizeof(struct transfer)];
};

_Static_assert(sizeof(struct cursor) <= sizeof(struct transfer), "longest");

static bool command_read(struct command *c, const struct gpu_request *rq)
{
    c->rq = rq;
    c->size = rq->size < sizeof(c->bytes) ? rq->size : sizeof(c->bytes);
    return c->size >= sizeof(struct gpu_header) &&
           !rq->read(rq, 0, c->bytes, c->size);
}

/* false: it is too short. */
static bool take(const struct command *c, void *out, size_t size)
{
    if (c->size < size)
        return false;
    memcpy(out, c->bytes, size);
    return true;
}

/* --- resources --- */

static uint32_t error_of(int err)
{
    switch (err) {
    case 0:
        return GPU_OK_NODATA;
    case -ENOMEM:
        return GPU_ERR_OUT_OF_MEMORY;
    case -EEXIST:
        return GPU_ERR_INVALID_RESOURCE_ID;
    case -EINVAL:
        return GPU_ERR_INVALID_PARAMETER;
    default:
        return GPU_ERR_UNSPEC;
    }
}

static uint32_t create_2d(struct gpu *g, const struct command *cmd)
{
    struct create_2d c;

    if (!take(cmd, &c, sizeof(c)))
        return GPU_ERR_INVALID_PARAMETER;
    if (!c.resource)
        return GPU_ERR_INVALID_RESOURCE_ID;
    return error_of(gpu_resource_create(&g->table, c.resource, c.format,
                                        c.width, c.height));
}

static void scanout_off(struct gpu *g)
{
    g->scanout = NULL;
    g->scanout_rect = (struct gpu_rect){0, 0, 0, 0};
    g->ops->scanout(g, NULL, 0, 0, 0);
}

static uint32_t unref(struct gpu *g, const struct command *cmd)
{
    struct resource_only c;
    struct gpu_resource *r;

    if (!take(cmd, &c, sizeof(c)))
        return GPU_ERR_INVALID_PARAMETER;
    r = gpu_resource_find(&g->table, c.resource);
    if (!r)
        return GPU_ERR_INVALID_RESOURCE_ID;
    if (g->scanout == r)
        scanout_off(g);
    gpu_resource_destroy(&g->table, r);
    return GPU_OK_NODATA;
}

static uint32_t detach(struct gpu *g, const struct command *cmd)
{
    struct resource_only c;
    struct gpu_resource *r;

    if (!take(cmd, &c, sizeof(c)))
        return GPU_ERR_INVALID_PARAMETER;
    r = gpu_resource_find(&g->table, c.resource);
    if (!r)
        return GPU_ERR_INVALID_RESOURCE_ID;
    if (!r->entries)
        return GPU_ERR_UNSPEC;
    gpu_resource_detach(&g->table, r);
    return GPU_OK_NODATA;
}

static int read_entries(const struct gpu_request *rq, struct gpu_entry *e,
                        uint32_t count)
{
    struct mem_entry part[ENTRIES_AT_ONCE];
    uint32_t offset = sizeof(struct attach);

    while (count) {
        uint32_t n = count < ENTRIES_AT_ONCE ? count : ENTRIES_AT_ONCE;

        if (rq->read(rq, offset, part, n * sizeof(*part)))
            return -EFAULT;
        for (uint32_t i = 0; i < n; i++, e++) {
            if (part[i].address > UINT64_MAX - part[i].length)
                return -EINVAL;
            *e = (struct gpu_entry){.gpa = part[i].address,
                                    .length = part[i].length};
        }
        offset += n * sizeof(*part);
        count -= n;
    }
    return 0;
}

static uint32_t attach(struct gpu *g, const struct command *cmd)
{
    const struct gpu_request *rq = cmd->rq;
    struct attach c;
    struct gpu_resource *r;
    struct gpu_entry *e;
    int err;

    if (!take(cmd, &c, sizeof(c)) ||
        c.count > (rq->size - sizeof(c)) / sizeof(struct mem_entry))
        return GPU_ERR_INVALID_PARAMETER;
    r = gpu_resource_find(&g->table, c.resource);
    if (!r)
        return GPU_ERR_INVALID_RESOURCE_ID;
    if (r->entries)
        return GPU_ERR_UNSPEC;
    if (!c.count)
        return GPU_ERR_INVALID_PARAMETER;
    e = gpu_entries_alloc(&g->table, c.count);
    if (!e)
        return GPU_ERR_OUT_OF_MEMORY;
    err = read_entries(rq, e, c.count);
    if (err)
        gpu_entries_free(&g->table, e, c.count);
    else
        gpu_resource_attach(r, e, c.count);
    return error_of(err);
}

static uint32_t transfer(struct gpu *g, const struct command *cmd)
{
    struct transfer c;
    struct gpu_resource *r;
    int err;

    if (!take(cmd, &c, sizeof(c)))
        return GPU_ERR_INVALID_PARAMETER;
    r = gpu_resource_find(&g->table, c.resource);
    if (!r)
        return GPU_ERR_INVALID_RESOURCE_ID;
    if (!r->entries)
        return GPU_ERR_UNSPEC;
    if (r == g->scanout)
        g->ops->begin(g);
    err = gpu_resource_transfer(r, g->memory, &c.rect, c.offset);
    if (r == g->scanout)
        g->ops->end(g);
    return error_of(err);
}

/* --- the scanout --- */

static uint32_t set_scanout(struct gpu *g, const struct command *cmd)
{
    struct set_scanout c;
    struct gpu_resource *r;

    if (!take(cmd, &c, sizeof(c)))
        return GPU_ERR_INVALID_PARAMETER;
    if (c.scanout)
        return GPU_ERR_INVALID_SCANOUT_ID;
    if (!c.resource) {
        scanout_off(g);
        return GPU_OK_NODATA;
    }
    r = gpu_resource_find(&g->table, c.resource);
    if (!r)
        return GPU_ERR_INVALID_RESOURCE_ID;
    if (!gpu_rect_inside(&c.rect, r->width, r->height))
        return GPU_ERR_INVALID_PARAMETER;
    g->scanout = r;
    g->scanout_rect = c.rect;
    g->ops->scanout(g, r->pixels + (size_t)c.rect.y * r->width + c.rect.x,
                    c.rect.width, c.rect.height, r->width);
    return GPU_OK_NODATA;
}

/* The part of a resource that the scanout shows, in the scanout's pixels. */
static bool visible_part(const struct gpu *g, struct gpu_rect *r)
{
    const struct gpu_rect *s = &g->scanout_rect;
    uint32_t x = r->x > s->x ? r->x : s->x, y = r->y > s->y ? r->y : s->y;
    uint32_t right = r->x + r->width, bottom = r->y + r->height;

    right = right < s->x + s->width ? right : s->x + s->width;
    bottom = bottom < s->y + s->height ? bottom : s->y + s->height;
    if (right <= x || bottom <= y)
        return false;
    *r = (struct gpu_rect){x - s->x, y - s->y, right - x, bottom - y};
    return true;
}

static uint32_t flush(struct gpu *g, const struct command *cmd)
{
    struct flush c;
    struct gpu_resource *r;

    if (!take(cmd, &c, sizeof(c)))
        return GPU_ERR_INVALID_PARAMETER;
    r = gpu_resource_find(&g->table, c.resource);
    if (!r)
        return GPU_ERR_INVALID_RESOURCE_ID;
    if (!gpu_rect_inside(&c.rect, r->width, r->height))
        return GPU_ERR_INVALID_PARAMETER;
    if (r == g->scanout && visible_part(g, &c.rect))
        g->ops->flush(g, &c.rect);
    return GPU_OK_NODATA;
}

/* --- what it shows on --- */

static size_t display_info(const struct gpu *g, struct display_info *out)
{
    memset(out, 0, sizeof(*out));
    out->header.type = GPU_OK_DISPLAY_INFO;
    out->modes[0].rect = (struct gpu_rect){0, 0, g->width, g->height};
    out->modes[0].enabled = 1;
    return sizeof(*out);
}

static size_t edid(const struct gpu *g, const struct command *cmd,
                   struct edid_answer *out)
{
    struct get_edid c;

    memset(out, 0, sizeof(*out));
    if (!take(cmd, &c, sizeof(c)))
        out->header.type = GPU_ERR_INVALID_PARAMETER;
    else if (c.scanout)
        out->header.type = GPU_ERR_INVALID_SCANOUT_ID;
    else
        out->header.type = GPU_OK_EDID;
    if (out->header.type != GPU_OK_EDID)
        return sizeof(out->header);
    out->size = EDID_SIZE;
    gpu_edid_make(out->edid, g->width, g->height);
    return sizeof(*out);
}

/* --- the cursor --- */

static uint32_t cursor(struct gpu *g, const struct command *cmd, bool update)
{
    struct cursor c;
    struct gpu_resource *r;

    if (!take(cmd, &c, sizeof(c)))
        return GPU_ERR_INVALID_PARAMETER;
    if (c.scanout)
        return GPU_ERR_INVALID_SCANOUT_ID;
    if (update && !c.resource) {
        g->ops->cursor(g, NULL, 0, 0);
    } else if (update) {
        r = gpu_resource_find(&g->table, c.resource);
        if (!r)
            return GPU_ERR_INVALID_RESOURCE_ID;
        if (r->width != GPU_CURSOR_SIDE || r->height != GPU_CURSOR_SIDE ||
            c.hot_x >= GPU_CURSOR_SIDE || c.hot_y >= GPU_CURSOR_SIDE)
            return GPU_ERR_INVALID_PARAMETER;
        g->ops->cursor(g, r->pixels, c.hot_x, c.hot_y);
    }
    g->ops->cursor_move(g, c.x, c.y);
    return GPU_OK_NODATA;
}

/* --- all of them --- */

static uint32_t run(struct gpu *g, const struct command *cmd, uint32_t type)
{
    switch (type) {
    case GPU_RESOURCE_CREATE_2D:
        return create_2d(g, cmd);
    case GPU_RESOURCE_UNREF:
        return unref(g, cmd);
    case GPU_SET_SCANOUT:
        return set_scanout(g, cmd);
    case GPU_RESOURCE_FLUSH:
        return flush(g, cmd);
    case GPU_TRANSFER_TO_HOST_2D:
        return transfer(g, cmd);
    case GPU_RESOURCE_ATTACH_BACKING:
        return attach(g, cmd);
    case GPU_RESOURCE_DETACH_BACKING:
        return detach(g, cmd);
    case GPU_GET_CAPSET_INFO:
    case GPU_GET_CAPSET: /* there are none */
        return GPU_ERR_INVALID_PARAMETER;
    case GPU_UPDATE_CURSOR:
    case GPU_MOVE_CURSOR:
        return cursor(g, cmd, type == GPU_UPDATE_CURSOR);
    default:
        return GPU_ERR_UNSPEC;
    }
}

size_t gpu_execute(struct gpu *g, const struct gpu_request *rq, void *answer)
{
    struct gpu_header asked = {0}, *out = answer;
    size_t size = sizeof(*out);
    struct command cmd;

    g->commands++;
    if (!command_read(&cmd, rq) || !take(&cmd, &asked, sizeof(asked))) {
        *out = (struct gpu_header){.type = GPU_ERR_UNSPEC};
    } else if (asked.type == GPU_GET_DISPLAY_INFO) {
        size = display_info(g, answer);
    } else if (asked.type == GPU_GET_EDID) {
        size = edid(g, &cmd, answer);
    } else {
        *out = (struct gpu_header){.type = run(g, &cmd, asked.type)};
    }
    g->errors += out->type >= GPU_ERR_UNSPEC;
    /* 5.7.6.7: all is done by now, so the fence is too. */
    if (asked.flags & GPU_FLAG_FENCE) {
        out->flags = GPU_FLAG_FENCE;
        out->fence = asked.fence;
        out->context = asked.context;
    }
    return size;
}

void gpu_init(struct gpu *g, const struct gpu_ops *ops, struct guest_memory *m,
              uint64_t memory_limit)
{
    *g = (struct gpu){.ops = ops, .memory = m};
    gpu_table_init(&g->table, memory_limit);
}

void gpu_reset(struct gpu *g)
{
    scanout_off(g);
    g->ops->cursor(g, NULL, 0, 0);
    gpu_table_clear(&g->table);
}
