/* sources: vmm/devices/virtio_rng.c vmm/devices/virtio_queue.c */
/* A guest's source of random bytes, with a driver on the other side. */
#include "virtio_driver.h"

#include <rayos/mm.h>
#include <rayos/random.h>

#include "vmm/vm.h"

#define BUFFER  UINT64_C(0x10000) /* in the guest's memory */
#define AT_ONCE 4096u             /* bytes of one buffer at most */
#define RANDOM  0x5a
#define ENDLESS 1000 /* buffers */

extern const struct vm_device_type __start_rayos_vm_devices[];

static struct virtio_device *device;
static struct driver_queue queue;
static struct vm vm;
static unsigned bytes_made, refill;
static int blocks;

void *kzalloc(size_t size)
{
    blocks++;
    return calloc(1, size);
}

void kfree(void *p)
{
    blocks -= p != NULL;
    free(p);
}

void virtio_device_init(struct virtio_device *d, const struct virtio_model *m,
                        struct vm *owner, void *state)
{
    *d = (struct virtio_device){.model = m,
                                .vm = owner,
                                .state = state,
                                .memory = &driver_memory,
                                .interrupt = driver_interrupt};
}

int virtio_mmio_attach(struct vm *owner, struct virtio_device *d)
{
    (void)owner;
    device = d;
    return 0;
}

static void offer(uint32_t size)
{
    driver_describe(&queue, 0, BUFFER, size, DRIVER_WRITE, 0);
    driver_offer(&queue, 0);
}

/* A second CPU of the guest refills the queue while its first is served. */
void random_bytes(void *out, size_t size)
{
    memset(out, RANDOM, size);
    bytes_made += size;
    if (!refill)
        return;
    offer(1);
    if (--refill == ENDLESS / 2)
        vm.end_reason = VM_END_KILLED;
}

static void begin(void)
{
    vm = (struct vm){.config.has_rng = true};
    bytes_made = refill = 0;
    memset(&driver_memory, 0, sizeof(driver_memory));
    CHECK_EQ(__start_rayos_vm_devices[0].create(&vm), 0);
    queue = driver_queue_make(device, 0);
    device->status = VIRTIO_STATUS_DRIVER_OK;
}

static void end(void)
{
    device->model->destroy(device);
    CHECK_EQ(blocks, 0);
}

/* What the device has written, -1: it gave nothing back. */
static int serve(void)
{
    uint32_t id, length;

    device->model->notify(device, queue.q);
    return driver_take(&queue, &id, &length) ? (int)length : -1;
}

TEST(a_buffer_is_filled)
{
    begin();
    offer(1000);
    CHECK_EQ(serve(), 1000);
    CHECK_EQ(driver_memory.ram[BUFFER], RANDOM);
    CHECK_EQ(driver_memory.ram[BUFFER + 999], RANDOM);
    CHECK_EQ(driver_memory.ram[BUFFER + 1000], 0);
    CHECK_EQ(serve(), -1);
    end();
}

TEST(a_large_buffer_gets_a_part)
{
    begin();
    offer(3 * AT_ONCE);
    CHECK_EQ(serve(), AT_ONCE);
    CHECK_EQ(bytes_made, AT_ONCE);
    end();
}

TEST(a_buffer_outside_of_ram_breaks_the_device)
{
    begin();
    driver_describe(&queue, 0, DRIVER_RAM - 100, 1000, DRIVER_WRITE, 0);
    driver_offer(&queue, 0);
    serve();
    CHECK(device->status & VIRTIO_STATUS_NEEDS_RESET);
    CHECK_STR(device->broken, "a buffer is not in RAM");
    end();
}

TEST(a_guest_that_asks_for_ever_does_not_outlive_its_vm)
{
    begin();
    refill = ENDLESS;
    offer(1);
    serve();
    CHECK(refill >= ENDLESS / 2 - 1);
    end();
}

CHECK_MAIN
