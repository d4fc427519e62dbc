/* sources: vmm/devices/virtio_net.c vmm/devices/virtio_queue.c
   kernel/net/switch.c kernel/core/fmt.c */
/* Guests' network cards: what goes from one guest to the other, and what does
 * not. */
#include "virtio_net_host.h"

#define FULL (HOST_HEADER + SWITCH_FRAME_MAX)

static struct host_guest *const a = &host_guests[0], *const b = &host_guests[1];
static uint8_t frame[SWITCH_FRAME_MAX + 1], got[0x1000];

static void begin(void)
{
    host_begin(0, false);
    host_frame(frame, sizeof(frame), 0, 1);
}

static void end(void)
{
    host_end();
    CHECK_EQ(host_blocks, 0);
    CHECK_EQ(mutex_host_held, 0);
}

TEST(frames_go_both_ways_with_a_header)
{
    const uint8_t header[HOST_HEADER] = {[10] = 1}; /* one buffer: 5.1.6.4 */

    begin();
    host_buffer(b, FULL);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_taken(b, got), HOST_HEADER + HOST_FRAME);
    CHECK(memcmp(got, header, HOST_HEADER) == 0);
    CHECK(memcmp(got + HOST_HEADER, frame, HOST_FRAME) == 0);
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_USED], 2);
    host_buffer(a, FULL);
    host_frame(frame, sizeof(frame), 1, 0);
    host_send(b, frame, SWITCH_FRAME_MAX);
    CHECK_EQ(host_taken(a, got), FULL);
    CHECK(memcmp(got + HOST_HEADER, frame, SWITCH_FRAME_MAX) == 0);
    CHECK_EQ(host_counters(0).received_bytes, SWITCH_FRAME_MAX);
    CHECK_EQ(host_counters(1).sent, 1);
    end();
}

TEST(a_frame_may_be_in_pieces_on_both_sides)
{
    struct driver_queue *r;
    uint32_t id, length;
    gpa_t at;

    begin();
    r = &b->queue[RECEIVE];
    at = host_place(b, RECEIVE, 0);
    driver_describe(r, 0, at, 5, DRIVER_WRITE | DRIVER_NEXT, 1);
    driver_describe(r, 1, at + 5, 10, DRIVER_WRITE | DRIVER_NEXT, 2);
    driver_describe(r, 2, at + 15, 1000, DRIVER_WRITE, 0);
    driver_offer(r, 0);
    r = &a->queue[TRANSMIT];
    memcpy(driver_memory.ram + host_place(a, TRANSMIT, 0) + 12, frame, 100);
    driver_describe(r, 0, host_place(a, TRANSMIT, 0), 13, DRIVER_NEXT, 1);
    driver_describe(r, 1, host_place(a, TRANSMIT, 0) + 13, 99, 0, 0);
    driver_offer(r, 0);
    host_notify(a, TRANSMIT);
    CHECK(driver_take(&b->queue[RECEIVE], &id, &length));
    CHECK_EQ(length, 112);
    CHECK(memcmp(driver_memory.ram + at + 12, frame, 100) == 0);
    end();
}

TEST(lengths_are_bounded_and_the_buffer_comes_back)
{
    static const uint32_t wrong[] = {0, SWITCH_FRAME_MIN - 1,
                                     SWITCH_FRAME_MAX + 1};
    struct driver_queue *r;
    uint32_t id, length;

    begin();
    host_buffer(b, FULL);
    r = &a->queue[TRANSMIT];
    for (unsigned i = 0; i < 3; i++)
        host_send(a, frame, wrong[i]);
    driver_describe(r, 3, host_place(a, TRANSMIT, 3), HOST_HEADER - 1, 0, 0);
    driver_offer(r, 3);
    host_notify(a, TRANSMIT);
    CHECK_EQ(host_taken(b, got), -1);
    CHECK_EQ(host_counters(0).refused, 4);
    for (unsigned i = 0; i < 4; i++) {
        CHECK(driver_take(r, &id, &length));
        CHECK_EQ(id, i);
        CHECK_EQ(length, 0);
    }
    CHECK(!host_broken(a));
    driver_describe(r, 4, host_place(a, TRANSMIT, 4), 0x20000, 0, 0);
    driver_offer(r, 4);
    host_notify(a, TRANSMIT);
    CHECK_EQ(host_counters(0).refused, 5);
    host_send(a, frame, SWITCH_FRAME_MIN);
    CHECK_EQ(host_taken(b, got), HOST_HEADER + SWITCH_FRAME_MIN);
    end();
}

TEST(who_has_no_room_misses_it)
{
    begin();
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_counters(1).dropped, 1);
    host_buffer(b, HOST_HEADER + HOST_FRAME - 1);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_counters(1).dropped, 2);
    CHECK_EQ(host_taken(b, got), -1);
    CHECK(!host_broken(b));
    host_send(a, frame, HOST_FRAME - 1); /* the buffer was kept */
    CHECK_EQ(host_taken(b, got), HOST_HEADER + HOST_FRAME - 1);
    end();
}

TEST(a_frame_outside_of_memory_breaks_the_sender_only)
{
    struct driver_queue *r;

    begin();
    host_buffer(b, FULL);
    r = &a->queue[TRANSMIT];
    driver_describe(r, 0, DRIVER_RAM - 20, HOST_HEADER + HOST_FRAME, 0, 0);
    driver_offer(r, 0);
    host_notify(a, TRANSMIT);
    CHECK(host_broken(a));
    CHECK(!host_broken(b));
    CHECK_EQ(host_taken(b, got), -1);
    CHECK_EQ(r->used->index, 0);
    end();
}

TEST(a_buffer_outside_of_memory_breaks_the_receiver_only)
{
    struct driver_queue *r;

    begin();
    r = &b->queue[RECEIVE];
    driver_describe(r, 0, DRIVER_RAM - 20, FULL, DRIVER_WRITE, 0);
    driver_offer(r, 0);
    host_send(a, frame, HOST_FRAME);
    CHECK(host_broken(b));
    CHECK(!host_broken(a));
    CHECK_EQ(a->queue[TRANSMIT].used->index, 1);
    CHECK_EQ(host_counters(1).dropped, 1);
    end();
}

TEST(what_may_not_be_read_is_not_sent_nor_the_other_written)
{
    uint8_t before[HOST_FRAME];

    begin();
    /* A chain that is to be written has nothing to send. */
    driver_describe(&a->queue[TRANSMIT], 0, host_place(a, TRANSMIT, 0), 100,
                    DRIVER_WRITE, 0);
    driver_offer(&a->queue[TRANSMIT], 0);
    host_notify(a, TRANSMIT);
    CHECK_EQ(host_counters(0).refused, 1);
    /* And one that is to be read has no room. */
    memset(driver_memory.ram + host_place(b, RECEIVE, 0), 0xee, HOST_FRAME);
    memset(before, 0xee, sizeof(before));
    driver_describe(&b->queue[RECEIVE], 0, host_place(b, RECEIVE, 0), FULL, 0,
                    0);
    driver_offer(&b->queue[RECEIVE], 0);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_counters(1).dropped, 1);
    CHECK(memcmp(before, driver_memory.ram + host_place(b, RECEIVE, 0),
                 HOST_FRAME) == 0);
    end();
}

TEST(who_broke_a_rule_gets_nothing_until_he_has_reset)
{
    begin();
    driver_offer(&b->queue[RECEIVE], DRIVER_RING); /* no such descriptor */
    host_send(a, frame, HOST_FRAME);
    CHECK(host_broken(b));
    b->queue[RECEIVE].available->index = 0;
    host_buffer(b, FULL);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(b->queue[RECEIVE].used->index, 0);
    CHECK_EQ(host_counters(1).dropped, 2);
    host_reset(b);
    host_send(a, frame, HOST_FRAME); /* has no driver */
    CHECK_EQ(host_counters(1).dropped, 3);
    host_start(b, 0);
    host_buffer(b, FULL);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_taken(b, got), HOST_HEADER + HOST_FRAME);
    end();
}

TEST(a_paused_guest_receives_nothing)
{
    begin();
    host_buffer(b, FULL);
    b->device->model->pause(b->device, true);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_taken(b, got), -1);
    CHECK_EQ(b->queue[RECEIVE].q->next_available, 0);
    CHECK_EQ(host_counters(1).dropped, 1);
    b->device->model->pause(b->device, false);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_taken(b, got), HOST_HEADER + HOST_FRAME);
    end();
}

TEST(one_that_shall_pause_receives_nothing_more)
{
    begin();
    host_buffer(b, FULL);
    b->vm.pause_wanted = true; /* its CPUs are still at work */
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_taken(b, got), -1);
    b->vm.pause_wanted = false;
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_taken(b, got), HOST_HEADER + HOST_FRAME);
    end();
}

TEST(a_guest_sends_from_its_own_address_unless_it_may_spoof)
{
    begin();
    host_buffer(b, FULL);
    host_frame(frame, sizeof(frame), 7, 1);
    host_send(a, frame, HOST_FRAME);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_taken(b, got), -1);
    CHECK_EQ(host_counters(0).spoofed, 2);
    CHECK_EQ(host_warnings, 1);
    CHECK(!host_broken(a));
    end();
    host_begin(0, true);
    host_buffer(b, FULL);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(host_taken(b, got), HOST_HEADER + HOST_FRAME);
    CHECK_EQ(host_warnings, 0);
    end();
}

TEST(a_card_that_has_no_window_leaves_nothing_behind)
{
    struct switch_info info;
    struct vm vm = {.config.net_count = 1, .config.name = "third"};

    host_attach_error = -ENOSPC;
    strcpy(vm.config.nets[0].network, "lan");
    CHECK_EQ(virtio_net_create(&vm), -ENOSPC);
    host_attach_error = 0;
    CHECK_EQ(host_blocks, 0);
    CHECK(!switch_port_at(0, &info));
}

TEST(its_address_can_be_read_and_is_chosen_if_none_was)
{
    struct vm vm = {
        .config.net_count = 1, .config.name = "third", .id = 0x01020304};
    uint8_t mac[MAC_SIZE];

    strcpy(vm.config.nets[0].network, "lan");
    host_attached = 0;
    CHECK_EQ(virtio_net_create(&vm), 0);
    host_guests[0].device->model->config_read(host_guests[0].device, 0, mac,
                                              sizeof(mac));
    CHECK(memcmp(mac, "\x52\1\2\3\4\0", MAC_SIZE) == 0);
    host_guests[0].device->model->destroy(host_guests[0].device);
}

/* --- a sender whose other CPU offers on and on --- */

struct listener {
    struct switch_port port;
    unsigned heard, more;
    unsigned end_at; /* the sender's VM ends then; 0: not */
};

static bool listen_and_offer(struct switch_port *p, const void *f, size_t n)
{
    struct listener *l = (struct listener *)p;

    (void)f, (void)n;
    l->heard++;
    if (l->end_at && l->heard == l->end_at)
        a->vm.end_reason = VM_END_KILLED;
    if (l->more) {
        l->more--;
        host_offer(a, frame, HOST_FRAME);
    }
    return true;
}

static struct listener listen(unsigned more, unsigned end_at)
{
    struct listener l = {.port = {.name = "l", .deliver = listen_and_offer},
                         .more = more,
                         .end_at = end_at};

    return l;
}

TEST(one_notification_is_enough_for_any_number)
{
    struct listener l = listen(100000, 0);

    begin();
    CHECK_EQ(switch_connect(&l.port, "lan"), 0);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(l.heard, 100001);
    CHECK_EQ(a->queue[TRANSMIT].used->index, (uint16_t)100001);
    switch_disconnect(&l.port);
    end();
}

TEST(a_guest_that_sends_for_ever_can_be_ended)
{
    struct listener l = listen(200000, 1000);

    begin();
    CHECK_EQ(switch_connect(&l.port, "lan"), 0);
    host_send(a, frame, HOST_FRAME);
    CHECK_EQ(l.heard, 1000);
    switch_disconnect(&l.port);
    end();
}

CHECK_MAIN
