/*
 * A guest's disk on the host, for tests and fuzzers of
 * vmm/devices/virtio_blk.c: a medium in memory, block requests that end at once
 * or stay in the air, and copies. Include it in one file of a program.
 */
#ifndef RAYOS_TEST_VIRTIO_BLK_HOST_H
#define RAYOS_TEST_VIRTIO_BLK_HOST_H

#define DRIVER_RING 64
#include "virtio_driver.h"

#include "vmm/devices/virtio_blk.h"
#include "vmm/vm.h"

#define SECTORS   256
#define DATA      0x30000u /* where buffers lie in the guest's memory */
#define HEADER    0x20000u
#define STATUS    0x21000u
#define INDIRECT  0x10000u
#define UNTOUCHED 0xee

static uint8_t medium[SECTORS * BLOCK_SECTOR];
static struct block_request *flying[BLK_REQUESTS]; /* NULL: none */
static unsigned submitted, copied;
static bool hold;         /* requests stay in the air */
static unsigned reset_at; /* the device is reset in that copy; 0: not */
static struct blk b;
static int fail;

/* --- the kernel below --- */

static void transfer(struct block_request *q)
{
    uint8_t *at = medium + q->sector * BLOCK_SECTOR;

    for (uint32_t i = 0; i < q->segment_count; i++) {
        uint8_t *ram = driver_memory.ram + q->segments[i].phys;

        memcpy(q->op == BLOCK_READ ? ram : at, q->op == BLOCK_READ ? at : ram,
               q->segments[i].length);
        at += q->segments[i].length;
    }
}

void block_submit(struct block_device *b, struct block_request *q)
{
    unsigned at = submitted++;

    (void)b;
    while (hold && flying[at % BLK_REQUESTS] && at < submitted + BLK_REQUESTS)
        at++;
    flying[at % BLK_REQUESTS] = q;
    if (hold)
        return;
    q->status = fail;
    if (!fail && (q->op == BLOCK_READ || q->op == BLOCK_WRITE))
        transfer(q);
    q->done(q);
}

phys_t guest_phys(struct guest_memory *m, gpa_t gpa, size_t n, size_t *got)
{
    (void)m;
    *got = gpa >= DRIVER_RAM      ? 0
           : n < DRIVER_RAM - gpa ? n
                                  : (size_t)(DRIVER_RAM - gpa);
    return gpa;
}

int disk_read(struct disk *d, uint64_t sector, void *buffer, uint32_t n)
{
    (void)d;
    copied++;
    memcpy(buffer, medium + sector * BLOCK_SECTOR, n * BLOCK_SECTOR);
    return fail;
}

int disk_write(struct disk *d, uint64_t sector, const void *buffer, uint32_t n)
{
    (void)d;
    copied++;
    if (reset_at && copied == reset_at)
        b.virtio.status = 0;
    memcpy(medium + sector * BLOCK_SECTOR, buffer, n * BLOCK_SECTOR);
    return fail;
}

bool waitq_wake_all(struct waitq *w)
{
    (void)w;
    return true;
}

int waitq_wait_uncancellable(struct waitq *w, struct spinlock *l, nstime_t t)
{
    (void)w, (void)l, (void)t;
    return 0;
}

bool work_submit(struct workq *q, struct work *w)
{
    (void)q;
    blk_work(w);
    return true;
}

/* --- a driver --- */

static struct block_device device;
static struct blk_request requests[BLK_REQUESTS];
static uint8_t buffer[BLK_BUFFER];
static struct driver_queue r;

static void begin(void)
{
    b = (struct blk){.disk = {.block = &device, .sectors = SECTORS},
                     .serial = "number 7",
                     .buffer = buffer};
    b.virtio = (struct virtio_device){.memory = &driver_memory,
                                      .state = &b,
                                      .status = VIRTIO_STATUS_DRIVER_OK,
                                      .interrupt = driver_interrupt,
                                      .features = VIRTIO_F_EVENT_IDX |
                                                  VIRTIO_F_INDIRECT_DESC};
    list_init(&b.free);
    list_init(&b.slow);
    for (unsigned i = 0; i < BLK_REQUESTS; i++) {
        requests[i].blk = &b;
        list_push_back(&b.free, &requests[i].node);
    }
    submitted = copied = reset_at = 0;
    hold = false;
    fail = 0;
    for (unsigned i = 0; i < sizeof(medium); i++)
        medium[i] = (uint8_t)(i / BLOCK_SECTOR + i);
    memset(driver_memory.ram + DATA, UNTOUCHED, 0x8000);
    r = driver_queue_make(&b.virtio, 0);
}

#endif
