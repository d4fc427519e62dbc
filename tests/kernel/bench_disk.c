/*
 * Benchmarks: reading and writing a disk, one request at a time, from call to
 * answer, interrupt included. What the CPU does while the disk works is taken
 * off: a thread of the lowest priority spins then and measures itself, so the
 * CPU never sleeps and time passes by instructions only.
 *
 * They run on the disk whose serial number is BENCH_SERIAL and on no other, as
 * they write.
 */
#include <errno.h>
#include <string.h>

#include <rayos/block.h>
#include <rayos/mm.h>

#include "bench.h"

#define BENCH_SERIAL "rayos-bench"
#define DISK_BYTES   (UINT64_C(8) << 20) /* that are used of it */

/* Two looks at the clock that are further apart were interrupted. */
#define GAP 200

struct spinner {
    volatile bool stop;
    volatile uint64_t spun; /* ticks */
};

static void spin(void *arg)
{
    struct spinner *s = arg;
    uint64_t last = arch_tsc();

    while (!s->stop) {
        uint64_t now = arch_tsc();

        if (now - last < GAP)
            s->spun += now - last;
        last = now;
    }
}

struct block_device *bench_disk(void)
{
    struct block_device *b;

    for (size_t i = 0; (b = block_at(i)); i++) {
        if (!b->parent && strcmp(b->serial, BENCH_SERIAL) == 0)
            return b;
        block_put(b);
    }
    return NULL;
}

static int measure(struct block_device *b, struct spinner *s, uint32_t rounds,
                   bool write, uint32_t bytes, struct bench_result *result)
{
    uint32_t sectors = bytes / BLOCK_SECTOR;
    uint64_t turn = DISK_BYTES / bytes;
    void *buffer = kzalloc(bytes);
    int err = buffer ? 0 : -ENOMEM;

    for (uint32_t i = 0; i < rounds && !err; i++) {
        uint64_t spun = s->spun, start = arch_tsc();

        err = write ? block_write(b, i % turn * sectors, buffer, sectors)
                    : block_read(b, i % turn * sectors, buffer, sectors);
        bench_record(result, arch_tsc() - start - (s->spun - spun));
    }
    kfree(buffer);
    return err;
}

static int run(uint32_t rounds, bool write, uint32_t bytes,
               struct bench_result *result)
{
    struct spinner s = {0};
    const struct thread_attr attr = {
        .name = "bench spinner",
        .entry = spin,
        .arg = &s,
        .priority = PRIO_IDLE + 1,
        .affinity = 0,
    };
    struct block_device *b = bench_disk();
    struct thread *t;
    int err;

    if (!b)
        return -ENODEV;
    err = thread_create(&attr, &t);
    if (!err) {
        err = measure(b, &s, rounds, write, bytes, result);
        s.stop = true;
        while (thread_join(t, TIME_NEVER))
            ;
        thread_put(t);
    }
    block_put(b);
    return err;
}

BENCH(disk_read_4k, "4 KiB of a disk, from call to answer")
{
    return run(rounds, false, 4096, result);
}

BENCH(disk_write_4k, "4 KiB to a disk, from call to answer")
{
    return run(rounds, true, 4096, result);
}

BENCH(disk_read_1m, "1 MiB of a disk, from call to answer")
{
    return run(rounds, false, 1 << 20, result);
}

BENCH(disk_write_1m, "1 MiB to a disk, from call to answer")
{
    return run(rounds, true, 1 << 20, result);
}
