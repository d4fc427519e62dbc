/* sources: vmm/devices/virtio_net.c vmm/devices/virtio_queue.c
   kernel/net/switch.c kernel/core/fmt.c */
/*
 * Two guests on one switch whose drivers are hostile: any rings, chains and
 * frames, with pauses and resets in between. Nothing outside of their memory is
 * touched, every step ends, no step takes what the other guest has to send, and
 * no frame is counted twice.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/virtio_net_host.h"

/* Some bytes somewhere in the rings of one guest. */
static void scribble(struct fuzz_input *in, struct host_guest *g)
{
    struct {
        uint16_t at;
        uint8_t n;
    } where = {0};
    gpa_t rings = 0x1000 + 0x2000u * (unsigned)(g - host_guests);

    fuzz_take(in, &where.at, sizeof(where.at));
    fuzz_take(in, &where.n, sizeof(where.n));
    fuzz_take(in, driver_memory.ram + rings + where.at % 0x1f00, where.n);
}

/* A descriptor of any kind, anywhere. */
static void describe(struct fuzz_input *in, struct driver_queue *r)
{
    struct {
        uint32_t address, length;
        uint8_t index, flags, next, far;
    } d = {0};

    fuzz_take(in, &d, sizeof(d));
    driver_describe(r, d.index % DRIVER_RING,
                    d.far == 1 ? UINT64_MAX - d.address
                               : d.address % (DRIVER_RAM + 0x100),
                    d.far == 2 ? d.length : d.length % 0x1000, d.flags % 8,
                    d.next % (DRIVER_RING + 1));
}

/* A frame that is right but for what the input says. */
static void send(struct fuzz_input *in, struct host_guest *g)
{
    struct {
        uint16_t size;
        uint8_t from, to;
    } f = {0};
    uint8_t frame[SWITCH_FRAME_MAX + 64];

    fuzz_take(in, &f, sizeof(f));
    host_frame(frame, sizeof(frame), f.from % 4, f.to);
    host_send(g, frame, f.size % sizeof(frame));
}

static void step(struct fuzz_input *in, unsigned what)
{
    struct host_guest *g = &host_guests[what / 8 % 2];
    struct driver_queue *r = &g->queue[what / 16 % 2];

    switch (what % 8) {
    case 0:
        scribble(in, g);
        break;
    case 1:
        describe(in, r);
        break;
    case 2:
        driver_offer(r, what / 32);
        break;
    case 3:
        send(in, g);
        break;
    case 4:
        host_buffer(g, what / 32 * 256);
        break;
    case 5:
        host_reset(g);
        if (what & 32)
            host_start(g, g->device->features);
        break;
    case 6:
        g->device->model->pause(g->device, what & 32);
        break;
    default:
        host_notify(g, what / 16 % 2);
    }
}

/* What one sent the other received or missed, once; what was for the sender
 * itself, nobody did. */
static void check_counters(void)
{
    struct switch_counters x = host_counters(0), y = host_counters(1);

    FUZZ_CHECK(x.received + x.dropped <= y.sent);
    FUZZ_CHECK(y.received + y.dropped <= x.sent);
    FUZZ_CHECK(x.sent_bytes <= x.sent * SWITCH_FRAME_MAX);
    FUZZ_CHECK(host_warnings <= HOST_GUESTS);
    FUZZ_CHECK(mutex_host_held == 0);
}

/* The other guest's card may receive, no more. */
static void checked_step(struct fuzz_input *in, unsigned what)
{
    struct driver_queue *other = &host_guests[!(what / 8 % 2)].queue[TRANSMIT];
    uint16_t taken = other->q->next_available;

    step(in, what);
    FUZZ_CHECK(other->q->next_available == taken);
    check_counters();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t what = 0;

    memset(driver_memory.ram, 0, 0x6000);
    fuzz_take(&in, &what, 1);
    host_begin((what & 1 ? VIRTIO_F_EVENT_IDX : 0) |
                   (what & 2 ? VIRTIO_F_INDIRECT_DESC : 0),
               what & 4);
    while (in.left) {
        fuzz_take(&in, &what, 1);
        checked_step(&in, what);
    }
    host_end();
    FUZZ_CHECK(host_blocks == 0);
    return 0;
}
