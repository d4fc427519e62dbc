/* sources: vmm/devices/virtio_blk.c vmm/devices/virtio_queue.c */
/* A guest's disk: what requests do, what is refused, and a full queue. */
#include "virtio_blk_host.h"

static void head(uint32_t type, uint64_t sector)
{
    const struct blk_header h = {.type = type, .sector = sector};

    memcpy(driver_memory.ram + HEADER, &h, sizeof(h));
    driver_memory.ram[STATUS] = UNTOUCHED;
}

/* The status of a request with `size` bytes at `at`. */
static uint8_t request(uint32_t type, uint64_t sector, gpa_t at, uint32_t size)
{
    bool in = type == 0 || type == 8;
    uint32_t id, length;

    head(type, sector);
    driver_describe(&r, 0, HEADER, sizeof(struct blk_header), DRIVER_NEXT,
                    size ? 1 : 2);
    driver_describe(&r, 1, at, size, DRIVER_NEXT | (in ? DRIVER_WRITE : 0), 2);
    driver_describe(&r, 2, STATUS, 1, DRIVER_WRITE, 0);
    driver_offer(&r, 0);
    blk_notify(&b.virtio, r.q);
    CHECK(driver_take(&r, &id, &length));
    return driver_memory.ram[STATUS];
}

TEST(data_goes_both_ways_without_a_copy)
{
    begin();
    CHECK_EQ(request(0, 5, DATA, 1024), 0);
    CHECK(memcmp(driver_memory.ram + DATA, medium + 5 * 512, 1024) == 0);
    memset(driver_memory.ram + DATA, 0x5a, 512);
    CHECK_EQ(request(1, 9, DATA, 512), 0);
    CHECK_EQ(medium[9 * 512], 0x5a);
    CHECK_EQ(medium[10 * 512 - 1], 0x5a);
    CHECK_EQ(medium[10 * 512], (uint8_t)(10 + 10 * 512));
    CHECK_EQ(copied, 0);
}

TEST(what_is_not_aligned_is_copied)
{
    begin();
    CHECK_EQ(request(0, 5, DATA + 1, 512), 0);
    CHECK_EQ(copied, 1);
    CHECK(memcmp(driver_memory.ram + DATA + 1, medium + 5 * 512, 512) == 0);
    CHECK_EQ(driver_memory.ram[DATA + 513], UNTOUCHED);
}

TEST(what_lies_outside_or_is_not_whole_is_refused)
{
    begin();
    CHECK_EQ(request(0, SECTORS, DATA, 512), 1);
    CHECK_EQ(request(0, SECTORS - 1, DATA, 1024), 1);
    CHECK_EQ(request(1, UINT64_MAX, DATA, 512), 1);
    CHECK_EQ(request(0, 0, DATA, 500), 1);
    CHECK_EQ(request(77, 0, DATA, 512), 2);
    CHECK_EQ(submitted + copied, 0);
    CHECK_EQ(driver_memory.ram[DATA], UNTOUCHED);
}

TEST(a_read_only_disk_and_a_broken_one)
{
    begin();
    b.disk.read_only = true;
    CHECK_EQ(request(1, 0, DATA, 512), 1);
    CHECK_EQ(submitted + copied, 0);
    begin();
    fail = -EIO;
    CHECK_EQ(request(0, 0, DATA, 512), 1);
    CHECK_EQ(b.errors, 1);
}

TEST(its_name_and_zeroes)
{
    struct {
        uint64_t sector;
        uint32_t sectors, flags;
    } range = {3, 2, 0};

    begin();
    CHECK_EQ(request(8, 0, DATA, BLK_ID_SIZE), 0);
    CHECK(memcmp(driver_memory.ram + DATA, "number 7\0", 9) == 0);
    memcpy(driver_memory.ram + DATA, &range, sizeof(range));
    CHECK_EQ(request(13, 0, DATA, sizeof(range)), 0);
    CHECK_EQ(medium[3 * 512 + 700], 0);
    CHECK(medium[5 * 512 + 1] != 0);
    range.sectors = SECTORS;
    memcpy(driver_memory.ram + DATA, &range, sizeof(range));
    CHECK_EQ(request(13, 0, DATA, sizeof(range)), 1);
    CHECK_EQ(request(11, 0, DATA, sizeof(range)), 1);
}

TEST(a_reset_does_not_wait_for_a_long_request)
{
    const struct {
        uint64_t sector;
        uint32_t sectors, flags;
    } all = {0, SECTORS, 0};

    begin();
    memcpy(driver_memory.ram + DATA, &all, sizeof(all));
    CHECK_EQ(request(13, 0, DATA, sizeof(all)), 0);
    CHECK_EQ(copied, 2);
    begin();
    memcpy(driver_memory.ram + DATA, &all, sizeof(all));
    reset_at = 1;
    CHECK_EQ(request(13, 0, DATA, sizeof(all)), 1);
    CHECK_EQ(copied, 1);
}

TEST(a_request_without_room_for_its_status_breaks_the_device)
{
    begin();
    head(0, 0);
    driver_describe(&r, 0, HEADER, sizeof(struct blk_header), 0, 0);
    driver_offer(&r, 0);
    blk_notify(&b.virtio, r.q);
    CHECK(strstr(b.virtio.broken, "without header or status"));
    CHECK_EQ(submitted, 0);
}

/* A driver that notifies only when it is asked to (virtio 1.2 2.7.10). */
static void submit(unsigned i)
{
    struct driver_descriptor *t = (void *)(driver_memory.ram + INDIRECT +
                                           i * 64);
    uint16_t before = r.available->index;

    t[0] = (struct driver_descriptor){HEADER, 16, DRIVER_NEXT, 1};
    t[1] = (struct driver_descriptor){DATA, 512, DRIVER_NEXT | DRIVER_WRITE, 2};
    t[2] = (struct driver_descriptor){STATUS, 1, DRIVER_WRITE, 0};
    driver_describe(&r, i, INDIRECT + i * 64, 48, DRIVER_INDIRECT, 0);
    driver_offer(&r, i);
    if ((uint16_t)(r.available->index - r.used->available_event - 1) <
        (uint16_t)(r.available->index - before))
        blk_notify(&b.virtio, r.q);
}

TEST(a_full_queue_asks_for_the_next_notification)
{
    uint32_t id, length;
    unsigned done = 0;

    begin();
    hold = true;
    head(0, 0);
    for (unsigned i = 0; i < DRIVER_RING; i++)
        submit(i);
    CHECK_EQ(submitted, DRIVER_RING);
    for (unsigned i = 0; i < DRIVER_RING; i++)
        flying[i]->done(flying[i]);
    while (driver_take(&r, &id, &length))
        done++;
    CHECK_EQ(done, DRIVER_RING);
    for (unsigned i = 0; i < 40; i++)
        submit(i);
    CHECK_EQ(submitted, DRIVER_RING + 40);
    CHECK_STR(b.virtio.broken, "");
}

CHECK_MAIN
