/* sources: vmm/devices/virtio_mmio.c vmm/devices/virtio_queue.c */
/* The registers of a virtio device: negotiation, queues, interrupts, reset. */
#include "virtio_mmio_host.h"

enum {
    FEATURES = 0x10,
    FEATURES_SEL = 0x14,
    DRIVER_FEATURES = 0x20,
    DRIVER_SEL = 0x24,
    QUEUE_SEL = 0x30,
    QUEUE_MAX = 0x34,
    QUEUE_SIZE = 0x38,
    QUEUE_READY = 0x44,
    NOTIFY = 0x50,
    ISR = 0x60,
    ACK = 0x64,
    STATUS = 0x70,
    DESCRIPTORS = 0x80,
    DRIVER_AREA = 0x90,
    DEVICE_AREA = 0xa0,
    CONFIG = 0x100
};

#define NEEDS_RESET 0x40u

static uint32_t in(uint32_t offset)
{
    uint64_t value = 0;

    host_read(offset, 4, &value);
    return (uint32_t)value;
}

static void out(uint32_t offset, uint32_t value)
{
    host_write(offset, 4, value);
}

/* To FEATURES_OK; the status after it. */
static uint32_t agree(uint32_t low, uint32_t high)
{
    out(STATUS, 0);
    out(STATUS, 1);
    out(STATUS, 3);
    out(DRIVER_SEL, 0);
    out(DRIVER_FEATURES, low);
    out(DRIVER_SEL, 1);
    out(DRIVER_FEATURES, high);
    out(STATUS, 11);
    return in(STATUS);
}

static void set_queue(uint32_t i, uint32_t size, uint32_t at)
{
    out(QUEUE_SEL, i);
    out(QUEUE_SIZE, size);
    out(DESCRIPTORS, at);
    out(DRIVER_AREA, at + 0x400);
    out(DEVICE_AREA, at + 0x800);
    out(QUEUE_READY, 1);
}

TEST(it_says_what_it_is)
{
    uint64_t value;

    host_begin();
    CHECK_EQ(in(0), 0x74726976);
    CHECK_EQ(in(4), 2);
    CHECK_EQ(in(8), 42);
    CHECK_EQ(in(FEATURES)&1, 1);
    out(FEATURES_SEL, 1);
    CHECK_EQ(in(FEATURES), 1); /* VERSION_1 */
    out(FEATURES_SEL, 2);
    CHECK_EQ(in(FEATURES), 0);
    CHECK_EQ(in(0xb0), UINT32_MAX);
    host_read(0, 2, &value);
    CHECK_EQ(value, 0); /* words only */
    host_read(CONFIG + 2, 2, &value);
    CHECK_EQ(value, 'n' | 'f' << 8);
    host_read(CONFIG + 4, 4, &value);
    CHECK_EQ(value, 0); /* crosses its end */
    host_end();
}

TEST(features_are_agreed_or_refused)
{
    host_begin();
    CHECK_EQ(agree(1, 1), 11);
    CHECK_EQ(agree(2, 1), 3);
    CHECK_EQ(agree(1, 0), 3);
    out(STATUS, 15);
    CHECK_EQ(in(STATUS), 3); /* not without FEATURES_OK */
    CHECK_EQ(host_activations, 0);
    CHECK_EQ(agree(0, 1), 11);
    out(DRIVER_FEATURES, 0xff); /* too late */
    out(STATUS, 15);
    CHECK_EQ(in(STATUS), 15);
    CHECK_EQ(host_activations, 1);
    CHECK(!host_wrong);
    host_end();
}

TEST(a_queue_works_once_it_is_ready_and_the_driver_too)
{
    struct driver_queue r;

    host_begin();
    r = driver_queue_make(&host_device, 0);
    r.q->ready = false;
    driver_describe(&r, 0, 0x8000, 16, DRIVER_WRITE, 0);
    driver_offer(&r, 0);
    agree(0, 1);
    set_queue(0, 8, 0x1000);
    CHECK_EQ(in(QUEUE_READY), 1);
    out(NOTIFY, 0);
    CHECK_EQ(host_notified, 0);
    out(STATUS, 15);
    out(NOTIFY, 0);
    out(NOTIFY, 1); /* not ready */
    out(NOTIFY, 2); /* not there */
    CHECK_EQ(host_notified, 1);
    CHECK_EQ(r.used->index, 1);
    CHECK_EQ(r.used->ring[0].length, 16);
    CHECK(host_line && in(ISR) == 1);
    out(ACK, 1);
    CHECK(!host_line && in(ISR) == 0);
    CHECK(!host_wrong);
    host_end();
}

TEST(wrong_queues_break_the_device)
{
    host_begin();
    agree(0, 1);
    set_queue(0, 7, 0x1000);
    CHECK(in(STATUS)&NEEDS_RESET);
    agree(0, 1);
    set_queue(0, 16, 0x1000);
    CHECK(in(STATUS)&NEEDS_RESET);
    agree(0, 1);
    set_queue(1, 8, 0x1002);
    CHECK(in(STATUS)&NEEDS_RESET);
    agree(0, 1);
    CHECK_EQ(in(STATUS), 11);
    set_queue(0, 8, 0x1000);
    out(QUEUE_SIZE, 4); /* too late */
    CHECK_EQ(host_device.queues[0].size, 8);
    out(QUEUE_READY, 0); /* before it works, it may be taken back */
    CHECK_EQ(in(QUEUE_READY), 0);
    CHECK_EQ(in(STATUS), 11);
    out(QUEUE_READY, 1);
    out(STATUS, 15);
    out(QUEUE_READY, 0);
    CHECK(in(STATUS)&NEEDS_RESET);
    CHECK(strstr(host_device.broken, "without a reset"));
    host_end();
}

TEST(a_reset_makes_it_new)
{
    host_begin();
    agree(1, 1);
    set_queue(0, 8, 0x1000);
    out(STATUS, 15);
    host_device.interrupt(&host_device, VIRTIO_INTERRUPT_CONFIG);
    CHECK(host_line);
    out(STATUS, 0);
    CHECK_EQ(in(STATUS), 0);
    CHECK(!host_line && in(ISR) == 0);
    CHECK_EQ(in(QUEUE_READY), 0);
    CHECK_EQ(host_device.features, 0);
    CHECK(!host_wrong);
    host_end();
}

CHECK_MAIN
