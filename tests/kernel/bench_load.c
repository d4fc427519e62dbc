/* What benchmarks measure against: a machine that has much else to do. Thread
 * context. */
#include <errno.h>
#include <string.h>

#include <rayos/block.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>

#include "bench.h"

#define FLOODS      3
#define FLOOD_BYTES 16384
#define FLOOD_ROOM  (UINT64_C(8) << 20) /* of the disk */
#define THREADS_MAX (MAX_CPUS + 1 + FLOODS)

static _Atomic bool load_ends;
static struct thread *threads[THREADS_MAX];
static struct block_device *disk; /* with a reference while threads run */

/* Of the ways with interrupts off, those that every program takes. */
static void allocate_and_switch(void *arg)
{
    (void)arg;
    while (!load_ends) {
        void *p = kalloc(3000), *q = kspace_alloc(PAGE_SIZE, KSPACE_RW);

        thread_yield();
        kfree(p);
        kspace_free(q);
    }
}

/* One writes, the others read, in requests of different lengths. */
static void flood(void *arg)
{
    uint32_t number = (uint32_t)(uintptr_t)arg, sectors, turn;
    void *buffer = kzalloc(FLOOD_BYTES);
    int err = buffer ? 0 : -ENOMEM;

    sectors = FLOOD_BYTES / BLOCK_SECTOR >> number;
    turn = (uint32_t)(FLOOD_ROOM / BLOCK_SECTOR / sectors);
    for (uint32_t i = 0; !err && !load_ends; i = (i + 1) % turn) {
        uint64_t at = (uint64_t)i * sectors;

        err = number == 0 ? block_write(disk, at, buffer, sectors)
                          : block_read(disk, at, buffer, sectors);
    }
    kfree(buffer);
}

static int add(void (*entry)(void *), uint32_t number, int priority)
{
    const struct thread_attr attr = {
        .name = "load",
        .entry = entry,
        .arg = (void *)(uintptr_t)number,
        .priority = (uint8_t)priority,
        .affinity = CPU_ANY,
    };
    size_t i = 0;

    while (i < THREADS_MAX && threads[i])
        i++;
    return i < THREADS_MAX ? thread_create(&attr, &threads[i]) : -ENOSPC;
}

int bench_load_start(bool with_flood)
{
    int err = 0;

    load_ends = false;
    for (uint32_t i = 0; !err && i <= cpu_count(); i++)
        err = add(allocate_and_switch, i, PRIO_CONTROL);
    if (err || !with_flood)
        return err;
    disk = bench_disk();
    if (!disk)
        return -ENODEV;
    for (uint32_t i = 0; !err && i < FLOODS; i++)
        err = add(flood, i, PRIO_IO);
    return err;
}

void bench_load_stop(void)
{
    load_ends = true;
    for (size_t i = 0; i < THREADS_MAX; i++) {
        if (threads[i]) {
            thread_join(threads[i], TIME_NEVER);
            thread_put(threads[i]);
            threads[i] = NULL;
        }
    }
    if (disk)
        block_put(disk);
    disk = NULL;
}
