/* sources: vmm/devices/virtio_gpu.c vmm/devices/gpu.c
   vmm/devices/gpu_resource.c vmm/devices/gpu_format.c vmm/devices/gpu_edid.c
   vmm/devices/virtio_queue.c */
/* A virtio-gpu with a driver on the other side: rings, answers, and how it is
 * told that its display has another size. */
#include "virtio_driver.h"

#include <rayos/mm.h>

#include "vmm/devices/virtio_gpu.h"
#include "vmm/vm.h"

#define REQUEST 0x10000 /* in the guest's memory */
#define ANSWER  0x20000
#define PIXELS  0x40000

static struct virtio_gpu *v;
static struct virtio_device *device;
static struct driver_queue control, cursor;
static struct gpu_rect flushed;
static unsigned flushes, locked;
static uint32_t *shown;

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

void *kspace_alloc(size_t size, enum kspace_prot prot)
{
    (void)prot;
    return calloc(1, size);
}

void kspace_free(void *p)
{
    free(p);
}

void mutex_init(struct mutex *m)
{
    (void)m;
}

void mutex_lock(struct mutex *m)
{
    (void)m;
    CHECK_EQ(locked++, 0);
}

void mutex_unlock(struct mutex *m)
{
    (void)m;
    locked--;
}

void *guest_span(struct guest_memory *m, gpa_t gpa, size_t n, size_t *got)
{
    *got = gpa < DRIVER_RAM && n > DRIVER_RAM - gpa ? DRIVER_RAM - gpa : n;
    return gpa < DRIVER_RAM ? m->ram + gpa : NULL;
}

void virtio_device_init(struct virtio_device *d, const struct virtio_model *m,
                        struct vm *vm, void *state)
{
    *d = (struct virtio_device){.model = m,
                                .vm = vm,
                                .state = state,
                                .memory = &driver_memory,
                                .interrupt = driver_interrupt};
}

int virtio_mmio_attach(struct vm *vm, struct virtio_device *d)
{
    (void)vm, (void)d;
    return -ENOSPC;
}

static void on_scanout(struct gpu *g, uint32_t *pixels, uint32_t width,
                       uint32_t height, uint32_t stride)
{
    (void)width, (void)height, (void)stride;
    CHECK(g->arg == &flushed);
    shown = pixels;
}

static void ignore(struct gpu *g)
{
    (void)g;
}

static void on_flush(struct gpu *g, const struct gpu_rect *r)
{
    (void)g;
    flushed = *r;
    flushes++;
}

static void on_cursor(struct gpu *g, const uint32_t *argb, uint32_t x,
                      uint32_t y)
{
    (void)g, (void)argb, (void)x, (void)y;
}

static void on_cursor_move(struct gpu *g, uint32_t x, uint32_t y)
{
    (void)g, (void)x, (void)y;
}

static const struct gpu_ops ops = {on_scanout, ignore,    ignore,
                                   on_flush,   on_cursor, on_cursor_move};

static void begin(void)
{
    memset(driver_interrupts, 0, sizeof(driver_interrupts));
    flushes = 0;
    v = virtio_gpu_new(NULL, 640, 480, &ops, &flushed);
    device = virtio_gpu_device(v);
    control = driver_queue_make(device, 0);
    cursor = driver_queue_make(device, 1);
    device->status |= VIRTIO_STATUS_DRIVER_OK;
}

static void end(void)
{
    device->model->reset(device);
    CHECK(!shown);
    device->model->destroy(device);
}

/* Put a request of those words into the ring, with room for an answer. */
static void offer(struct driver_queue *q, unsigned i, const uint32_t *words,
                  uint32_t count, uint32_t room)
{
    gpa_t at = REQUEST + i * 0x100, to = ANSWER + i * 0x800;

    memcpy(driver_memory.ram + at, words, count * 4);
    driver_describe(q, 2 * i, at, count * 4, room ? DRIVER_NEXT : 0, 2 * i + 1);
    driver_describe(q, 2 * i + 1, to, room, DRIVER_WRITE, 0);
    driver_offer(q, 2 * i);
}

static uint32_t answer_type(unsigned i)
{
    uint32_t type;

    memcpy(&type, driver_memory.ram + ANSWER + i * 0x800, 4);
    return type;
}

#define COMMAND(...) ((const uint32_t[]){__VA_ARGS__})
#define COUNT(...)   (sizeof(COMMAND(__VA_ARGS__)) / 4)
#define OFFER(q, i, room, ...) \
    offer(q, i, COMMAND(__VA_ARGS__), COUNT(__VA_ARGS__), room)

TEST(several_commands_are_done_with_one_interrupt)
{
    uint32_t id, length, pixel = 0x00123456;

    begin();
    memcpy(driver_memory.ram + PIXELS, &pixel, 4);
    OFFER(&control, 0, 24, GPU_RESOURCE_CREATE_2D, 0, 0, 0, 0, 0, 1,
          GPU_B8G8R8X8, 16, 16);
    OFFER(&control, 1, 24, GPU_RESOURCE_ATTACH_BACKING, 0, 0, 0, 0, 0, 1, 1,
          PIXELS, 0, 1024, 0);
    OFFER(&control, 2, 24, GPU_SET_SCANOUT, 0, 0, 0, 0, 0, 0, 0, 16, 16, 0, 1);
    OFFER(&control, 3, 24, GPU_TRANSFER_TO_HOST_2D, 0, 0, 0, 0, 0, 0, 0, 16, 16,
          0, 0, 1, 0);
    device->model->notify(device, control.q);
    for (unsigned i = 0; i < 4; i++) {
        CHECK_EQ(answer_type(i), GPU_OK_NODATA);
        CHECK(driver_take(&control, &id, &length));
        CHECK_EQ(id, 2 * i);
        CHECK_EQ(length, 24);
    }
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_USED], 1);
    CHECK(shown && shown[0] == 0xff123456);
    OFFER(&control, 0, 24, GPU_RESOURCE_FLUSH, 0, 0, 0, 0, 0, 2, 3, 4, 5, 1, 0);
    device->model->notify(device, control.q);
    CHECK_EQ(flushes, 1);
    CHECK_EQ(flushed.x, 2);
    CHECK_EQ(flushed.height, 5);
    end();
}

TEST(an_answer_is_cut_where_its_buffer_ends)
{
    uint32_t id, length;

    begin();
    memset(driver_memory.ram + ANSWER, 0xee, 0x1000);
    OFFER(&control, 0, 30, GPU_GET_DISPLAY_INFO, 0, 0, 0, 0, 0);
    OFFER(&control, 1, 23, GPU_GET_DISPLAY_INFO, 0, 0, 0, 0, 0);
    device->model->notify(device, control.q);
    CHECK(driver_take(&control, &id, &length));
    CHECK_EQ(length, 30);
    CHECK_EQ(answer_type(0), GPU_OK_DISPLAY_INFO);
    CHECK_EQ(driver_memory.ram[ANSWER + 30], 0xee);
    CHECK(driver_take(&control, &id, &length));
    CHECK_EQ(length, 0);
    CHECK_EQ(driver_memory.ram[ANSWER + 0x800], 0xee);
    end();
}

TEST(cursor_commands_need_no_answer)
{
    uint32_t id, length = 1;

    begin();
    OFFER(&cursor, 0, 0, GPU_MOVE_CURSOR, 0, 0, 0, 0, 0, 0, 5, 6, 0, 0, 0, 0,
          0);
    device->model->notify(device, cursor.q);
    CHECK(driver_take(&cursor, &id, &length));
    CHECK_EQ(length, 0);
    CHECK(!(device->status & VIRTIO_STATUS_NEEDS_RESET));
    end();
}

TEST(an_answer_that_is_no_memory_breaks_the_device)
{
    begin();
    OFFER(&control, 0, 24, GPU_GET_DISPLAY_INFO, 0, 0, 0, 0, 0);
    control.table[1].address = DRIVER_RAM;
    device->model->notify(device, control.q);
    CHECK(device->status & VIRTIO_STATUS_NEEDS_RESET);
    end();
}

static uint32_t config_word(uint32_t offset)
{
    uint32_t word;

    device->model->config_read(device, offset, &word, 4);
    return word;
}

TEST(a_new_size_is_told_and_cleared)
{
    const uint32_t clear = 1;
    uint32_t rect[4];

    begin();
    CHECK_EQ(config_word(0), 0);
    CHECK_EQ(config_word(8), 1); /* scanouts */
    CHECK_EQ(config_word(12), 0);
    virtio_gpu_resize(v, 640, 480); /* as it is */
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_CONFIG], 0);
    virtio_gpu_resize(v, 1000, 700);
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_CONFIG], 1);
    CHECK_EQ(config_word(0), 1);
    OFFER(&control, 0, 408, GPU_GET_DISPLAY_INFO, 0, 0, 0, 0, 0);
    device->model->notify(device, control.q);
    memcpy(rect, driver_memory.ram + ANSWER + 24, sizeof(rect));
    CHECK_EQ(rect[2], 1000);
    CHECK_EQ(rect[3], 700);
    device->model->config_write(device, 0, &clear, 4); /* read only */
    CHECK_EQ(config_word(0), 1);
    device->model->config_write(device, 4, &clear, 4);
    CHECK_EQ(config_word(0), 0);
    end();
}

CHECK_MAIN
