/* sources: drivers/virtio/virtqueue.c */
/* A virtqueue gives every buffer to the device once and takes every one back
 * once, and a device that breaks the rules gets nothing more. */
#include "check.h"

#include <errno.h>
#include <pthread.h>

#include "drivers/virtio/virtqueue.h"

#define SIZE   8
#define TABLE  6
#define TABLES 2

static struct virtqueue_slot slots[SIZE];
static uint16_t stack[TABLES];
static struct vring_desc tables[TABLES * TABLE];
static _Alignas(4096) uint8_t ring[3 * 4096];
static struct virtio_device device;
static struct virtqueue q;
static unsigned notified;

static void count_notify(struct virtio_device *v, struct virtqueue *which)
{
    CHECK(v == &device && which == &q);
    notified++;
}

static const struct virtio_transport transport = {.notify = count_notify};

static void callback(struct virtqueue *which, void *arg)
{
    (void)which, (void)arg;
}

static void start(uint64_t features, bool indirect)
{
    memset(ring, 0, sizeof(ring));
    memset(tables, 0, sizeof(tables));
    device = (struct virtio_device){.features = features | VIRTIO_F_VERSION_1,
                                    .transport = &transport};
    q = (struct virtqueue){
        .device = &device, .size = SIZE, .slots = slots, .callback = callback};
    if (indirect) {
        q.tables = tables;
        q.tables_phys = (phys_t)(uintptr_t)tables;
        q.table_length = TABLE;
        q.table_free = TABLES;
        q.table_stack = stack;
    }
    virtqueue_init(&q, ring);
    notified = 0;
}

/* --- the device's side --- */

static uint16_t seen; /* of the avail ring */

/* Take the next chain: its head. Bytes to read and to write are added up. */
static uint16_t device_take(uint64_t *out, uint64_t *in, unsigned *count)
{
    uint16_t head = q.avail->ring[seen++ % SIZE], i = head;
    const struct vring_desc *d = q.desc;

    *out = *in = *count = 0;
    if (d[i].flags & VRING_DESC_INDIRECT) {
        CHECK_EQ(d[i].len % sizeof(*d), 0);
        d = (const struct vring_desc *)(uintptr_t)d[i].addr;
        i = 0;
    }
    for (;;) {
        *(d[i].flags & VRING_DESC_WRITE ? in : out) += d[i].len;
        ++*count;
        if (!(d[i].flags & VRING_DESC_NEXT) || *count > 2 * SIZE)
            return head;
        i = d[i].next;
    }
}

static void device_give(uint32_t id, uint32_t length)
{
    q.used->ring[q.used->index % SIZE] = (struct vring_used_element){id,
                                                                     length};
    q.used->index++;
}

static struct virtio_buffer buffers[16];

static int add(unsigned out, unsigned in, void *cookie)
{
    for (unsigned i = 0; i < out + in; i++)
        buffers[i] = (struct virtio_buffer){0x1000 * (i + 1), 100 + i};
    return virtqueue_add(&q, buffers, out, in, cookie);
}

static int cookies[64];

TEST(a_chain_reaches_the_device_and_comes_back)
{
    uint64_t out, in;
    uint32_t written = 0;
    unsigned count;
    uint16_t head;

    start(0, false);
    seen = 0;
    CHECK_EQ(virtqueue_free_slots(&q), SIZE);
    CHECK_EQ(add(1, 2, &cookies[0]), 0);
    CHECK_EQ(q.avail->index, 1);
    CHECK_EQ(virtqueue_free_slots(&q), SIZE - 3);
    CHECK(virtqueue_get(&q, &written) == NULL);
    head = device_take(&out, &in, &count);
    CHECK_EQ(out, 100);
    CHECK_EQ(in, 101 + 102);
    CHECK_EQ(count, 3);
    device_give(head, 150);
    CHECK(virtqueue_get(&q, &written) == &cookies[0]);
    CHECK_EQ(written, 150);
    CHECK_EQ(virtqueue_free_slots(&q), SIZE);
    CHECK(virtqueue_get(&q, &written) == NULL);
    CHECK(!device.broken);
}

TEST(a_table_is_taken_filled_and_added)
{
    uint64_t out, in;
    uint32_t written = 0;
    unsigned count;
    uint16_t head, table, other;

    start(VIRTIO_F_INDIRECT_DESC, true);
    seen = 0;
    table = virtqueue_take_table(&q);
    CHECK(table != VIRTQUEUE_NO_TABLE);
    other = virtqueue_take_table(&q);
    CHECK(other != VIRTQUEUE_NO_TABLE && other != table);
    CHECK_EQ(virtqueue_take_table(&q), VIRTQUEUE_NO_TABLE);
    virtqueue_drop_table(&q, other);
    for (unsigned i = 0; i < 5; i++)
        virtqueue_fill_table(
            &q, table, i, (struct virtio_buffer){0x1000 * i, 100 + i}, i >= 3);
    virtqueue_fill_table(&q, table, TABLE, (struct virtio_buffer){1, 1}, 1);
    CHECK_EQ(virtqueue_add_table(&q, table, 5, 207, NULL), -EINVAL);
    CHECK_EQ(virtqueue_add_table(&q, table, 0, 0, &cookies[0]), -EINVAL);
    CHECK_EQ(virtqueue_add_table(&q, table, TABLE + 1, 0, &cookies[0]),
             -EINVAL);
    CHECK_EQ(virtqueue_add_table(&q, table, 5, 207, &cookies[0]), 0);
    CHECK_EQ(virtqueue_free_slots(&q), SIZE - 1);
    head = device_take(&out, &in, &count);
    CHECK_EQ(count, 5);
    CHECK_EQ(out, 100 + 101 + 102);
    CHECK_EQ(in, 103 + 104);
    device_give(head, 207);
    CHECK(virtqueue_get(&q, &written) == &cookies[0]);
    CHECK_EQ(written, 207);
    CHECK_EQ(q.table_free, TABLES);
    CHECK(!device.broken);
}

TEST(a_full_or_broken_queue_takes_no_table)
{
    uint16_t table;

    start(VIRTIO_F_INDIRECT_DESC, true);
    table = virtqueue_take_table(&q);
    virtqueue_fill_table(&q, table, 0, (struct virtio_buffer){0, 1}, false);
    for (int i = 0; virtqueue_free_slots(&q); i++)
        CHECK_EQ(add(1, 0, &cookies[i]), 0);
    CHECK_EQ(virtqueue_add_table(&q, table, 1, 0, &cookies[20]), -ENOSPC);
    device.broken = true;
    CHECK_EQ(virtqueue_add_table(&q, table, 1, 0, &cookies[20]), -EIO);
    virtqueue_drop_table(&q, table);
    CHECK_EQ(virtqueue_take_table(&q), VIRTQUEUE_NO_TABLE);
    start(0, false);
    CHECK_EQ(virtqueue_take_table(&q), VIRTQUEUE_NO_TABLE);
}

TEST(a_full_queue_says_so_and_wrong_buffers_are_refused)
{
    start(0, false);
    CHECK_EQ(add(0, 0, &cookies[0]), -EINVAL);
    CHECK_EQ(add(1, 1, NULL), -EINVAL);
    CHECK_EQ(add(5, 4, &cookies[0]), -EINVAL);
    buffers[0].length = 0;
    CHECK_EQ(virtqueue_add(&q, buffers, 1, 0, &cookies[0]), -EINVAL);
    buffers[0].length = buffers[1].length = UINT32_MAX;
    CHECK_EQ(virtqueue_add(&q, buffers, 1, 1, &cookies[0]), -EINVAL);
    for (int i = 0; i < SIZE / 2; i++)
        CHECK_EQ(add(1, 1, &cookies[i]), 0);
    CHECK_EQ(add(1, 0, &cookies[9]), -ENOSPC);
    CHECK_EQ(virtqueue_free_slots(&q), 0);
}

TEST(many_chains_come_back_in_any_order_over_the_wrap_of_the_counters)
{
    start(0, false);
    q.avail_index = q.kicked = q.last_used = q.avail->index = q.used->index =
        seen = UINT16_MAX - 20;
    for (int round = 0; round < 1000; round++) {
        uint16_t head[4];
        uint64_t out, in;
        unsigned count;
        int n = round % 4 + 1;

        for (int i = 0; i < n; i++)
            CHECK_EQ(add(1, (unsigned)(round % 2), &cookies[i]), 0);
        for (int i = 0; i < n; i++)
            head[i] = device_take(&out, &in, &count);
        for (int i = n; i--;) /* the last one first */
            device_give(head[i], 0);
        for (int i = n; i--;)
            CHECK(virtqueue_get(&q, NULL) == &cookies[i]);
        CHECK_EQ(virtqueue_free_slots(&q), SIZE);
    }
    CHECK(!device.broken);
}

TEST(a_long_chain_takes_one_descriptor_through_a_table)
{
    uint64_t out, in;
    unsigned count;
    uint16_t head;

    start(VIRTIO_F_INDIRECT_DESC, true);
    seen = 0;
    CHECK_EQ(add(2, 4, &cookies[0]), 0);
    CHECK_EQ(virtqueue_free_slots(&q), SIZE - 1);
    head = device_take(&out, &in, &count);
    CHECK_EQ(count, 6);
    CHECK_EQ(out, 100 + 101);
    CHECK_EQ(in, 102 + 103 + 104 + 105);
    CHECK_EQ(add(3, 3, &cookies[1]), 0);
    CHECK_EQ(q.table_free, 0);
    /* Without a table it takes as many as it is long. */
    CHECK_EQ(add(3, 3, &cookies[2]), 0);
    CHECK_EQ(virtqueue_free_slots(&q), 0);
    device_give(head, 0);
    CHECK(virtqueue_get(&q, NULL) == &cookies[0]);
    CHECK_EQ(q.table_free, 1);
    CHECK_EQ(virtqueue_free_slots(&q), 1);
}

TEST(short_chains_go_through_tables_when_room_is_scarce)
{
    start(VIRTIO_F_INDIRECT_DESC, true);
    CHECK_EQ(add(1, 1, &cookies[0]), 0);
    CHECK_EQ(add(1, 1, &cookies[1]), 0);
    CHECK_EQ(q.table_free, TABLES);
    CHECK_EQ(add(1, 2, &cookies[2]), 0); /* direct: half is free */
    CHECK_EQ(virtqueue_free_slots(&q), 1);
    CHECK_EQ(add(1, 1, &cookies[3]), 0);
    CHECK_EQ(virtqueue_free_slots(&q), 0);
    CHECK_EQ(q.table_free, TABLES - 1);
}

/* --- notifications --- */

TEST(the_device_is_told_once_for_what_was_added)
{
    start(0, false);
    virtqueue_kick(&q);
    CHECK_EQ(notified, 0);
    add(1, 0, &cookies[0]);
    add(1, 0, &cookies[1]);
    virtqueue_kick(&q);
    virtqueue_kick(&q);
    CHECK_EQ(notified, 1);
    q.used->flags = VRING_USED_NO_NOTIFY;
    add(1, 0, &cookies[2]);
    virtqueue_kick(&q);
    CHECK_EQ(notified, 1);
}

TEST(the_event_index_says_when_the_device_wants_to_be_told)
{
    start(VIRTIO_F_EVENT_IDX, false);
    uint16_t *avail_event = (uint16_t *)(void *)&q.used->ring[SIZE];

    *avail_event = 1; /* when the second one is there */
    add(1, 0, &cookies[0]);
    virtqueue_kick(&q);
    CHECK_EQ(notified, 0);
    add(1, 0, &cookies[1]);
    virtqueue_kick(&q);
    CHECK_EQ(notified, 1);
    add(1, 0, &cookies[2]);
    virtqueue_kick(&q);
    CHECK_EQ(notified, 1);
}

TEST(callbacks_are_asked_for_and_what_came_meanwhile_is_told)
{
    for (int event = 0; event < 2; event++) {
        start(event ? VIRTIO_F_EVENT_IDX : 0, false);
        add(1, 0, &cookies[0]);
        virtqueue_disable_callback(&q);
        if (!event)
            CHECK_EQ(q.avail->flags, VRING_AVAIL_NO_INTERRUPT);
        CHECK(virtqueue_enable_callback(&q));
        CHECK_EQ(q.avail->flags, 0);
        CHECK_EQ(*q.used_event, 0);
        virtqueue_disable_callback(&q);
        device_give(0, 0);
        CHECK(!virtqueue_enable_callback(&q));
        CHECK(virtqueue_get(&q, NULL) == &cookies[0]);
        CHECK(virtqueue_enable_callback(&q));
        CHECK_EQ(*q.used_event, event ? 1 : 0);
    }
}

TEST(a_queue_without_a_callback_never_asks_for_one)
{
    start(0, false);
    q.callback = NULL;
    virtqueue_init(&q, ring);
    CHECK_EQ(q.avail->flags, VRING_AVAIL_NO_INTERRUPT);
}

/* --- hostile devices --- */

static void expect_broken(const char *how)
{
    uint32_t written;

    if (virtqueue_get(&q, &written))
        CHECK_FAIL("%s: the buffer was believed", how);
    CHECK(device.broken);
    CHECK(virtqueue_get(&q, &written) == NULL);
    CHECK_EQ(add(1, 0, &cookies[5]), -EIO);
    CHECK(virtqueue_enable_callback(&q));
    virtqueue_kick(&q);
    CHECK_EQ(notified, 0);
}

TEST(an_id_that_is_no_head_breaks_the_device)
{
    start(0, false);
    add(1, 1, &cookies[0]);
    device_give(1, 0); /* the second descriptor of the chain */
    expect_broken("middle of a chain");
    start(0, false);
    add(1, 1, &cookies[0]);
    device_give(SIZE, 0);
    expect_broken("beyond the ring");
    start(0, false);
    add(1, 1, &cookies[0]);
    device_give(UINT32_MAX, 0);
    expect_broken("far beyond");
}

TEST(giving_back_twice_breaks_the_device)
{
    start(0, false);
    add(1, 0, &cookies[0]);
    add(1, 0, &cookies[1]);
    device_give(0, 0);
    device_give(0, 0);
    CHECK(virtqueue_get(&q, NULL) == &cookies[0]);
    expect_broken("twice");
}

TEST(more_bytes_than_there_was_room_for_break_the_device)
{
    start(0, false);
    add(1, 1, &cookies[0]);
    device_give(0, 102);
    expect_broken("too long");
}

TEST(a_length_where_nothing_can_be_written_means_nothing)
{
    uint32_t written = 1;

    start(0, false);
    add(1, 0, &cookies[0]);
    device_give(0, 8);
    CHECK(virtqueue_get(&q, &written) == &cookies[0]);
    CHECK_EQ(written, 0);
}

TEST(a_legacy_device_may_lie_about_lengths)
{
    uint32_t written = 0;

    start(0, false);
    device.features = 0;
    virtqueue_init(&q, ring);
    add(1, 1, &cookies[0]);
    device_give(0, 5000);
    CHECK(virtqueue_get(&q, &written) == &cookies[0]);
    CHECK_EQ(written, 101);
}

TEST(an_index_that_leaps_ahead_breaks_the_device)
{
    start(0, false);
    add(1, 0, &cookies[0]);
    device_give(0, 0);
    q.used->index = 2;
    expect_broken("two for one");
    start(0, false);
    add(1, 0, &cookies[0]);
    q.used->index = 0x8000;
    expect_broken("far ahead");
}

TEST(what_the_device_writes_into_the_descriptors_does_not_matter)
{
    start(VIRTIO_F_INDIRECT_DESC, true);
    add(1, 2, &cookies[0]);
    add(2, 4, &cookies[1]);
    add(1, 1, &cookies[2]);
    memset(q.desc, 0xff, SIZE * sizeof(*q.desc));
    memset(q.avail, 0xff, 4 + 2 * SIZE);
    memset(tables, 0xff, sizeof(tables));
    device_give(3, 0);
    device_give(0, 0);
    CHECK(virtqueue_get(&q, NULL) == &cookies[1]);
    CHECK(virtqueue_get(&q, NULL) == &cookies[0]);
    CHECK_EQ(virtqueue_free_slots(&q), SIZE - 2);
    CHECK(!device.broken);
}

#define SCRIBBLES 20000000

static bool scribbled; /* atomic: it has done its worst */

/* The low bytes of indices, ids and lengths, any time: small numbers, which are
 * sometimes right. */
static void *scribble(void *arg)
{
    volatile uint8_t *used = ring + virtqueue_used_offset(SIZE);

    uint32_t x = 1;

    (void)arg;
    for (int i = 0; i < SCRIBBLES; i++, x = x * 1664525 + 1013904223)
        used[(x >> 28) ? (x >> 24) % (2 * SIZE) * 4 + 4 : 2] = (uint8_t)(x >>
                                                                         16) %
                                                               10;
    __atomic_store_n(&scribbled, true, __ATOMIC_RELEASE);
    return NULL;
}

TEST(a_device_that_scribbles_while_we_look_gets_nothing_twice)
{
    pthread_t thread;
    unsigned came = 0, broken = 0;

    start(0, false);
    pthread_create(&thread, NULL, scribble, NULL);
    while (!__atomic_load_n(&scribbled, __ATOMIC_ACQUIRE)) {
        bool inside[SIZE] = {false};
        uint32_t written = 0;
        int *cookie;

        for (int k = 0; k < SIZE / 2; k++)
            inside[k] = add(1, 1, &cookies[k]) == 0;
        while ((cookie = virtqueue_get(&q, &written))) {
            CHECK(inside[cookie - cookies]);
            CHECK(written <= 101);
            inside[cookie - cookies] = false;
            came++;
        }
        broken += device.broken;
        while ((cookie = virtqueue_detach(&q)))
            inside[cookie - cookies] = false;
        CHECK_EQ(virtqueue_free_slots(&q), SIZE);
        device.broken = false;
        q.last_used = q.used->index;
    }
    pthread_join(thread, NULL);
    CHECK(came > 0 && broken > 0);
}

TEST(after_a_reset_everything_inside_comes_back_once)
{
    unsigned found = 0;
    void *cookie;

    start(VIRTIO_F_INDIRECT_DESC, true);
    for (int i = 0; i < 3; i++)
        CHECK_EQ(add(1, 1, &cookies[i]), 0);
    CHECK_EQ(add(2, 4, &cookies[3]), 0);
    device_give(77, 0);
    CHECK(virtqueue_get(&q, NULL) == NULL);
    while ((cookie = virtqueue_detach(&q)))
        found |= 1u << ((int *)cookie - cookies);
    CHECK_EQ(found, 0xf);
    CHECK_EQ(virtqueue_free_slots(&q), SIZE);
    CHECK_EQ(q.table_free, TABLES);
    CHECK_EQ(q.in_flight, 0);
}

CHECK_MAIN
