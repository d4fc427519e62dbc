/*
 * The disks of a VM: one virtio block device for each line of its
 * configuration, and their configuration space (virtio 1.2 5.2.4). Thread
 * context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/thread.h>

#include "vmm/devices/virtio_blk.h"
#include "vmm/vm.h"

/* 5.2.3 */
#define F_SEG_MAX      (UINT64_C(1) << 2)
#define F_RO           (UINT64_C(1) << 5)
#define F_BLK_SIZE     (UINT64_C(1) << 6)
#define F_FLUSH        (UINT64_C(1) << 9)
#define F_TOPOLOGY     (UINT64_C(1) << 10)
#define F_DISCARD      (UINT64_C(1) << 13)
#define F_WRITE_ZEROES (UINT64_C(1) << 14)

/* Header and status take two of a chain's, which is no longer than the queue.
 */
#define SEG_MAX (BLK_QUEUE_SIZE - 2)

struct blk_config {
    uint64_t capacity;
    uint32_t size_max, seg_max;
    uint16_t cylinders;
    uint8_t heads, track;
    uint32_t blk_size;
    uint8_t physical_block_exp, alignment_offset;
    uint16_t min_io_size;
    uint32_t opt_io_size;
    uint8_t writeback, unused0;
    uint16_t num_queues;
    uint32_t max_discard_sectors, max_discard_seg, discard_sector_alignment;
    uint32_t max_write_zeroes_sectors, max_write_zeroes_seg;
    uint8_t write_zeroes_may_unmap, unused1[3];
};

_Static_assert(sizeof(struct blk_config) == 64, "padded to 8 bytes");
#define CONFIG_SIZE 60

static uint8_t log2_of(uint32_t n)
{
    uint8_t i = 0;

    while (n >>= 1)
        i++;
    return i;
}

static void config_read(struct virtio_device *d, uint32_t offset, void *out,
                        uint32_t n)
{
    const struct blk *b = d->state;
    const struct block_device *disk = b->disk.block;
    uint32_t logical = disk && disk->logical_sector ? disk->logical_sector
                                                    : BLOCK_SECTOR;
    uint32_t physical = disk && disk->physical_sector > logical
                            ? disk->physical_sector
                            : logical;
    const struct blk_config c = {
        .capacity = b->disk.sectors,
        .seg_max = SEG_MAX,
        .blk_size = logical,
        .physical_block_exp = log2_of(physical / logical),
        .max_discard_sectors = BLK_RANGE_SECTORS,
        .max_discard_seg = 1,
        .discard_sector_alignment = physical / BLOCK_SECTOR,
        .max_write_zeroes_sectors = BLK_RANGE_SECTORS,
        .max_write_zeroes_seg = 1,
    };

    memcpy(out, (const uint8_t *)&c + offset, n);
}

static void destroy(struct virtio_device *d)
{
    struct blk *b = d->state;

    if (b->thread)
        workq_destroy(b->thread);
    disk_close(&b->disk);
    kfree(b->requests);
    kfree(b->buffer);
    kfree(b);
}

static const struct virtio_model blk_model = {
    .name = "virtio-blk",
    .id = VIRTIO_ID_BLOCK,
    .features = F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY,
    .queue_count = 1,
    .queue_sizes = {BLK_QUEUE_SIZE},
    .config_size = CONFIG_SIZE,
    .config_read = config_read,
    .notify = blk_notify,
    .reset = blk_reset,
    .destroy = destroy,
};

static int make_requests(struct blk *b)
{
    list_init(&b->free);
    list_init(&b->slow);
    waitq_init(&b->idle);
    work_init(&b->work, blk_work);
    b->buffer = kalloc(BLK_BUFFER);
    b->requests = kzalloc(BLK_REQUESTS * sizeof(*b->requests));
    if (!b->buffer || !b->requests)
        return -ENOMEM;
    for (unsigned i = 0; i < BLK_REQUESTS; i++) {
        b->requests[i].blk = b;
        list_push_back(&b->free, &b->requests[i].node);
    }
    return 0;
}

static void set_features(struct blk *b)
{
    b->model = blk_model;
    if (b->disk.read_only)
        b->model.features |= F_RO;
    else
        b->model.features |= F_WRITE_ZEROES;
    if (!b->disk.read_only && blk_can_discard(b))
        b->model.features |= F_DISCARD;
}

/* The disk is open; it is closed on failure. */
static int blk_init(struct blk *b, struct vm *vm, const struct vm_disk *c)
{
    char name[THREAD_NAME_MAX];
    int err = make_requests(b);

    memcpy(b->serial, c->serial, sizeof(b->serial));
    set_features(b);
    virtio_device_init(&b->virtio, &b->model, vm, b);
    fmt_snprintf(name, sizeof(name), "vm%u disk", vm->id);
    if (!err)
        err = workq_create(name, PRIO_IO, &b->thread);
    if (!err)
        err = virtio_mmio_attach(vm, &b->virtio);
    if (err)
        destroy(&b->virtio);
    return err;
}

static int add_disk(struct vm *vm, const struct vm_disk *c)
{
    struct blk *b = kzalloc(sizeof(*b));
    int err;

    if (!b)
        return -ENOMEM;
    err = disk_open(&b->disk, c->source, c->read_only);
    if (err) {
        kfree(b);
        fmt_snprintf(vm->error, sizeof(vm->error), "disk %s: %s", c->source,
                     strerror(-err));
        return err;
    }
    return blk_init(b, vm, c);
}

static int blk_create(struct vm *vm)
{
    int err = 0;

    for (uint32_t i = 0; i < vm->config.disk_count && !err; i++)
        err = add_disk(vm, &vm->config.disks[i]);
    return err;
}

VM_DEVICE_TYPE(virtio_blk, .create = blk_create);
