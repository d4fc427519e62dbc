/* sources: vmm/devices/virtio_queue.c */
/*
 * A virtqueue of a guest whose driver is hostile: the input is what lies in the
 * rings, the tables and the indirect tables, changed between the steps. Nothing
 * outside of the guest's memory is touched, a chain's sums are those of its
 * segments, and every pop ends.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/virtio_driver.h"

static struct virtio_device device;
static struct virtio_chain chain;

static void check_chain(const struct virtio_chain *c)
{
    uint64_t sums[2] = {0, 0};
    uint8_t bytes[64];

    FUZZ_CHECK(c->count <= VIRTIO_SEGMENTS_MAX && c->readable <= c->count);
    for (unsigned i = 0; i < c->count; i++)
        sums[i >= c->readable] += c->segments[i].length;
    FUZZ_CHECK(sums[0] == c->read_size && sums[1] == c->write_size);
    FUZZ_CHECK(virtio_chain_read(&device, c, c->read_size / 2, bytes,
                                 sizeof(bytes)) <= (ssize_t)sizeof(bytes));
    virtio_chain_write(&device, c, c->write_size / 3, bytes, sizeof(bytes));
}

/* Some bytes somewhere in the first pages. */
static void scribble(struct fuzz_input *in)
{
    struct {
        uint16_t at;
        uint8_t n;
    } where;

    fuzz_take(in, &where.at, sizeof(where.at));
    fuzz_take(in, &where.n, sizeof(where.n));
    fuzz_take(in, driver_memory.ram + where.at % 0x6000, where.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    struct driver_queue r;
    uint8_t flags, step;

    fuzz_take(&in, &flags, 1);
    memset(driver_memory.ram, 0, 0x6000);
    device = (struct virtio_device){
        .memory = &driver_memory,
        .status = VIRTIO_STATUS_DRIVER_OK,
        .interrupt = driver_interrupt,
        .features = (flags & 1 ? VIRTIO_F_EVENT_IDX : 0) |
                    (flags & 2 ? VIRTIO_F_INDIRECT_DESC : 0)};
    r = driver_queue_make(&device, 0);
    if (flags & 4)
        r.q->next_available = r.q->next_used = r.available->index =
            r.used->index = UINT16_MAX - 2;
    while (in.left) {
        fuzz_take(&in, &step, 1);
        if (step & 1)
            scribble(&in);
        else if (step & 2)
            driver_offer(&r, step >> 2);
        else if (virtio_queue_pop(r.q, &chain) == 1) {
            check_chain(&chain);
            virtio_queue_push(r.q, chain.head, chain.write_size);
            virtio_queue_signal(r.q);
        }
    }
    return 0;
}
