/* sources: vmm/devices/virtio_blk.c vmm/devices/virtio_queue.c */
/*
 * A guest's disk with a hostile driver: any headers, chains and rings, changed
 * between the steps, and completions in any order. Nothing outside of the
 * guest's memory and of the disk is touched, and every request comes back.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/virtio_blk_host.h"

static void scribble(struct fuzz_input *in)
{
    /* The rings, the indirect tables, headers and what they point at. */
    static const uint32_t places[] = {0x1000, 0x1400, INDIRECT, HEADER};
    uint8_t where[3];

    fuzz_take(in, where, sizeof(where));
    fuzz_take(in, driver_memory.ram + places[where[0] % 4] + where[1] * 4u,
              where[2] % 64);
}

/* A request that is right but for what the input says. */
static void ask(struct fuzz_input *in, unsigned i)
{
    struct {
        uint32_t type, address, length;
        uint64_t sector;
        uint16_t flags;
    } q = {0};
    struct blk_header *h = (void *)(driver_memory.ram + HEADER);

    fuzz_take(in, &q, sizeof(q));
    h->type = q.type % 15;
    h->sector = q.sector % (SECTORS + 2);
    driver_describe(&r, 3 * i, HEADER, sizeof(*h), DRIVER_NEXT, 3 * i + 1);
    driver_describe(&r, 3 * i + 1, q.address % (DRIVER_RAM + 512),
                    q.length % 0x8000, (q.flags & DRIVER_WRITE) | DRIVER_NEXT,
                    3 * i + 2);
    driver_describe(&r, 3 * i + 2, STATUS, 1, DRIVER_WRITE, 0);
    driver_offer(&r, 3 * i);
}

static void land_one(unsigned i)
{
    struct block_request *q = flying[i % BLK_REQUESTS];

    if (!q)
        return;
    flying[i % BLK_REQUESTS] = NULL;
    q->status = 0;
    q->done(q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t step;

    begin();
    memset(flying, 0, sizeof(flying));
    hold = true;
    while (in.left) {
        fuzz_take(&in, &step, 1);
        if (step % 4 == 0)
            scribble(&in);
        else if (step % 4 == 1)
            land_one(step / 4);
        else
            ask(&in, step / 4 % 21);
        if (!(b.virtio.status & VIRTIO_STATUS_NEEDS_RESET))
            blk_notify(&b.virtio, r.q);
        FUZZ_CHECK(b.busy <= BLK_REQUESTS);
    }
    for (unsigned i = 0; i < BLK_REQUESTS; i++)
        land_one(i);
    FUZZ_CHECK(b.busy == 0);
    return 0;
}
