/*
 * virtio-blk (virtio 1.2 5.2): one queue, as many requests in flight as it
 * holds. Requests are started under the block device's lock in any context but
 * NMI, completed in interrupt context; all else in thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/block.h>
#include <rayos/clock.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/sync.h>
#include <rayos/thread.h>
#include <rayos/virtio.h>

/* 5.2.3: features */
#define F_SIZE_MAX (UINT64_C(1) << 1)
#define F_SEG_MAX  (UINT64_C(1) << 2)
#define F_RO       (UINT64_C(1) << 5)
#define F_BLK_SIZE (UINT64_C(1) << 6)
#define F_FLUSH    (UINT64_C(1) << 9)
#define F_TOPOLOGY (UINT64_C(1) << 10)
#define F_DISCARD  (UINT64_C(1) << 13)
#define WANTED                                                           \
    (F_SIZE_MAX | F_SEG_MAX | F_RO | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | \
     F_DISCARD | VIRTIO_F_INDIRECT_DESC | VIRTIO_F_EVENT_IDX)

/* 5.2.4: offsets in the configuration */
#define CONFIG_CAPACITY     0
#define CONFIG_SIZE_MAX     8
#define CONFIG_SEG_MAX      12
#define CONFIG_BLK_SIZE     20
#define CONFIG_PHYSICAL_EXP 24
#define CONFIG_MAX_DISCARD  36

/* 5.2.6: requests */
#define TYPE_IN      0
#define TYPE_OUT     1
#define TYPE_FLUSH   4
#define TYPE_GET_ID  8
#define TYPE_DISCARD 11

#define STATUS_OK     0
#define STATUS_UNSUPP 2
#define STATUS_UNSET  0xff /* ours: the device wrote none */

#define QUEUE_SIZE   128
#define SEGMENTS_MAX 126 /* with header and status, a table of 128 */
#define SECTORS_MAX  32768
#define ID_BYTES     20
#define ID_PATIENCE  NS_PER_SEC
#define DISKS_MAX    (26 + 26 * 26)

/* What the device sees of a request besides the data. */
struct wire {
    struct {
        uint32_t type, reserved;
        uint64_t sector;
    } header;
    struct {
        uint64_t sector;
        uint32_t sectors, flags;
    } range; /* of a discard, 5.2.6 */
    uint8_t status;
    char id[ID_BYTES]; /* of the disk, when that is asked for */
    uint8_t padding[11];
};

_Static_assert(sizeof(struct wire) == 64, "one cache line");

struct slot {
    struct block_request *request; /* NULL: the disk's id is asked for */
    struct slot *next;             /* free ones */
    uint16_t table, count; /* of a request that is prepared: its descriptors */
};

struct virtio_blk {
    struct block_device block; /* its lock is ours, too */
    struct virtio_device *v;
    struct virtqueue *q; /* lock; NULL while the device is stopped */
    struct slot *free;   /* lock */
    uint32_t preparing;  /* lock: requests between prepare and submit */
    struct wire *wire;   /* one for each slot */
    phys_t wire_phys;
    unsigned wire_order;
    struct semaphore id_ready;
    struct slot slots[QUEUE_SIZE];
    struct virtio_buffer buffers[SEGMENTS_MAX + 2]; /* lock */
};

static struct virtio_blk *disk_of(struct block_device *b)
{
    return container_of(b, struct virtio_blk, block);
}

/* --- requests --- */

static phys_t wire_at(const struct virtio_blk *d, const struct wire *w,
                      size_t member)
{
    return d->wire_phys + (phys_t)((const uint8_t *)w - (uint8_t *)d->wire) +
           member;
}

static uint32_t type_of(enum block_op op)
{
    static const uint8_t types[] = {
        [BLOCK_READ] = TYPE_IN,
        [BLOCK_WRITE] = TYPE_OUT,
        [BLOCK_FLUSH] = TYPE_FLUSH,
        [BLOCK_DISCARD] = TYPE_DISCARD,
    };

    return types[op];
}

/* Bytes that the device must have written. */
static uint64_t expected(const struct block_request *r)
{
    uint64_t data = r->op == BLOCK_READ ? r->piece.sectors : 0;

    return data * BLOCK_SECTOR + sizeof(uint8_t);
}

/* Append the data's memory; returns how many buffers there are now. */
static unsigned put_segments(struct virtio_blk *d, const struct block_piece *p,
                             unsigned n)
{
    uint64_t left = (uint64_t)p->sectors * BLOCK_SECTOR;

    for (uint32_t i = 0; i < p->segment_count; i++) {
        struct block_segment s = block_piece_segment(p, i, &left);

        d->buffers[n++] = (struct virtio_buffer){s.phys, s.length};
    }
    return n;
}

static struct virtio_buffer put_header(struct virtio_blk *d, struct wire *w,
                                       enum block_op op, uint64_t sector)
{
    w->header.type = type_of(op);
    w->header.sector = sector;
    w->status = STATUS_UNSET;
    return (struct virtio_buffer){wire_at(d, w, offsetof(struct wire, header)),
                                  sizeof(w->header)};
}

static struct virtio_buffer status_buffer(const struct virtio_blk *d,
                                          const struct wire *w)
{
    return (struct virtio_buffer){wire_at(d, w, offsetof(struct wire, status)),
                                  sizeof(w->status)};
}

/* Header, data, status (5.2.6); lock held. */
static int put(struct virtio_blk *d, struct slot *s, struct block_request *r)
{
    struct wire *w = &d->wire[s - d->slots];
    const struct block_piece *p = &r->piece;
    unsigned n = 1, out;

    d->buffers[0] = put_header(d, w, r->op, 0);
    if (r->op == BLOCK_DISCARD) {
        w->range.sector = p->sector;
        w->range.sectors = p->sectors;
        d->buffers[n++] = (struct virtio_buffer){
            wire_at(d, w, offsetof(struct wire, range)), sizeof(w->range)};
    } else if (r->op != BLOCK_FLUSH) {
        w->header.sector = p->sector;
        n = put_segments(d, p, n);
    }
    out = r->op == BLOCK_READ ? 1 : n;
    d->buffers[n++] = status_buffer(d, w);
    return virtqueue_add(d->q, d->buffers, out, n - out, s);
}

static void put_back(struct virtio_blk *d, struct slot *s)
{
    s->next = d->free;
    d->free = s;
}

/* The same into the slot's table; without the lock. */
static void fill_table(struct virtio_blk *d, struct slot *s,
                       const struct block_request *r)
{
    struct wire *w = &d->wire[s - d->slots];
    const struct block_piece *p = &r->piece;
    uint64_t left = (uint64_t)p->sectors * BLOCK_SECTOR;
    unsigned n = 0;

    virtqueue_fill_table(d->q, s->table, n++,
                         put_header(d, w, r->op, p->sector), false);
    for (uint32_t i = 0; i < p->segment_count; i++) {
        struct block_segment g = block_piece_segment(p, i, &left);

        virtqueue_fill_table(d->q, s->table, n++,
                             (struct virtio_buffer){g.phys, g.length},
                             r->op == BLOCK_READ);
    }
    virtqueue_fill_table(d->q, s->table, n++, status_buffer(d, w), true);
    s->count = (uint16_t)n;
}

/* A slot with a table, or NULL. blk_cancel waits until it is used. */
static struct slot *take_prepared(struct virtio_blk *d)
{
    irqflags_t flags = spin_lock(&d->block.lock);
    bool stops = d->block.resetting || d->block.gone;
    struct slot *s = d->q && !stops ? d->free : NULL;
    uint16_t table = s ? virtqueue_take_table(d->q) : VIRTQUEUE_NO_TABLE;

    if (table == VIRTQUEUE_NO_TABLE) {
        s = NULL;
    } else {
        d->free = s->next;
        s->table = table;
        d->preparing++;
    }
    spin_unlock(&d->block.lock, flags);
    return s;
}

static void blk_prepare(struct block_device *b, struct block_request *r)
{
    struct slot *s = NULL;

    if (r->op == BLOCK_READ || r->op == BLOCK_WRITE)
        s = take_prepared(disk_of(b));
    if (s)
        fill_table(disk_of(b), s, r);
    r->driver = s;
}

static void blk_forget(struct block_device *b, struct block_request *r)
{
    struct virtio_blk *d = disk_of(b);
    struct slot *s = r->driver;

    if (!s)
        return;
    virtqueue_drop_table(d->q, s->table);
    put_back(d, s);
    d->preparing--;
    r->driver = NULL;
}

static int submit_prepared(struct virtio_blk *d, struct block_request *r)
{
    struct slot *s = r->driver;
    int err = virtqueue_add_table(d->q, s->table, s->count,
                                  (uint32_t)expected(r), s);

    if (err) {
        blk_forget(&d->block, r);
        return err == -EIO ? -ENOSPC : err;
    }
    s->request = r;
    d->preparing--;
    r->driver = NULL;
    return 0;
}

static int blk_submit(struct block_device *b, struct block_request *r)
{
    struct virtio_blk *d = disk_of(b);
    struct slot *s = d->free;
    int err = -ENOSPC;

    if (r->driver)
        return submit_prepared(d, r);
    if (s && d->q)
        err = put(d, s, r);
    if (!err) {
        d->free = s->next;
        s->request = r;
    }
    /* Broken: the reset is under way, or will be asked for. */
    return err == -EIO ? -ENOSPC : err;
}

static void blk_kick(struct block_device *b)
{
    struct virtio_blk *d = disk_of(b);

    if (d->q)
        virtqueue_kick(d->q);
}

static int status_of(uint8_t status)
{
    if (status == STATUS_OK)
        return 0;
    return status == STATUS_UNSUPP ? -ENOTSUP : -EIO;
}

/* The next one that is done, its slot free again; false: none. */
static bool take_done(struct virtio_blk *d, struct block_request **r,
                      int *status)
{
    irqflags_t flags = spin_lock(&d->block.lock);
    struct slot *s = NULL;
    uint32_t written = 0;

    do {
        s = virtqueue_get(d->q, &written);
    } while (!s && !virtqueue_enable_callback(d->q));
    if (s) {
        *r = s->request;
        *status = status_of(
            __atomic_load_n(&d->wire[s - d->slots].status, __ATOMIC_RELAXED));
        /* Lengths of the legacy interface are not reliable (2.7.8.2). */
        if (*r && !*status && d->v->features & VIRTIO_F_VERSION_1 &&
            written < expected(*r))
            *status = -EIO;
        put_back(d, s);
    }
    spin_unlock(&d->block.lock, flags);
    return s;
}

/* Interrupt context. */
static void on_done(struct virtqueue *q, void *arg)
{
    struct virtio_blk *d = arg;
    struct block_request *r;
    int status;

    (void)q;
    irq_window();
    while (take_done(d, &r, &status)) {
        irq_window();
        if (r)
            block_complete(r, status);
        else
            sem_post(&d->id_ready);
        irq_window();
    }
    if (d->v->broken)
        block_needs_reset(&d->block);
}

/* --- starting and stopping --- */

static int start_device(struct virtio_blk *d)
{
    const struct virtqueue_spec spec = {
        .name = "requests",
        .size = QUEUE_SIZE,
        .callback = on_done,
        .arg = d,
        .indirect = SEGMENTS_MAX + 2,
    };
    int err = virtio_start(d->v, WANTED, 0);

    if (!err)
        err = virtio_create_queues(d->v, &spec, 1);
    if (err)
        return err;
    d->q = virtio_queue(d->v, 0);
    virtio_ready(d->v);
    return 0;
}

/* No new ones begin: the device is being reset, or gone. */
static void await_prepared(struct virtio_blk *d)
{
    for (;;) {
        irqflags_t flags = spin_lock(&d->block.lock);
        uint32_t left = d->preparing;

        spin_unlock(&d->block.lock, flags);
        if (!left)
            return;
        thread_sleep(NS_PER_MS);
    }
}

static void blk_cancel(struct block_device *b)
{
    struct virtio_blk *d = disk_of(b);
    struct slot *s;

    virtio_quiesce(d->v); /* no interrupt comes from here on */
    await_prepared(d);
    while (d->q && (s = virtqueue_detach(d->q))) {
        struct block_request *r = s->request;

        put_back(d, s);
        if (r)
            block_complete(r, -EAGAIN);
    }
    d->q = NULL;
    virtio_stop(d->v);
}

static int blk_restart(struct block_device *b)
{
    return start_device(disk_of(b));
}

static void blk_release(struct block_device *b)
{
    kfree(disk_of(b));
}

static const struct block_ops blk_ops = {
    .prepare = blk_prepare,
    .forget = blk_forget,
    .submit = blk_submit,
    .kick = blk_kick,
    .cancel = blk_cancel,
    .restart = blk_restart,
    .release = blk_release,
};

/* --- what the device is --- */

static uint32_t config32(struct virtio_blk *d, uint32_t offset)
{
    uint32_t x;

    virtio_config_read(d->v, offset, &x, sizeof(x));
    return x;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static int read_limits(struct virtio_blk *d)
{
    struct block_device *b = &d->block;
    uint64_t f = d->v->features;
    uint32_t room = virtqueue_free_slots(d->q) - 2; /* without tables */

    b->max_sectors = SECTORS_MAX;
    if (f & F_SIZE_MAX) /* of a segment; a piece of no more keeps it */
        b->max_sectors = least(SECTORS_MAX,
                               config32(d, CONFIG_SIZE_MAX) / BLOCK_SECTOR);
    b->max_segments = f & F_SEG_MAX ? config32(d, CONFIG_SEG_MAX) : 1;
    b->max_segments = least(b->max_segments, least(room, SEGMENTS_MAX));
    if (f & F_DISCARD)
        b->max_discard = config32(d, CONFIG_MAX_DISCARD);
    return b->max_sectors && b->max_segments ? 0 : -EPROTO;
}

static int read_config(struct virtio_blk *d)
{
    struct block_device *b = &d->block;
    uint64_t f = d->v->features;
    uint8_t exponent = 0;

    virtio_config_read(d->v, CONFIG_CAPACITY, &b->sectors, sizeof(b->sectors));
    b->logical_sector = f & F_BLK_SIZE ? config32(d, CONFIG_BLK_SIZE) : 0;
    if (b->logical_sector < BLOCK_SECTOR || b->logical_sector > PAGE_SIZE ||
        b->logical_sector & (b->logical_sector - 1))
        b->logical_sector = BLOCK_SECTOR;
    if (f & F_TOPOLOGY)
        virtio_config_read(d->v, CONFIG_PHYSICAL_EXP, &exponent, 1);
    b->physical_sector = b->logical_sector << (exponent < 16 ? exponent : 0);
    b->read_only = f & F_RO;
    b->can_flush = f & F_FLUSH;
    b->can_discard = f & F_DISCARD;
    if (b->sectors > UINT64_MAX / BLOCK_SECTOR)
        return -EPROTO;
    return read_limits(d);
}

/* Ask for the disk's serial number (5.2.6.1) and wait for it a while. Devices
 * without one refuse, which does not matter. */
static void read_serial(struct virtio_blk *d)
{
    irqflags_t flags = spin_lock(&d->block.lock);
    struct slot *s = d->free;
    struct wire *w = &d->wire[s - d->slots];
    const struct virtio_buffer buffers[] = {
        {wire_at(d, w, offsetof(struct wire, header)), sizeof(w->header)},
        {wire_at(d, w, offsetof(struct wire, id)), ID_BYTES},
        {wire_at(d, w, offsetof(struct wire, status)), 1},
    };

    w->header.type = TYPE_GET_ID;
    w->status = STATUS_UNSET;
    s->request = NULL;
    if (!virtqueue_add(d->q, buffers, 1, 2, s)) {
        d->free = s->next;
        virtqueue_kick(d->q);
    }
    spin_unlock(&d->block.lock, flags);
    if (sem_wait(&d->id_ready, clock_now() + ID_PATIENCE))
        return;
    for (size_t i = 0; i < ID_BYTES; i++) {
        char c = __atomic_load_n(&w->id[i], __ATOMIC_RELAXED);

        if (!c)
            break;
        d->block.serial[i] = (char)(c >= ' ' && c < 0x7f ? c : '?');
    }
}

/* --- the driver --- */

static unsigned wire_order(void)
{
    size_t bytes = sizeof(struct wire) * QUEUE_SIZE;
    unsigned order = 0;

    while ((PAGE_SIZE << order) < bytes)
        order++;
    return order;
}

static struct virtio_blk *create(struct virtio_device *v)
{
    struct virtio_blk *d = kzalloc(sizeof(*d));

    if (!d)
        return NULL;
    d->v = v;
    d->wire_order = wire_order();
    d->wire_phys = frame_alloc(d->wire_order, FRAME_ZERO);
    if (d->wire_phys == FRAME_NONE) {
        kfree(d);
        return NULL;
    }
    d->wire = phys_to_virt(d->wire_phys);
    d->block.ops = &blk_ops;
    d->block.driver = d;
    sem_init(&d->id_ready, 0);
    for (size_t i = QUEUE_SIZE; i--;)
        put_back(d, &d->slots[i]);
    return d;
}

/* Under the first free name: vda to vdz, vdaa to vdzz. */
static int add_disk(struct virtio_blk *d)
{
    int err = -EEXIST;

    for (unsigned n = 0; err == -EEXIST && n < DISKS_MAX; n++) {
        char *p = d->block.name;

        *p++ = 'v';
        *p++ = 'd';
        if (n >= 26)
            *p++ = (char)('a' + n / 26 - 1);
        *p++ = (char)('a' + n % 26);
        *p = '\0';
        err = block_register(&d->block);
    }
    return err;
}

static int blk_probe(struct device *dev)
{
    struct virtio_blk *d = create(virtio_device_of(dev));
    int err;

    if (!d)
        return -ENOMEM;
    err = start_device(d);
    if (!err)
        err = read_config(d);
    if (!err) {
        read_serial(d);
        err = add_disk(d);
    }
    if (err) {
        virtio_stop(d->v);
        frame_free(d->wire_phys, d->wire_order);
        kfree(d);
        return err;
    }
    dev->driver_data = d;
    return 0;
}

static void blk_remove(struct device *dev)
{
    struct virtio_blk *d = dev->driver_data;
    phys_t wire = d->wire_phys;
    unsigned order = d->wire_order;

    block_unregister(&d->block); /* d is gone with its last user */
    frame_free(wire, order);
}

static void blk_describe(const struct device *dev, struct device_report *r)
{
    const struct virtio_blk *d = dev->driver_data;

    device_report_text(r, "disk", d->block.name);
    device_report_number(r, "sectors", d->block.sectors);
    device_report_text(r, "serial", d->block.serial);
}

static const struct virtio_id blk_ids[] = {{VIRTIO_BLOCK}, {0}};

DRIVER(virtio_blk, .bus = &virtio_bus, .ids = blk_ids, .probe = blk_probe,
       .remove = blk_remove, .describe = blk_describe);
