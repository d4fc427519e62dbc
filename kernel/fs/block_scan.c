/*
 * Reads a new disk's partition table and has its volumes mounted, on a thread
 * of its own: the disk may take its time, or never answer.
 */
#include "block_scan.h"

#include <errno.h>

#include <rayos/log.h>
#include <rayos/mm.h>

#include "automount.h"

static int read_blocks(void *arg, uint64_t block, void *buffer, uint32_t count)
{
    struct block_device *b = arg;
    uint32_t unit = b->logical_sector / BLOCK_SECTOR;

    return block_read(b, block * unit, buffer, count * unit);
}

static void say(void *arg, const char *text)
{
    const struct block_device *b = arg;

    log_warn("block", "%s: %s", b->name, text);
}

static void add_partitions(struct block_device *b,
                           const struct partition_table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        int err = block_add_partition(b, &t->at[i]);

        if (err)
            log_warn("block", "%s: partition %u is left out: error %d", b->name,
                     t->at[i].number, -err);
    }
    log_info("block", "%s: %s with %u partition%s", b->name, t->kind, t->count,
             t->count == 1 ? "" : "s");
}

/* What lies on the disk: its partitions' volumes, or its own. */
static void offer_volumes(struct block_device *b, bool partitioned)
{
    struct block_device *p;

    if (!partitioned)
        automount_offer(b);
    for (size_t i = 0; (p = block_at(i)); i++) {
        if (p->parent == b)
            automount_offer(p);
        block_put(p);
    }
}

void block_scan(void *disk)
{
    struct block_device *b = disk;
    struct partition_table *table = kzalloc(sizeof(*table));
    struct partition_source source = {
        .read = read_blocks,
        .say = say,
        .arg = b,
        .block_size = b->logical_sector,
        .scratch = kalloc(PARTITION_BLOCK),
    };
    int err = -ENOMEM;

    source.blocks = b->sectors / (source.block_size / BLOCK_SECTOR);
    if (table && source.scratch)
        err = partition_read(&source, table);
    if (!err)
        add_partitions(b, table);
    else if (err != -ENOENT && err != -ENODEV)
        log_warn("block", "%s: no partition table could be read: error %d",
                 b->name, -err);
    offer_volumes(b, !err && table->count);
    kfree(source.scratch);
    kfree(table);
    b->scanned = true;
}
