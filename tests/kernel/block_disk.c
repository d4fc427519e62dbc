/*
 * Self-tests of the block layer over a disk in memory that answers from a timer
 * interrupt, takes small pieces and few requests at a time, and can be told to
 * answer nothing.
 */
#include <errno.h>
#include <string.h>

#include <rayos/block.h>
#include <rayos/mm.h>

#include "selftest.h"

#define BYTES   (512 * 1024)
#define ROOM    4
#define DELAY   (20 * NS_PER_US)
#define READERS 4

struct fake {
    struct block_device block;
    struct spinlock lock;
    struct block_request *has[ROOM]; /* lock */
    unsigned count;                  /* lock */
    bool stalled;                    /* lock */
    struct timer timer;
    uint8_t *data;
    _Atomic bool released;
};

static struct fake disk;

static int fake_submit(struct block_device *b, struct block_request *r)
{
    struct fake *d = container_of(b, struct fake, block);
    irqflags_t flags = spin_lock(&d->lock);
    int err = d->count < ROOM ? 0 : -ENOSPC;

    if (!err)
        d->has[d->count++] = r;
    if (!err && !d->stalled)
        timer_start(&d->timer, clock_now() + DELAY);
    spin_unlock(&d->lock, flags);
    return err;
}

static struct block_request *fake_take(struct fake *d)
{
    irqflags_t flags = spin_lock(&d->lock);
    struct block_request *r = d->count ? d->has[0] : NULL;

    if (r)
        memmove(d->has, d->has + 1, --d->count * sizeof(d->has[0]));
    spin_unlock(&d->lock, flags);
    return r;
}

static void fake_move(struct fake *d, const struct block_request *r)
{
    uint64_t left = (uint64_t)r->piece.sectors * BLOCK_SECTOR;
    uint8_t *at = d->data + r->piece.sector * BLOCK_SECTOR;

    for (uint32_t i = 0; i < r->piece.segment_count; i++) {
        struct block_segment s = block_piece_segment(&r->piece, i, &left);

        if (r->op == BLOCK_WRITE)
            memcpy(at, phys_to_virt(s.phys), s.length);
        else
            memcpy(phys_to_virt(s.phys), at, s.length);
        at += s.length;
    }
}

/* A handful at a time: those on other CPUs who read on and on may keep the
 * queue filled, and this CPU would stay in its interrupt. */
static void fake_interrupt(struct timer *t)
{
    struct fake *d = container_of(t, struct fake, timer);
    struct block_request *r;
    irqflags_t flags;

    for (int i = 0; i < ROOM && (r = fake_take(d)); i++) {
        fake_move(d, r);
        block_complete(r, 0);
    }
    flags = spin_lock(&d->lock);
    if (d->count && !d->stalled)
        timer_start(&d->timer, clock_now() + DELAY);
    spin_unlock(&d->lock, flags);
}

static void fake_cancel(struct block_device *b)
{
    struct fake *d = container_of(b, struct fake, block);
    struct block_request *r;

    timer_cancel_sync(&d->timer);
    while ((r = fake_take(d)))
        block_complete(r, -EAGAIN);
}

static int fake_restart(struct block_device *b)
{
    (void)b;
    return 0;
}

static void fake_release(struct block_device *b)
{
    struct fake *d = container_of(b, struct fake, block);

    kfree(d->data);
    d->data = NULL;
    d->released = true;
}

static const struct block_ops fake_ops = {
    .submit = fake_submit,
    .cancel = fake_cancel,
    .restart = fake_restart,
    .release = fake_release,
};

static bool fake_register(nstime_t timeout)
{
    disk = (struct fake){
        .block = {.name = "fake",
                  .ops = &fake_ops,
                  .sectors = BYTES / BLOCK_SECTOR,
                  .max_segments = 3,
                  .max_sectors = 16,
                  .timeout = timeout},
        .data = kzalloc(BYTES),
    };
    timer_init(&disk.timer, fake_interrupt);
    return EXPECT(disk.data) && EXPECT_EQ(block_register(&disk.block), 0);
}

static void fake_set_stalled(bool stalled)
{
    irqflags_t flags = spin_lock(&disk.lock);

    disk.stalled = stalled;
    spin_unlock(&disk.lock, flags);
}

/* --- all kinds of memory, from several threads at once --- */

#define STRIPE (BYTES / READERS)

/* Write and read a stripe of the disk by memory of kspace, of the heap, and at
 * an odd address. */
static void use_stripe(void *arg)
{
    uint64_t first = (uint64_t)(uintptr_t)arg * (STRIPE / BLOCK_SECTOR);
    struct block_device *b = block_get("fake");
    uint8_t *out = kspace_alloc(STRIPE, KSPACE_RW), *in = kalloc(STRIPE + 1);

    if (EXPECT(b && out && in)) {
        for (uint32_t i = 0; i < STRIPE; i++)
            out[i] = (uint8_t)(i * 7 + i / 256 + first);
        for (unsigned odd = 0; odd < 2; odd++) {
            memset(in, 0, STRIPE + 1);
            EXPECT_EQ(block_write(b, first, out, STRIPE / BLOCK_SECTOR), 0);
            EXPECT_EQ(block_read(b, first, in + odd, STRIPE / BLOCK_SECTOR), 0);
            EXPECT(memcmp(out, in + odd, STRIPE) == 0);
        }
        memset(out, 0, STRIPE);
        EXPECT_EQ(block_read(b, first + 1, out + 512, 100), 0);
        EXPECT(memcmp(out + 512, in + 1 + 512, 100 * BLOCK_SECTOR) == 0);
        EXPECT_EQ(block_write(b, first, in + 1, 3), 0);
    }
    kfree(in);
    if (out)
        kspace_free(out);
    if (b)
        block_put(b);
}

SELFTEST(block_memory, "four threads write and read a disk at once, by memory "
                       "of all kinds")
{
    struct thread *threads[READERS];

    if (!fake_register(0))
        return;
    for (uintptr_t i = 0; i < READERS; i++)
        threads[i] = selftest_thread(PRIO_CONTROL, CPU_ANY, use_stripe,
                                     (void *)i);
    for (int i = 0; i < READERS; i++)
        selftest_join(threads[i]);
    block_unregister(&disk.block);
    EXPECT(disk.released);
}

/* --- time-outs --- */

SELFTEST(block_timeout, "a disk that answers nothing is reset, and the request "
                        "tried again, then given up")
{
    struct block_stats s;
    uint8_t *buffer = kalloc(BLOCK_SECTOR);

    if (!EXPECT(buffer) || !fake_register(20 * NS_PER_MS))
        return;
    EXPECT_SOON(disk.block.scanned);
    fake_set_stalled(true);
    EXPECT_EQ(block_read(&disk.block, 0, buffer, 1), -ETIMEDOUT);
    block_get_stats(&disk.block, &s);
    EXPECT_EQ(s.timeouts, 3);
    EXPECT_EQ(s.resets, 3);
    EXPECT_EQ(s.retries, 2);
    fake_set_stalled(false);
    EXPECT_EQ(block_read(&disk.block, 0, buffer, 1), 0);
    block_unregister(&disk.block);
    EXPECT(disk.released);
    kfree(buffer);
}

/* --- going --- */

static _Atomic unsigned ended;

static void read_until_gone(void *arg)
{
    struct block_device *b = arg;
    uint8_t *buffer = kalloc(64 * BLOCK_SECTOR);
    int err = -ENOMEM;

    while (buffer && (err = block_read(b, 0, buffer, 64)) == 0)
        ;
    EXPECT_EQ(err, -ENODEV);
    kfree(buffer);
    block_put(b);
    ended++;
}

static void go_away(bool stalled)
{
    struct thread *threads[READERS];

    ended = 0;
    if (!fake_register(0))
        return;
    for (int i = 0; i < READERS; i++)
        threads[i] = selftest_thread(PRIO_CONTROL, CPU_ANY, read_until_gone,
                                     block_get("fake"));
    thread_sleep(5 * NS_PER_MS);
    fake_set_stalled(stalled);
    thread_sleep(2 * NS_PER_MS);
    EXPECT_EQ(ended, 0);
    block_unregister(&disk.block);
    EXPECT(block_get("fake") == NULL);
    EXPECT_SOON(ended == READERS);
    EXPECT_SOON(disk.released);
    for (int i = 0; i < READERS; i++)
        selftest_join(threads[i]);
}

SELFTEST(block_gone, "who reads a disk that goes away gets -ENODEV, and the "
                     "disk is let go with its last user")
{
    for (int i = 0; i < 10; i++)
        go_away(i % 2);
}
