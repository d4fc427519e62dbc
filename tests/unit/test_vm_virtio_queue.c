/* sources: vmm/devices/virtio_queue.c */
/* Virtqueues, the device's side, against good drivers and bad ones. */
#include "virtio_driver.h"

static struct virtio_device device;
static struct driver_queue r;
static struct virtio_chain chain;

static void begin(uint64_t features)
{
    device = (struct virtio_device){.memory = &driver_memory,
                                    .features = features,
                                    .status = VIRTIO_STATUS_DRIVER_OK,
                                    .interrupt = driver_interrupt};
    memset(driver_interrupts, 0, sizeof(driver_interrupts));
    r = driver_queue_make(&device, 0);
}

/* The driver's mistake is noticed, and nothing is taken any more. */
static void check_broken(const char *why)
{
    CHECK_EQ(virtio_queue_pop(r.q, &chain), -EPROTO);
    CHECK(device.status & VIRTIO_STATUS_NEEDS_RESET);
    if (!strstr(device.broken, why))
        CHECK_FAIL("\"%s\" does not say \"%s\"", device.broken, why);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 0);
    virtio_queue_push(r.q, 0, 1);
    CHECK_EQ(r.used->index, 0);
}

TEST(a_chain_of_readable_and_writable_parts)
{
    char text[8] = "";

    begin(0);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 0);
    driver_describe(&r, 3, 0x8000, 5, DRIVER_NEXT, 1);
    driver_describe(&r, 1, 0x9000, 3, DRIVER_NEXT | DRIVER_WRITE, 7);
    driver_describe(&r, 7, 0xa000, 100, DRIVER_WRITE, 0);
    driver_offer(&r, 3);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
    CHECK_EQ(chain.head, 3);
    CHECK_EQ(chain.readable, 1);
    CHECK_EQ(chain.count, 3);
    CHECK_EQ(chain.read_size, 5);
    CHECK_EQ(chain.write_size, 103);
    memcpy(driver_memory.ram + 0x8000, "hello", 5);
    CHECK_EQ(virtio_chain_read(&device, &chain, 1, text, sizeof(text)), 4);
    CHECK(memcmp(text, "ello", 4) == 0);
    CHECK_EQ(virtio_chain_write(&device, &chain, 1, "world", 5), 5);
    CHECK(memcmp(driver_memory.ram + 0x9001, "wo", 2) == 0);
    CHECK(memcmp(driver_memory.ram + 0xa000, "rld", 3) == 0);
    CHECK_EQ(virtio_chain_write(&device, &chain, 102, "xy", 2), 1);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 0);
}

TEST(what_is_used_is_told_once)
{
    uint32_t id, length;

    begin(0);
    for (unsigned i = 0; i < 3 * DRIVER_RING; i++) {
        driver_describe(&r, i % DRIVER_RING, 0x8000, 8, DRIVER_WRITE, 0);
        driver_offer(&r, i % DRIVER_RING);
        CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
        virtio_queue_push(r.q, chain.head, i);
        virtio_queue_signal(r.q);
        virtio_queue_signal(r.q);
        CHECK(driver_take(&r, &id, &length));
        CHECK_EQ(id, i % DRIVER_RING);
        CHECK_EQ(length, i);
    }
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_USED], 3 * DRIVER_RING);
    r.available->flags = 1;
    driver_offer(&r, 0);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
    virtio_queue_push(r.q, 0, 0);
    virtio_queue_signal(r.q);
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_USED], 3 * DRIVER_RING);
}

/* Both indices run over 65,535, the event indices with them. */
TEST(event_indices_say_when_to_interrupt_and_when_to_notify)
{
    unsigned signals = 0;

    begin(VIRTIO_F_EVENT_IDX);
    for (unsigned i = 0; i < 70000; i++) {
        driver_describe(&r, i % DRIVER_RING, 0x8000, 8, 0, 0);
        driver_offer(&r, i % DRIVER_RING);
        r.available->used_event = (uint16_t)(i - i % 4 + 3);
        CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
        virtio_queue_push(r.q, chain.head, 0);
        virtio_queue_signal(r.q);
        signals += i % 4 == 3;
        if (driver_interrupts[VIRTIO_INTERRUPT_USED] != signals) {
            CHECK_FAIL("after %u: %u interrupts", i + 1,
                       driver_interrupts[VIRTIO_INTERRUPT_USED]);
            break;
        }
        CHECK_EQ(virtio_queue_pop(r.q, &chain), 0);
        CHECK_EQ(r.used->available_event, (uint16_t)(i + 1));
    }
}

TEST(a_buffer_that_is_put_back_comes_again)
{
    begin(0);
    driver_describe(&r, 2, 0x8000, 8, DRIVER_WRITE, 0);
    driver_offer(&r, 2);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
    virtio_queue_unpop(r.q, 1);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
    CHECK_EQ(chain.head, 2);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 0);
}

TEST(an_indirect_table)
{
    struct driver_descriptor *t = (void *)(driver_memory.ram + 0x4000);

    begin(VIRTIO_F_INDIRECT_DESC);
    for (unsigned i = 0; i < 20; i++)
        t[i] = (struct driver_descriptor){
            0x8000 + i * 16, 16,
            (uint16_t)((i < 19 ? DRIVER_NEXT : 0) |
                       (i >= 10 ? DRIVER_WRITE : 0)),
            (uint16_t)(i + 1)};
    driver_describe(&r, 0, 0x4000, 20 * 16, DRIVER_INDIRECT, 0);
    driver_offer(&r, 0);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
    CHECK_EQ(chain.readable, 10);
    CHECK_EQ(chain.count, 20);
    CHECK_EQ(chain.write_size, 160);
}

/* --- what a driver must not do --- */

TEST(a_head_outside_of_the_table)
{
    begin(0);
    driver_offer(&r, DRIVER_RING);
    check_broken("number is too large");
}

TEST(a_chain_in_a_circle)
{
    begin(0);
    driver_describe(&r, 0, 0x8000, 1, DRIVER_NEXT, 1);
    driver_describe(&r, 1, 0x8000, 1, DRIVER_NEXT, 0);
    driver_offer(&r, 0);
    check_broken("has no end");
}

TEST(an_index_that_jumps)
{
    begin(0);
    r.available->index = DRIVER_RING + 1;
    check_broken("index jumped");
}

TEST(readable_after_writable)
{
    begin(0);
    driver_describe(&r, 0, 0x8000, 1, DRIVER_NEXT | DRIVER_WRITE, 1);
    driver_describe(&r, 1, 0x8000, 1, 0, 0);
    driver_offer(&r, 0);
    check_broken("follows a writable");
}

TEST(more_than_four_gibibytes)
{
    begin(0);
    driver_describe(&r, 0, 0x8000, UINT32_MAX, DRIVER_NEXT, 1);
    driver_describe(&r, 1, 0x8000, 1, 0, 0);
    driver_offer(&r, 0);
    check_broken("more than 4 GiB");
}

TEST(indirect_tables_of_wrong_forms)
{
    struct driver_descriptor *t = (void *)(driver_memory.ram + 0x4000);

    begin(0);
    driver_describe(&r, 0, 0x4000, 16, DRIVER_INDIRECT, 0);
    driver_offer(&r, 0);
    check_broken("not agreed");
    begin(VIRTIO_F_INDIRECT_DESC);
    driver_describe(&r, 0, 0x4000, 17, DRIVER_INDIRECT, 0);
    driver_offer(&r, 0);
    check_broken("wrong length");
    begin(VIRTIO_F_INDIRECT_DESC);
    driver_describe(&r, 0, 0x4000, 16, DRIVER_INDIRECT | DRIVER_NEXT, 1);
    driver_offer(&r, 0);
    check_broken("follows an indirect");
    begin(VIRTIO_F_INDIRECT_DESC);
    t[0] = (struct driver_descriptor){0x4000, 16, DRIVER_INDIRECT, 0};
    driver_describe(&r, 0, 0x4000, 16, DRIVER_INDIRECT, 0);
    driver_offer(&r, 0);
    check_broken("in an indirect table");
    begin(VIRTIO_F_INDIRECT_DESC);
    driver_describe(&r, 0, 0x4000, 16 * 300, DRIVER_INDIRECT, 0);
    driver_offer(&r, 0);
    check_broken("too long");
    begin(VIRTIO_F_INDIRECT_DESC);
    driver_describe(&r, 0, DRIVER_RAM - 8, 16, DRIVER_INDIRECT, 0);
    driver_offer(&r, 0);
    check_broken("not in RAM");
}

TEST(rings_that_are_not_in_ram)
{
    begin(0);
    r.q->driver_area = DRIVER_RAM;
    check_broken("available ring is not in RAM");
    begin(0);
    driver_describe(&r, 0, 0x8000, 1, 0, 0);
    driver_offer(&r, 0);
    r.q->device_area = DRIVER_RAM;
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
    virtio_queue_push(r.q, 0, 0);
    CHECK(strstr(device.broken, "used ring is not in RAM"));
}

TEST(buffers_that_are_not_in_ram)
{
    char byte = 0;

    begin(0);
    driver_describe(&r, 0, UINT64_MAX - 3, 16, DRIVER_NEXT, 1);
    driver_describe(&r, 1, DRIVER_RAM - 4, 16, DRIVER_WRITE, 0);
    driver_offer(&r, 0);
    CHECK_EQ(virtio_queue_pop(r.q, &chain), 1);
    CHECK_EQ(virtio_chain_read(&device, &chain, 0, &byte, 1), -EFAULT);
    CHECK_EQ(virtio_chain_read(&device, &chain, 8, &byte, 1), 0);
    CHECK_EQ(virtio_chain_write(&device, &chain, 3, &byte, 1), 1);
    CHECK_EQ(virtio_chain_write(&device, &chain, 4, &byte, 1), -EFAULT);
}

CHECK_MAIN
