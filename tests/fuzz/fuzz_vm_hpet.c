/* sources: vmm/devices/hpet.c */
/*
 * A guest's HPET under any accesses at any times: it has the host's timers come
 * in the future, and not more often than its shortest period allows; it raises
 * and lowers its own lines only, and none stays up that was answered.
 */
#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/vm_device_host.h"

#define STATUS      0x20
#define COMPARATORS 3
#define PERIOD_MIN  (20 * NS_PER_US)
#define PASS_MAX    NS_PER_MS

static void pass(uint32_t much)
{
    nstime_t ns = much % PASS_MAX;
    unsigned most = COMPARATORS * ((unsigned)(ns / PERIOD_MIN) + 2);

    FUZZ_CHECK(host_pass(ns, most + 1) <= most);
}

static void check(void)
{
    for (unsigned i = 0; i < HOST_TIMERS; i++)
        FUZZ_CHECK(!host_timers[i] || host_timers[i]->deadline > host_now);
    FUZZ_CHECK(!host_strange);
    for (unsigned i = 0; i < 16; i++)
        FUZZ_CHECK(!host_line[i] && !host_rises[i]);
}

static void step(struct fuzz_input *in)
{
    static const uint8_t sizes[] = {1, 2, 4, 8};
    uint8_t what = fuzz_byte(in);
    unsigned size = sizes[what >> 2 & 3];
    uint64_t offset = fuzz_byte(in) % 0x60u * 4, value = 0;

    switch (what % 4) {
    case 0:
        host_read(offset, size);
        break;
    case 1:
        fuzz_take(in, &value, 1u << (what >> 4 & 3));
        host_write(offset, size, value);
        break;
    case 2:
        fuzz_take(in, &value, 3);
        pass((uint32_t)value);
        break;
    case 3:
        if (what < 0xf0)
            host_device->ops->pause(host_device, what & 0x10);
        else
            host_device->ops->reset(host_device);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};

    host_begin();
    while (in.left) {
        step(&in);
        check();
    }
    host_device->ops->pause(host_device, true);
    host_write(STATUS, 8, UINT64_MAX);
    for (unsigned i = 0; i < HOST_GSIS; i++)
        FUZZ_CHECK(!host_line[i]);
    host_end();
    return 0;
}
