/*
 * One channel of an IDE controller. Requests are begun under the lock of a
 * block device, in any context but NMI; they end in interrupt context; all else
 * in thread context. Each drive holds one request at most; when both have one,
 * they take turns.
 */
#include <errno.h>
#include <string.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/thread.h>

#include "ata.h"

/* ATA 5: registers, from the first port of the command block */
#define DATA     0
#define COUNT    2
#define LBA_LOW  3
#define LBA_MID  4
#define LBA_HIGH 5
#define DEVICE   6
#define STATUS   7 /* read: acknowledges the interrupt */
#define COMMAND  7 /* write */

#define STATUS_ERROR 0x01
#define STATUS_DRQ   0x08
#define STATUS_FAULT 0x20
#define STATUS_BUSY  0x80
#define STATUS_NONE  0xff /* nothing decodes the port */

#define DEVICE_LBA   0xe0 /* with the two bits that were always one */
#define DEVICE_SLAVE 0x10

/* The control block's port: writes are control, reads the status once more,
 * without the acknowledgement. */
#define CONTROL_NO_IRQ 0x02
#define CONTROL_RESET  0x04

/* ATA 6: commands */
#define READ_DMA_EXT    0x25
#define WRITE_DMA_EXT   0x35
#define READ_DMA        0xc8
#define WRITE_DMA       0xca
#define FLUSH_CACHE     0xe7
#define FLUSH_CACHE_EXT 0xea
#define IDENTIFY        0xec

#define LBA28_END (UINT64_C(1) << 28)

/* Bus Master IDE 1.0, 2: ports of a channel, and the table of memory */
#define MASTER_COMMAND 0
#define MASTER_STATUS  2
#define MASTER_TABLE   4
#define MASTER_START   0x01
#define MASTER_READ    0x08 /* from the disk */
#define MASTER_ACTIVE  0x01
#define MASTER_ERROR   0x02
#define MASTER_IRQ     0x04
#define TABLE_END      0x8000u
#define TABLE_PIECE    0x10000u /* no piece crosses 64 KiB; written as 0 */

#define IDENTIFY_TIMEOUT NS_PER_SEC
#define RESET_TIMEOUT    (31 * NS_PER_SEC) /* ATA 9.2 */
#define RESET_HOLD       (5 * NS_PER_US)
#define RESET_SETTLE     (2 * NS_PER_MS)

struct table_entry {
    uint32_t phys;
    uint16_t bytes, flags;
};

static struct ata_drive *drive_of(struct block_device *b)
{
    return container_of(b, struct ata_drive, block);
}

static uint8_t status_now(const struct ata_channel *c)
{
    return arch_in8(c->control);
}

/* A drive shows its status 400 ns after it was selected (ATA 9.3). */
static void select_drive(const struct ata_channel *c, unsigned index,
                         uint8_t bits)
{
    arch_out8(c->command + DEVICE,
              (uint8_t)(DEVICE_LBA | (index ? DEVICE_SLAVE : 0) | bits));
    clock_delay(400);
}

/* --- commands --- */

static bool has_data(const struct block_request *r)
{
    return r->op == BLOCK_READ || r->op == BLOCK_WRITE;
}

/* Between the request's memory and ours. */
static void copy(struct ata_channel *c, const struct block_piece *p, bool read)
{
    uint64_t left = (uint64_t)p->sectors * BLOCK_SECTOR;
    uint8_t *ours = phys_to_virt(c->buffer);

    for (uint32_t i = 0; left; i++) {
        struct block_segment s = block_piece_segment(p, i, &left);

        if (read)
            memcpy(phys_to_virt(s.phys), ours, s.length);
        else
            memcpy(ours, phys_to_virt(s.phys), s.length);
        ours += s.length;
    }
}

static void prepare_master(struct ata_channel *c, uint32_t bytes, bool read)
{
    struct table_entry *t = phys_to_virt(c->table);
    uint32_t phys = (uint32_t)c->buffer;

    for (;; t++, phys += TABLE_PIECE, bytes -= TABLE_PIECE) {
        uint32_t n = bytes < TABLE_PIECE ? bytes : TABLE_PIECE;

        *t = (struct table_entry){phys, (uint16_t)n, 0};
        if (n == bytes)
            break;
    }
    t->flags = TABLE_END;
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* before the device looks */
    arch_out8(c->master + MASTER_COMMAND, read ? MASTER_READ : 0);
    arch_out8(c->master + MASTER_STATUS, MASTER_ERROR | MASTER_IRQ);
    arch_out32(c->master + MASTER_TABLE, (uint32_t)c->table);
}

/* Registers of LBA48 are written twice, the high halves first (ATA 6.20). */
static void put_address(struct ata_channel *c, unsigned index, uint64_t lba,
                        uint32_t count, bool wide)
{
    select_drive(c, index, wide ? 0 : (uint8_t)(lba >> 24));
    if (wide) {
        arch_out8(c->command + COUNT, (uint8_t)(count >> 8));
        arch_out8(c->command + LBA_LOW, (uint8_t)(lba >> 24));
        arch_out8(c->command + LBA_MID, (uint8_t)(lba >> 32));
        arch_out8(c->command + LBA_HIGH, (uint8_t)(lba >> 40));
    }
    arch_out8(c->command + COUNT, (uint8_t)count); /* 256 is 0 */
    arch_out8(c->command + LBA_LOW, (uint8_t)lba);
    arch_out8(c->command + LBA_MID, (uint8_t)(lba >> 8));
    arch_out8(c->command + LBA_HIGH, (uint8_t)(lba >> 16));
}

/* Lock held. A drive that does not do it says nothing: the block layer's time
 * runs out. */
static void begin(struct ata_channel *c, struct ata_drive *d)
{
    const struct block_piece *p = &d->request->piece;
    bool read = d->request->op == BLOCK_READ;

    c->current = d;
    if (!has_data(d->request)) {
        select_drive(c, d->index, 0);
        arch_out8(c->command + COMMAND,
                  d->lba48 ? FLUSH_CACHE_EXT : FLUSH_CACHE);
        return;
    }
    bool wide = p->sector + p->sectors > LBA28_END;
    uint8_t command = wide   ? read ? READ_DMA_EXT : WRITE_DMA_EXT
                      : read ? READ_DMA
                             : WRITE_DMA;

    if (!read)
        copy(c, p, false);
    prepare_master(c, p->sectors * BLOCK_SECTOR, read);
    put_address(c, d->index, p->sector, p->sectors, wide);
    arch_out8(c->command + COMMAND, command);
    arch_out8(c->master + MASTER_COMMAND,
              (uint8_t)(MASTER_START | (read ? MASTER_READ : 0)));
}

/* The drive that did not have the last turn comes first; lock held. */
static void begin_next(struct ata_channel *c, unsigned last)
{
    for (unsigned i = 1; i <= 2 && !c->current && !c->stopped; i++) {
        struct ata_drive *d = c->drive[(last + i) % 2];

        if (d && d->request)
            begin(c, d);
    }
}

static int submit(struct block_device *b, struct block_request *r)
{
    struct ata_drive *d = drive_of(b);
    struct ata_channel *c = d->channel;
    irqflags_t flags = spin_lock(&c->lock);
    int err = d->request ? -ENOSPC : 0;

    if (!err) {
        d->request = r;
        begin_next(c, !d->index);
    }
    spin_unlock(&c->lock, flags);
    return err;
}

/* --- interrupts --- */

/* Is it the end of the command? Then its status. Lock held. */
static bool take_status(struct ata_channel *c, const struct block_request *r,
                        int *err)
{
    uint8_t master = arch_in8(c->master + MASTER_STATUS), status;

    if (has_data(r) && !(master & MASTER_IRQ))
        return false;
    status = arch_in8(c->command + STATUS);
    if (status & STATUS_BUSY)
        return false;
    arch_out8(c->master + MASTER_COMMAND, 0);
    arch_out8(c->master + MASTER_STATUS, MASTER_ERROR | MASTER_IRQ);
    *err = status & (STATUS_ERROR | STATUS_FAULT | STATUS_DRQ) ? -EIO : 0;
    /* Still active: it has moved less than it should. */
    if (has_data(r) && master & (MASTER_ERROR | MASTER_ACTIVE))
        *err = -EIO;
    return true;
}

/* Interrupt context. */
static void interrupt(void *arg)
{
    struct ata_channel *c = arg;
    irqflags_t flags = spin_lock(&c->lock);
    struct ata_drive *d = c->current;
    struct block_request *r = d ? d->request : NULL;
    int err = 0;

    if (!d || !take_status(c, r, &err)) {
        c->strays++;
        if (!d)
            arch_in8(c->command + STATUS); /* whoever it was: be quiet */
        spin_unlock(&c->lock, flags);
        return;
    }
    if (r->op == BLOCK_READ && !err)
        copy(c, &r->piece, true);
    d->request = NULL;
    c->current = NULL;
    begin_next(c, d->index);
    spin_unlock(&c->lock, flags);
    block_complete(r, err);
}

/* --- reset --- */

static int wait_idle(const struct ata_channel *c, nstime_t timeout)
{
    nstime_t end = clock_now() + timeout;

    while (status_now(c) & STATUS_BUSY) {
        if (clock_now() > end)
            return -ETIMEDOUT;
        if (thread_sleep(NS_PER_MS))
            clock_delay(NS_PER_MS); /* a cancelled thread waits all the same */
    }
    return 0;
}

/* Both drives; the bus master stands still then (ATA 9.2). */
static void reset(struct ata_channel *c)
{
    arch_out8(c->master + MASTER_COMMAND, 0);
    arch_out8(c->control, CONTROL_RESET);
    clock_delay(RESET_HOLD);
    arch_out8(c->control, 0);
    arch_out8(c->master + MASTER_STATUS, MASTER_ERROR | MASTER_IRQ);
}

static void cancel(struct block_device *b)
{
    struct ata_drive *d = drive_of(b);
    struct ata_channel *c = d->channel;
    irqflags_t flags = spin_lock(&c->lock);
    struct block_request *r = d->request;

    if (c->current == d) {
        c->stopped = true;
        reset(c);
        c->current = NULL;
    }
    d->request = NULL;
    if (b->gone)
        c->drive[d->index] = NULL; /* soon its last user frees it */
    spin_unlock(&c->lock, flags);
    if (r)
        block_complete(r, -EAGAIN);
    if (b->gone && c->stopped) /* the other drive goes on */
        ata_block_ops.restart(b);
}

static int restart(struct block_device *b)
{
    struct ata_drive *d = drive_of(b);
    struct ata_channel *c = d->channel;
    irqflags_t flags;
    int err = 0;

    if (c->stopped) {
        clock_delay(RESET_SETTLE);
        err = wait_idle(c, RESET_TIMEOUT);
    }
    flags = spin_lock(&c->lock);
    c->stopped = false;
    begin_next(c, d->index);
    spin_unlock(&c->lock, flags);
    return err;
}

static void release(struct block_device *b)
{
    kfree(drive_of(b));
}

const struct block_ops ata_block_ops = {
    .submit = submit,
    .cancel = cancel,
    .restart = restart,
    .release = release,
};

/* --- life --- */

int ata_channel_identify(struct ata_channel *c, unsigned index,
                         struct ata_identity *out)
{
    uint16_t words[ATA_IDENTIFY_WORDS];
    uint8_t status;

    select_drive(c, index, 0);
    status = status_now(c);
    if (status == STATUS_NONE || !status || wait_idle(c, IDENTIFY_TIMEOUT))
        return -ENODEV;
    arch_out8(c->command + COMMAND, IDENTIFY);
    clock_delay(400);
    status = status_now(c);
    if (!status || wait_idle(c, IDENTIFY_TIMEOUT))
        return -ENODEV;
    status = arch_in8(c->command + STATUS);
    if (status & STATUS_ERROR || !(status & STATUS_DRQ))
        return -ENODEV; /* no disk: a CD drive refuses */
    for (size_t i = 0; i < ATA_IDENTIFY_WORDS; i++)
        words[i] = arch_in16(c->command + DATA);
    return ata_identify_parse(words, out);
}

int ata_channel_init(struct ata_channel *c)
{
    c->lock = (struct spinlock)SPINLOCK_INIT;
    c->vector = -1;
    c->buffer = frame_alloc(ATA_BUFFER_ORDER, FRAME_LOW32);
    c->table = frame_alloc(0, FRAME_LOW32 | FRAME_ZERO);
    if (c->buffer == FRAME_NONE || c->table == FRAME_NONE) {
        ata_channel_stop(c);
        return -ENOMEM;
    }
    arch_out8(c->control, CONTROL_NO_IRQ);
    return 0;
}

int ata_channel_start(struct ata_channel *c)
{
    int vector;

    arch_in8(c->command + STATUS); /* what the firmware left */
    vector = irq_request_isa(c->line, c->name, interrupt, c);
    if (vector < 0)
        return vector;
    c->vector = vector;
    arch_out8(c->control, 0);
    return 0;
}

void ata_channel_stop(struct ata_channel *c)
{
    arch_out8(c->control, CONTROL_NO_IRQ);
    if (c->vector >= 0)
        irq_release(c->vector);
    c->vector = -1;
    if (c->buffer != FRAME_NONE)
        frame_free(c->buffer, ATA_BUFFER_ORDER);
    if (c->table != FRAME_NONE)
        frame_free(c->table, 0);
    c->buffer = c->table = FRAME_NONE;
}
