/* sources: vmm/devices/virtio_mmio.c vmm/devices/virtio_queue.c */
/*
 * The registers of a virtio device under any accesses, with a model that takes
 * whatever its queues have. Status bits are only those of the specification,
 * nothing runs before DRIVER_OK, a reset makes the device new, and the line is
 * up exactly while an interrupt is pending.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/virtio_mmio_host.h"

#define STATUS 0x70u
#define ISR    0x60u

static uint32_t reg(uint32_t offset)
{
    uint64_t value = 0;

    host_read(offset, 4, &value);
    return (uint32_t)value;
}

static void check(void)
{
    FUZZ_CHECK(!(host_device.status & ~0xcfu));
    FUZZ_CHECK(host_line == (reg(ISR) != 0));
    if (!host_device.status)
        for (unsigned i = 0; i < HOST_QUEUES; i++)
            FUZZ_CHECK(!host_device.queues[i].notifications || host_notified);
    FUZZ_CHECK(!host_wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct {
        uint8_t what, offset;
        uint32_t value;
    } step;

    host_begin();
    while (in.left) {
        uint64_t value;

        fuzz_take(&in, &step, sizeof(step));
        switch (step.what % 4) {
        case 0:
            host_read(step.offset * 2u, 1u << step.what / 4 % 4, &value);
            break;
        case 1: /* RAM: rings, descriptors */
            memcpy(driver_memory.ram + step.offset * 64u, &step.value,
                   sizeof(step.value));
            break;
        case 2: /* any access */
            host_write(step.offset * 2u, 1u << step.what / 4 % 4, step.value);
            break;
        case 3: /* a register, with small values */
            host_write(step.offset % 64 * 4u, 4, step.value & 0x3ff);
            break;
        }
        check();
    }
    host_write(STATUS, 4, 0);
    FUZZ_CHECK(host_device.status == 0 && !host_line);
    host_end();
    return 0;
}
