/* sources: vmm/devices/gpu.c vmm/devices/gpu_resource.c
   vmm/devices/gpu_format.c vmm/devices/gpu_edid.c vmm/guest_memory.c
   vmm/nested.c */
/* The commands of a 2D virtio-gpu, their errors, and every pixel. */
#include "check.h"

#include "vmm/devices/gpu.h"
#include "vmm/devices/gpu_edid.h"

#include "vm_host.h"

#define MIB    (UINT64_C(1) << 20)
#define RAM    (4 * MIB)
#define LIMIT  (8 * MIB)
#define NO_RAM (64 * MIB)

static struct gpu gpu;
static struct guest_memory *ram;
static int before;
static uint8_t answer[GPU_RESPONSE_MAX];

/* What the operations were last called with. */
static struct {
    uint32_t *pixels;
    uint32_t width, height, stride;
    unsigned scanouts, flushes, writes;
    bool writing;
    struct gpu_rect flushed;
    const uint32_t *cursor;
    uint32_t hot_x, hot_y, x, y;
} seen;

static void on_scanout(struct gpu *g, uint32_t *pixels, uint32_t width,
                       uint32_t height, uint32_t stride)
{
    (void)g;
    seen.pixels = pixels;
    seen.width = width;
    seen.height = height;
    seen.stride = stride;
    seen.scanouts++;
}

static void on_begin(struct gpu *g)
{
    (void)g;
    CHECK(!seen.writing);
    seen.writing = true;
    seen.writes++;
}

static void on_end(struct gpu *g)
{
    (void)g;
    CHECK(seen.writing);
    seen.writing = false;
}

static void on_flush(struct gpu *g, const struct gpu_rect *r)
{
    (void)g;
    seen.flushed = *r;
    seen.flushes++;
}

static void on_cursor(struct gpu *g, const uint32_t *argb, uint32_t hot_x,
                      uint32_t hot_y)
{
    (void)g;
    seen.cursor = argb;
    seen.hot_x = hot_x;
    seen.hot_y = hot_y;
}

static void on_cursor_move(struct gpu *g, uint32_t x, uint32_t y)
{
    (void)g;
    seen.x = x;
    seen.y = y;
}

static const struct gpu_ops ops = {
    .scanout = on_scanout,
    .begin = on_begin,
    .end = on_end,
    .flush = on_flush,
    .cursor = on_cursor,
    .cursor_move = on_cursor_move,
};

static int read_bytes(const struct gpu_request *rq, uint32_t offset, void *out,
                      size_t n)
{
    CHECK(offset <= rq->size && n <= rq->size - offset);
    memcpy(out, (const uint8_t *)rq->arg + offset, n);
    return 0;
}

static uint32_t send(const void *data, size_t size)
{
    void *copy = malloc(size ? size : 1);
    struct gpu_request rq = {(uint32_t)size, read_bytes, copy};
    struct gpu_header h;
    size_t n;

    memcpy(copy, data, size);
    memset(answer, 0xee, sizeof(answer));
    n = gpu_execute(&gpu, &rq, answer);
    CHECK(n >= sizeof(h) && n <= sizeof(answer));
    memcpy(&h, answer, sizeof(h));
    free(copy);
    return h.type;
}

/* A header and words behind it. */
#define COMMAND(type, ...)                                             \
    ({                                                                 \
        uint32_t command_words[] = {type, 0, 0, 0, 0, 0, __VA_ARGS__}; \
        send(command_words, sizeof(command_words));                    \
    })
#define CREATE(id, format, w, h) \
    COMMAND(GPU_RESOURCE_CREATE_2D, id, format, w, h)
#define SCANOUT(id, x, y, w, h) COMMAND(GPU_SET_SCANOUT, x, y, w, h, 0, id)
#define FLUSH(id, x, y, w, h)   COMMAND(GPU_RESOURCE_FLUSH, x, y, w, h, id, 0)
#define TRANSFER(id, x, y, w, h, offset) \
    COMMAND(GPU_TRANSFER_TO_HOST_2D, x, y, w, h, offset, 0, id, 0)
#define ATTACH(id, address, length) \
    COMMAND(GPU_RESOURCE_ATTACH_BACKING, id, 1, address, 0, length, 0)
#define DETACH(id) COMMAND(GPU_RESOURCE_DETACH_BACKING, id, 0)
#define UNREF(id)  COMMAND(GPU_RESOURCE_UNREF, id, 0)

static void start(void)
{
    before = vm_host_blocks;
    memset(&seen, 0, sizeof(seen));
    CHECK_EQ(guest_memory_create(RAM, &ram), 0);
    gpu_init(&gpu, &ops, ram, LIMIT);
    gpu.width = 800;
    gpu.height = 600;
}

static void stop(void)
{
    gpu_reset(&gpu);
    CHECK(!seen.pixels && !seen.cursor);
    CHECK_EQ(gpu.table.used, 0);
    CHECK_EQ(gpu.table.count, 0);
    guest_memory_destroy(ram);
    CHECK_EQ(vm_host_blocks, before);
}

TEST(resources_are_made_and_refused_as_the_specification_says)
{
    start();
    CHECK_EQ(CREATE(1, GPU_B8G8R8X8, 64, 64), GPU_OK_NODATA);
    CHECK_EQ(CREATE(1, GPU_B8G8R8X8, 64, 64), GPU_ERR_INVALID_RESOURCE_ID);
    CHECK_EQ(CREATE(0, GPU_B8G8R8X8, 64, 64), GPU_ERR_INVALID_RESOURCE_ID);
    CHECK_EQ(CREATE(2, 5, 64, 64), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(CREATE(2, GPU_B8G8R8X8, 0, 64), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(CREATE(2, GPU_B8G8R8X8, 64, 8193), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(CREATE(2, GPU_B8G8R8X8, 8192, 8192), GPU_ERR_OUT_OF_MEMORY);
    CHECK_EQ(CREATE(65, GPU_R8G8B8A8, 1024, 1024), GPU_OK_NODATA);
    CHECK_EQ(UNREF(2), GPU_ERR_INVALID_RESOURCE_ID);
    CHECK_EQ(UNREF(65), GPU_OK_NODATA);
    CHECK_EQ(UNREF(65), GPU_ERR_INVALID_RESOURCE_ID);
    CHECK_EQ(COMMAND(GPU_RESOURCE_CREATE_2D, 9, GPU_B8G8R8X8, 64),
             GPU_ERR_INVALID_PARAMETER);
    vm_host_left = 0;
    CHECK_EQ(CREATE(9, GPU_B8G8R8X8, 64, 64), GPU_ERR_OUT_OF_MEMORY);
    vm_host_left = 1 << 30;
    CHECK_EQ(gpu.table.used, 64 * 64 * 4);
    stop();
}

TEST(total_memory_is_limited_and_comes_back)
{
    start();
    for (int round = 0; round < 3; round++) {
        CHECK_EQ(CREATE(1, GPU_B8G8R8X8, 1024, 1024), GPU_OK_NODATA);
        CHECK_EQ(CREATE(2, GPU_B8G8R8X8, 1024, 1023), GPU_OK_NODATA);
        CHECK_EQ(CREATE(3, GPU_B8G8R8X8, 1024, 2), GPU_ERR_OUT_OF_MEMORY);
        CHECK_EQ(CREATE(3, GPU_B8G8R8X8, 1024, 1), GPU_OK_NODATA);
        CHECK_EQ(ATTACH(1, 0, 4096), GPU_ERR_OUT_OF_MEMORY);
        UNREF(1);
        CHECK_EQ(ATTACH(2, 0, 4096), GPU_OK_NODATA);
        UNREF(2);
        UNREF(3);
        CHECK_EQ(gpu.table.used, 0);
    }
    stop();
}

TEST(unknown_and_short_commands_are_answered_with_errors)
{
    start();
    CHECK_EQ(send("", 0), GPU_ERR_UNSPEC);
    CHECK_EQ(send("\0\1\0", 3), GPU_ERR_UNSPEC);
    CHECK_EQ(COMMAND(0xdead, 0), GPU_ERR_UNSPEC);
    CHECK_EQ(COMMAND(GPU_GET_CAPSET_INFO, 0, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(COMMAND(GPU_SET_SCANOUT, 0, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(COMMAND(GPU_RESOURCE_FLUSH, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(COMMAND(GPU_TRANSFER_TO_HOST_2D, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(COMMAND(GPU_UPDATE_CURSOR, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(gpu.errors, 8);
    stop();
}

TEST(a_fence_is_in_the_answer)
{
    struct gpu_header h = {.type = GPU_GET_DISPLAY_INFO,
                           .flags = GPU_FLAG_FENCE,
                           .fence = 0x123456789abcdef0,
                           .context = 7};

    start();
    CHECK_EQ(send(&h, sizeof(h)), GPU_OK_DISPLAY_INFO);
    memcpy(&h, answer, sizeof(h));
    CHECK_EQ(h.flags, GPU_FLAG_FENCE);
    CHECK(h.fence == 0x123456789abcdef0);
    CHECK_EQ(h.context, 7);
    stop();
}

TEST(display_info_and_edid_tell_the_wanted_size)
{
    uint32_t words[6];
    uint8_t *edid = answer + sizeof(struct gpu_header) + 8, sum = 0;

    start();
    CHECK_EQ(COMMAND(GPU_GET_DISPLAY_INFO, 0), GPU_OK_DISPLAY_INFO);
    memcpy(words, answer + sizeof(struct gpu_header), sizeof(words));
    CHECK_EQ(words[2], 800);
    CHECK_EQ(words[3], 600);
    CHECK_EQ(words[4], 1);
    gpu.width = 1366;
    gpu.height = 768;
    CHECK_EQ(COMMAND(GPU_GET_EDID, 1, 0), GPU_ERR_INVALID_SCANOUT_ID);
    CHECK_EQ(COMMAND(GPU_GET_EDID, 0, 0), GPU_OK_EDID);
    for (int i = 0; i < EDID_SIZE; i++)
        sum = (uint8_t)(sum + edid[i]);
    CHECK_EQ(sum, 0);
    CHECK_EQ(edid[54 + 2] | edid[54 + 4] >> 4 << 8, 1366);
    CHECK_EQ(edid[54 + 5] | edid[54 + 7] >> 4 << 8, 768);
    stop();
}

/* Of all sizes: checksum, sides, and a clock that gives about 60 Hz. */
TEST(every_size_has_a_sound_edid)
{
    for (uint32_t w = 1; w < 5000; w += 37)
        for (uint32_t h = 1; h < 5000; h += 61) {
            uint8_t e[EDID_SIZE], sum = 0, *d = e + 54;
            uint32_t clock, total;

            gpu_edid_make(e, w, h);
            for (int i = 0; i < EDID_SIZE; i++)
                sum = (uint8_t)(sum + e[i]);
            CHECK_EQ(sum, 0);
            clock = (d[0] | d[1] << 8) * 10000u;
            total = ((d[2] | d[4] >> 4 << 8) + (d[3] | (d[4] & 15) << 8)) *
                    ((d[5] | d[7] >> 4 << 8) + (d[6] | (d[7] & 15) << 8));
            CHECK_EQ(d[2] | d[4] >> 4 << 8, w < 4095 ? w : 4095);
            if (clock < 655350000u && total > 100000)
                CHECK(clock / total >= 59 && clock / total <= 60);
        }
}

/* --- transfers --- */

static void fill_ram(void)
{
    for (uint32_t i = 0; i < RAM / 4; i++) {
        uint32_t v = i * 2654435761u;

        guest_write(ram, i * 4, &v, 4);
    }
}

static uint32_t ram_word(gpa_t gpa)
{
    uint32_t v = 0;

    guest_read(ram, gpa, &v, 4);
    return v;
}

TEST(a_transfer_copies_its_rectangle_and_nothing_else)
{
    const uint32_t width = 100, height = 50;
    struct gpu_resource *r;

    start();
    fill_ram();
    CHECK_EQ(CREATE(1, GPU_B8G8R8A8, width, height), GPU_OK_NODATA);
    CHECK_EQ(TRANSFER(1, 0, 0, 1, 1, 0), GPU_ERR_UNSPEC); /* no backing */
    CHECK_EQ(ATTACH(1, 0x1000, width * height * 4), GPU_OK_NODATA);
    CHECK_EQ(ATTACH(1, 0x1000, 4096), GPU_ERR_UNSPEC);
    CHECK_EQ(TRANSFER(1, 10, 20, 30, 5, (20 * width + 10) * 4), GPU_OK_NODATA);
    r = gpu_resource_find(&gpu.table, 1);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            bool in = x >= 10 && x < 40 && y >= 20 && y < 25;
            uint32_t at = y * width + x;

            CHECK_EQ(r->pixels[at], in ? ram_word(0x1000 + at * 4) : 0);
        }
    CHECK_EQ(seen.writes, 0); /* it is not shown */
    CHECK_EQ(DETACH(1), GPU_OK_NODATA);
    CHECK_EQ(DETACH(1), GPU_ERR_UNSPEC);
    stop();
}

TEST(a_transfer_outside_is_refused)
{
    start();
    CREATE(1, GPU_B8G8R8A8, 100, 50);
    ATTACH(1, 0x1000, 100 * 50 * 4);
    CHECK_EQ(TRANSFER(2, 0, 0, 1, 1, 0), GPU_ERR_INVALID_RESOURCE_ID);
    CHECK_EQ(TRANSFER(1, 0, 0, 101, 1, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(TRANSFER(1, 0, 0, 0, 1, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(TRANSFER(1, 1, 0, 0xffffffff, 1, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(TRANSFER(1, 0xffffffff, 0, 2, 1, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(TRANSFER(1, 0, 0, 100, 50, 4), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(TRANSFER(1, 0, 0, 100, 50, 0xfffffffc), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(COMMAND(GPU_TRANSFER_TO_HOST_2D, 0, 0, 1, 1, 0xfffffffc,
                     0xffffffff, 1, 0),
             GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(TRANSFER(1, 0, 0, 100, 50, 0), GPU_OK_NODATA);
    DETACH(1);
    ATTACH(1, NO_RAM, 100 * 50 * 4);
    CHECK_EQ(TRANSFER(1, 0, 0, 1, 1, 0), GPU_ERR_UNSPEC);
    stop();
}

TEST(attaching_checks_what_it_is_given)
{
    start();
    CREATE(1, GPU_B8G8R8A8, 16, 16);
    CHECK_EQ(COMMAND(GPU_RESOURCE_ATTACH_BACKING, 1, 0),
             GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(COMMAND(GPU_RESOURCE_ATTACH_BACKING, 1, 2, 0, 0, 4096, 0),
             GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(COMMAND(GPU_RESOURCE_ATTACH_BACKING, 1, 0xffffffff, 0, 0, 1, 0),
             GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(COMMAND(GPU_RESOURCE_ATTACH_BACKING, 1, 1, 0xfffffff0, 0xffffffff,
                     4096, 0),
             GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(ATTACH(2, 0, 4096), GPU_ERR_INVALID_RESOURCE_ID);
    CHECK_EQ(ATTACH(1, 0, 0), GPU_OK_NODATA); /* of no bytes */
    CHECK_EQ(TRANSFER(1, 0, 0, 1, 1, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(gpu.table.used, 16 * 16 * 4 + sizeof(struct gpu_entry));
    stop();
}

/* The backing in pieces of odd lengths that lie in any order, through frames
 * of 4 KiB, against a plain copy. */
static void scattered(uint32_t format)
{
    enum { WIDTH = 61, HEIGHT = 47, PIECES = 900 };
    static uint32_t words[6 + 2 + PIECES * 4];
    static uint8_t flat[WIDTH * HEIGHT * 4];
    uint32_t *w = words + 8, left = sizeof(flat), made = 0;
    static uint32_t expected[WIDTH * HEIGHT];
    struct gpu_resource *r;

    CHECK_EQ(CREATE(1, format, WIDTH, HEIGHT), GPU_OK_NODATA);
    while (left) {
        uint32_t n = 1 + (uint32_t)rand() % 29, gpa;

        n = n < left && made < PIECES - 1 ? n : left;
        gpa = (uint32_t)rand() % (RAM - n);
        guest_read(ram, gpa, flat + sizeof(flat) - left, n);
        w[4 * made] = gpa;
        w[4 * made + 2] = n;
        left -= n;
        made++;
    }
    words[0] = GPU_RESOURCE_ATTACH_BACKING;
    words[6] = 1;
    words[7] = made;
    CHECK_EQ(send(words, (8 + 4 * (size_t)made) * 4), GPU_OK_NODATA);
    gpu_format_convert((enum gpu_format)format, expected, flat, WIDTH * HEIGHT);
    CHECK_EQ(TRANSFER(1, 0, 0, WIDTH, HEIGHT, 0), GPU_OK_NODATA);
    r = gpu_resource_find(&gpu.table, 1);
    CHECK(memcmp(r->pixels, expected, sizeof(expected)) == 0);
    memset(r->pixels, 0, sizeof(expected));
    CHECK_EQ(TRANSFER(1, 7, 11, 50, 30, (11 * WIDTH + 7) * 4), GPU_OK_NODATA);
    for (uint32_t y = 11; y < 41; y++)
        CHECK(memcmp(r->pixels + y * WIDTH + 7, expected + y * WIDTH + 7,
                     50 * 4) == 0);
    CHECK_EQ(UNREF(1), GPU_OK_NODATA);
}

static void scattered_all(int large_frames)
{
    vm_host_large = large_frames;
    start();
    fill_ram();
    for (int i = 0; i < 20; i++) {
        scattered(GPU_B8G8R8A8);
        scattered(GPU_X8B8G8R8);
    }
    stop();
    vm_host_large = 1 << 30;
}

TEST(a_backing_may_lie_in_any_pieces)
{
    srand(3);
    scattered_all(0);
    scattered_all(2);
}

TEST(all_formats_become_argb)
{
    static const struct {
        enum gpu_format format;
        uint8_t bytes[4];
        uint32_t argb;
    } cases[] = {
        {GPU_B8G8R8A8, {3, 2, 1, 0x80}, 0x80010203},
        {GPU_B8G8R8X8, {3, 2, 1, 0x80}, 0xff010203},
        {GPU_A8R8G8B8, {0x80, 1, 2, 3}, 0x80010203},
        {GPU_X8R8G8B8, {0x80, 1, 2, 3}, 0xff010203},
        {GPU_R8G8B8A8, {1, 2, 3, 0x80}, 0x80010203},
        {GPU_R8G8B8X8, {1, 2, 3, 0x80}, 0xff010203},
        {GPU_A8B8G8R8, {0x80, 3, 2, 1}, 0x80010203},
        {GPU_X8B8G8R8, {0x80, 3, 2, 1}, 0xff010203},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t from[1 + 3 * 4];
        uint32_t to[3];

        for (int k = 0; k < 3; k++)
            memcpy(from + 1 + 4 * k, cases[i].bytes, 4);
        gpu_format_convert(cases[i].format, to, from + 1, 3);
        for (int k = 0; k < 3; k++)
            CHECK_EQ(to[k], cases[i].argb);
        CHECK(gpu_format_known(cases[i].format));
    }
    CHECK(!gpu_format_known(0) && !gpu_format_known(5));
}

/* --- scanout and flush --- */

TEST(a_scanout_shows_a_part_of_a_resource)
{
    struct gpu_resource *r;

    start();
    CREATE(1, GPU_B8G8R8X8, 200, 100);
    r = gpu_resource_find(&gpu.table, 1);
    CHECK_EQ(SCANOUT(1, 50, 20, 100, 60), GPU_OK_NODATA);
    CHECK(seen.pixels == r->pixels + 20 * 200 + 50);
    CHECK_EQ(seen.width, 100);
    CHECK_EQ(seen.height, 60);
    CHECK_EQ(seen.stride, 200);
    CHECK_EQ(FLUSH(1, 40, 10, 20, 20), GPU_OK_NODATA);
    CHECK_EQ(seen.flushed.x, 0);
    CHECK_EQ(seen.flushed.y, 0);
    CHECK_EQ(seen.flushed.width, 10);
    CHECK_EQ(seen.flushed.height, 10);
    CHECK_EQ(FLUSH(1, 0, 0, 50, 100), GPU_OK_NODATA); /* left of it */
    CHECK_EQ(seen.flushes, 1);
    CHECK_EQ(FLUSH(1, 0, 0, 200, 100), GPU_OK_NODATA);
    CHECK_EQ(seen.flushed.width, 100);
    CHECK_EQ(seen.flushed.height, 60);
    CHECK_EQ(FLUSH(1, 0, 0, 201, 100), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(FLUSH(7, 0, 0, 1, 1), GPU_ERR_INVALID_RESOURCE_ID);
    CREATE(2, GPU_B8G8R8X8, 200, 100);
    CHECK_EQ(FLUSH(2, 0, 0, 200, 100), GPU_OK_NODATA); /* not shown */
    CHECK_EQ(seen.flushes, 2);
    ATTACH(1, 0, 200 * 100 * 4);
    TRANSFER(1, 0, 0, 200, 100, 0);
    CHECK_EQ(seen.writes, 1);
    CHECK(!seen.writing);
    stop();
}

TEST(a_scanout_is_disabled_and_refused)
{
    start();
    CREATE(1, GPU_B8G8R8X8, 200, 100);
    CHECK_EQ(SCANOUT(1, 0, 0, 201, 100), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(SCANOUT(1, 0, 0, 0, 0), GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(SCANOUT(9, 0, 0, 1, 1), GPU_ERR_INVALID_RESOURCE_ID);
    CHECK_EQ(COMMAND(GPU_SET_SCANOUT, 0, 0, 1, 1, 1, 1),
             GPU_ERR_INVALID_SCANOUT_ID);
    CHECK_EQ(seen.scanouts, 0);
    CHECK_EQ(SCANOUT(1, 0, 0, 200, 100), GPU_OK_NODATA);
    CHECK(seen.pixels);
    CHECK_EQ(SCANOUT(0, 0, 0, 0, 0), GPU_OK_NODATA);
    CHECK(!seen.pixels);
    CHECK_EQ(SCANOUT(1, 0, 0, 200, 100), GPU_OK_NODATA);
    CHECK_EQ(UNREF(1), GPU_OK_NODATA); /* nobody shows what is gone */
    CHECK(!seen.pixels);
    CHECK(!gpu.scanout);
    stop();
}

#define CURSOR(type, scanout, x, y, id, hot_x, hot_y) \
    COMMAND(type, scanout, x, y, 0, id, hot_x, hot_y, 0)

TEST(the_cursor_has_a_shape_and_a_place)
{
    start();
    CREATE(1, GPU_B8G8R8A8, 64, 64);
    CREATE(2, GPU_B8G8R8A8, 32, 64);
    CHECK_EQ(CURSOR(GPU_UPDATE_CURSOR, 0, 5, 6, 1, 3, 4), GPU_OK_NODATA);
    CHECK(seen.cursor == gpu_resource_find(&gpu.table, 1)->pixels);
    CHECK_EQ(seen.hot_x, 3);
    CHECK_EQ(seen.hot_y, 4);
    CHECK_EQ(CURSOR(GPU_MOVE_CURSOR, 0, 7, 8, 99, 0, 0), GPU_OK_NODATA);
    CHECK_EQ(seen.x, 7);
    CHECK_EQ(seen.y, 8);
    CHECK(seen.cursor);
    CHECK_EQ(CURSOR(GPU_UPDATE_CURSOR, 0, 5, 6, 2, 3, 4),
             GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(CURSOR(GPU_UPDATE_CURSOR, 0, 5, 6, 1, 64, 4),
             GPU_ERR_INVALID_PARAMETER);
    CHECK_EQ(CURSOR(GPU_UPDATE_CURSOR, 0, 5, 6, 9, 3, 4),
             GPU_ERR_INVALID_RESOURCE_ID);
    CHECK_EQ(CURSOR(GPU_UPDATE_CURSOR, 1, 5, 6, 1, 3, 4),
             GPU_ERR_INVALID_SCANOUT_ID);
    CHECK_EQ(CURSOR(GPU_UPDATE_CURSOR, 0, 5, 6, 0, 0, 0), GPU_OK_NODATA);
    CHECK(!seen.cursor);
    stop();
}

CHECK_MAIN
