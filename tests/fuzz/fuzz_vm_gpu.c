/* sources: vmm/devices/gpu.c vmm/devices/gpu_resource.c
   vmm/devices/gpu_format.c vmm/devices/gpu_edid.c vmm/guest_memory.c
   vmm/nested.c */
/*
 * A virtio-gpu with a hostile driver: the input is a list of commands, each a
 * length and its bytes. Whatever they say, memory stays below the limit, what
 * is shown is a living resource, a damage is inside of it, and a reset gives
 * all back.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/vm_host.h"
#include "vmm/devices/gpu.h"

#define RAM   (UINT64_C(1) << 20)
#define LIMIT (UINT64_C(4) << 20)
#define PART  128 /* bytes of a command, at most */

static struct gpu gpu;
static uint32_t *shown;
static uint32_t width, height, stride;
static bool writing;
static volatile uint32_t sum; /* of what was read, so that it is */

static void on_scanout(struct gpu *g, uint32_t *pixels, uint32_t w, uint32_t h,
                       uint32_t s)
{
    (void)g;
    shown = pixels;
    width = w;
    height = h;
    stride = s;
    FUZZ_CHECK(!pixels || (w && h && w <= s));
}

static void on_begin(struct gpu *g)
{
    FUZZ_CHECK(g->scanout && !writing);
    writing = true;
}

static void on_end(struct gpu *g)
{
    FUZZ_CHECK(g->scanout && writing);
    writing = false;
}

/* Every pixel of it is there to be read. */
static void on_flush(struct gpu *g, const struct gpu_rect *r)
{
    (void)g;
    FUZZ_CHECK(shown && r->width && r->height);
    FUZZ_CHECK(r->x + r->width <= width && r->y + r->height <= height);
    sum += shown[(size_t)r->y * stride + r->x];
    sum += shown[(size_t)(r->y + r->height - 1) * stride + r->x + r->width - 1];
}

static void on_cursor(struct gpu *g, const uint32_t *argb, uint32_t hot_x,
                      uint32_t hot_y)
{
    (void)g;
    if (argb)
        for (int i = 0; i < GPU_CURSOR_SIDE * GPU_CURSOR_SIDE; i++)
            sum += argb[i];
    FUZZ_CHECK(hot_x < GPU_CURSOR_SIDE && hot_y < GPU_CURSOR_SIDE);
}

static void on_cursor_move(struct gpu *g, uint32_t x, uint32_t y)
{
    (void)g, (void)x, (void)y;
}

static const struct gpu_ops ops = {on_scanout, on_begin,  on_end,
                                   on_flush,   on_cursor, on_cursor_move};

static int read_bytes(const struct gpu_request *rq, uint32_t offset, void *out,
                      size_t n)
{
    FUZZ_CHECK(offset <= rq->size && n <= rq->size - offset);
    memcpy(out, (const uint8_t *)rq->arg + offset, n);
    return 0;
}

/* Short inputs say much: types and ids are made small. */
static void command(struct fuzz_input *in)
{
    static const uint16_t types[] = {GPU_RESOURCE_CREATE_2D,
                                     GPU_RESOURCE_UNREF,
                                     GPU_SET_SCANOUT,
                                     GPU_RESOURCE_FLUSH,
                                     GPU_TRANSFER_TO_HOST_2D,
                                     GPU_RESOURCE_ATTACH_BACKING,
                                     GPU_RESOURCE_DETACH_BACKING,
                                     GPU_GET_EDID,
                                     GPU_UPDATE_CURSOR,
                                     GPU_MOVE_CURSOR,
                                     GPU_GET_DISPLAY_INFO,
                                     0xffff};
    uint8_t choice = fuzz_byte(in);
    size_t size = fuzz_byte(in) % PART;
    uint8_t *bytes = calloc(1, size + 1), *copy, answer[GPU_RESPONSE_MAX];
    struct gpu_request rq = {(uint32_t)size, read_bytes, NULL};
    struct gpu_header h = {.type = types[choice % ARRAY_SIZE(types)]};
    size_t n;

    memcpy(bytes, &h, size < sizeof(h) ? size : sizeof(h));
    if (size > sizeof(h))
        fuzz_take(in, bytes + sizeof(h), size - sizeof(h));
    copy = fuzz_copy(bytes, size);
    rq.arg = copy;
    n = gpu_execute(&gpu, &rq, answer);
    FUZZ_CHECK(n >= sizeof(h) && n <= sizeof(answer));
    FUZZ_CHECK(!writing && gpu.table.used <= gpu.table.limit);
    FUZZ_CHECK(!gpu.scanout == !shown);
    FUZZ_CHECK(!gpu.scanout ||
               gpu_resource_find(&gpu.table, gpu.scanout->id) == gpu.scanout);
    free(copy);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct guest_memory *m = NULL;
    int blocks = vm_host_blocks;

    vm_host_large = fuzz_byte(&in) % 2;
    FUZZ_CHECK(guest_memory_create(RAM, &m) == 0);
    gpu_init(&gpu, &ops, m, LIMIT);
    while (in.left)
        command(&in);
    gpu_reset(&gpu);
    FUZZ_CHECK(!shown && !gpu.table.used && !gpu.table.count);
    guest_memory_destroy(m);
    FUZZ_CHECK(vm_host_blocks == blocks);
    return 0;
}
