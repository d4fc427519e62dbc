/*
 * The registry of block devices: names, references, partitions. Thread context.
 */
#include <rayos/block.h>

#include <errno.h>
#include <string.h>

#include <rayos/cmdline.h>
#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/thread.h>

#include "automount.h"
#include "block_queue.h"
#include "block_scan.h"

_Static_assert(sizeof(((struct block_device *)0)->label) ==
                   sizeof(((struct partition *)0)->label),
               "texts of a partition are copied as they are");

static struct mutex lock = MUTEX_INIT(lock);
/* Disks in the order in which they came, each followed by its partitions. */
static struct list devices = LIST_INIT(devices); /* lock */
static struct workq *reset_queue; /* written once, before the first device */

/* --- resets: a thread of their own, as they may take long --- */

void block_reset_submit(struct block_device *b)
{
    work_submit(reset_queue, &b->reset_work);
}

void block_reset_flush(void)
{
    workq_flush(reset_queue);
}

/* With the first device; lock held. */
static int prepare(void)
{
    uint64_t seconds;

    if (reset_queue)
        return 0;
    seconds = cmdline_number("block.timeout", BLOCK_TIMEOUT / NS_PER_SEC);
    if (seconds && seconds <= UINT32_MAX)
        block_queue_set_timeout(seconds * NS_PER_SEC);
    block_queue_set_slow(
        cmdline_number("block.slow", BLOCK_SLOW_NS / NS_PER_MS) * NS_PER_MS);
    return workq_create("block", PRIO_IO, &reset_queue);
}

/* --- references --- */

static struct block_device *of_node(struct list *n)
{
    return container_of(n, struct block_device, all);
}

/* Lock held. */
static struct block_device *find(const char *name)
{
    list_for_each (n, &devices)
        if (strcmp(of_node(n)->name, name) == 0)
            return of_node(n);
    return NULL;
}

struct block_device *block_get(const char *name)
{
    struct block_device *b;

    mutex_lock(&lock);
    b = find(name);
    if (b)
        b->refs++;
    mutex_unlock(&lock);
    return b;
}

struct block_device *block_at(size_t i)
{
    struct block_device *b = NULL;

    mutex_lock(&lock);
    list_for_each (n, &devices)
        if (i-- == 0) {
            b = of_node(n);
            b->refs++;
            break;
        }
    mutex_unlock(&lock);
    return b;
}

void block_put(struct block_device *b)
{
    struct block_device *parent = b->parent;

    if (--b->refs)
        return;
    if (!parent) {
        b->ops->release(b);
        return;
    }
    kfree(b);
    block_put(parent);
}

/* --- claims --- */

static bool overlap(const struct block_device *a, const struct block_device *b)
{
    const struct block_device *x = a->parent ? a->parent : a;
    const struct block_device *y = b->parent ? b->parent : b;

    return x == y && a->first_sector < b->first_sector + b->sectors &&
           b->first_sector < a->first_sector + a->sectors;
}

int block_claim(struct block_device *b, bool write)
{
    int err = b->gone ? -ENODEV : 0;

    mutex_lock(&lock);
    list_for_each (n, &devices) {
        const struct block_device *o = of_node(n);

        if (overlap(o, b) && (o->claims[1] || (write && o->claims[0])))
            err = -EBUSY;
    }
    if (!err)
        b->claims[write]++;
    mutex_unlock(&lock);
    return err;
}

void block_disclaim(struct block_device *b, bool write)
{
    mutex_lock(&lock);
    b->claims[write]--;
    mutex_unlock(&lock);
}

/* --- coming --- */

/* Partitions go behind the last one of their disk; lock held. */
static void insert(struct block_device *b)
{
    struct list *at = &devices;

    if (b->parent) {
        at = b->parent->all.next;
        while (at != &devices && of_node(at)->parent == b->parent)
            at = at->next;
    }
    list_insert_before(at, &b->all);
}

static int add(struct block_device *b)
{
    int err;

    mutex_lock(&lock);
    err = find(b->name) ? -EEXIST : prepare();
    if (!err) {
        if (!b->logical_sector)
            b->logical_sector = BLOCK_SECTOR;
        block_queue_init(b);
        b->refs = 1;
        insert(b);
    }
    mutex_unlock(&lock);
    return err;
}

static void announce(const struct block_device *b)
{
    log_info("block", "%s: %llu MiB%s%s%s", b->name,
             (unsigned long long)(b->sectors * BLOCK_SECTOR >> 20),
             b->read_only ? ", read-only" : "", *b->serial ? ", serial " : "",
             b->serial);
    block_event(b, BLOCK_CAME, 0);
}

int block_register(struct block_device *b)
{
    const struct thread_attr attr = {
        .name = "partitions",
        .entry = block_scan,
        .arg = b,
        .priority = PRIO_IO,
        .affinity = CPU_ANY,
    };
    int err;

    b->scanner = NULL;
    err = add(b);
    if (err)
        return err;
    announce(b);
    /* Without it there are no partitions, and the disk works all the same. */
    err = thread_create(&attr, &b->scanner);
    if (err) {
        log_warn("block", "%s is not searched for partitions: error %d",
                 b->name, -err);
        b->scanned = true;
    }
    return 0;
}

int block_add_partition(struct block_device *disk, const struct partition *p)
{
    uint32_t unit = disk->logical_sector / BLOCK_SECTOR;
    size_t end = strlen(disk->name);
    bool digit = end && disk->name[end - 1] >= '0' &&
                 disk->name[end - 1] <= '9';
    struct block_device *b = kzalloc(sizeof(*b));
    int err;

    if (!b)
        return -ENOMEM;
    *b = (struct block_device){
        .parent = disk,
        .ops = disk->ops,
        .first_sector = p->first * unit,
        .sectors = (p->last - p->first + 1) * unit,
        .logical_sector = disk->logical_sector,
        .physical_sector = disk->physical_sector,
        .max_segments = disk->max_segments,
        .max_sectors = disk->max_sectors,
        .max_discard = disk->max_discard,
        .read_only = disk->read_only || p->read_only,
        .can_flush = disk->can_flush,
        .can_discard = disk->can_discard,
    };
    fmt_snprintf(b->name, sizeof(b->name), "%s%s%u", disk->name,
                 digit ? "p" : "", p->number);
    memcpy(b->type, p->type, sizeof(b->type));
    memcpy(b->uuid, p->uuid, sizeof(b->uuid));
    memcpy(b->label, p->label, sizeof(b->label));
    disk->refs++;
    err = add(b);
    if (err) {
        kfree(b);
        block_put(disk);
        return err;
    }
    b->scanned = true;
    block_event(b, BLOCK_CAME, 0);
    return 0;
}

/* --- going --- */

/* Take a partition of `disk` out of the list, and the registry's reference with
 * it; NULL: there is none left. */
static struct block_device *take_partition(struct block_device *disk)
{
    struct block_device *found = NULL;
    irqflags_t flags;

    mutex_lock(&lock);
    list_for_each (n, &devices)
        if (of_node(n)->parent == disk) {
            found = of_node(n);
            list_remove(n);
            break;
        }
    mutex_unlock(&lock);
    if (found) {
        flags = spin_lock(&disk->lock);
        found->gone = true;
        spin_unlock(&disk->lock, flags);
    }
    return found;
}

/* What was written shall survive: the power may be taken away next. */
static void flush_last(struct block_device *b)
{
    int err = b->dirty && b->can_flush ? block_flush(b) : 0;

    if (err)
        log_warn("block", "%s goes without its last flush: error %d", b->name,
                 -err);
}

void block_unregister(struct block_device *b)
{
    struct block_device *p;

    flush_last(b);
    block_queue_close(b); /* what the scanner reads fails now */
    if (b->scanner) {
        while (thread_join(b->scanner, TIME_NEVER))
            thread_yield(); /* whoever unbinds may be cancelled: not now */
        thread_put(b->scanner);
        b->scanner = NULL;
    }
    while ((p = take_partition(b))) {
        automount_withdraw(p);
        block_event(p, BLOCK_GONE, 0);
        block_put(p);
    }
    mutex_lock(&lock);
    list_remove(&b->all);
    mutex_unlock(&lock);
    automount_withdraw(b);
    log_info("block", "%s is gone", b->name);
    block_event(b, BLOCK_GONE, 0);
    block_put(b);
}
