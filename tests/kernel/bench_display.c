/*
 * Benchmarks: what the compositor takes for a frame, and, beside it, what just
 * copying the same pixels takes. A sample is one frame; rows.py divides it by
 * the pixels.
 */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/surface.h>

#include "bench.h"

#define DAMAGE_SIDE 200

/* Report that part of the terminal, and wait for its frame. */
static int frame(struct surface *s, struct rect r, struct bench_result *result)
{
    struct compositor_stats before, after;
    int err;

    compositor_get_stats(&before);
    surface_damage(s, r);
    err = compositor_flush();
    compositor_get_stats(&after);
    if (!err)
        bench_record(result,
                     clock_to_tsc(after.busy) - clock_to_tsc(before.busy));
    return err;
}

static int frames(uint32_t rounds, struct rect r, struct bench_result *result)
{
    struct surface *s = surface_find("terminal");
    int err = s ? compositor_flush() : -ENODEV;

    for (uint32_t i = 0; i < rounds && !err; i++)
        err = frame(s, r, result);
    if (s)
        surface_put(s);
    return err;
}

BENCH(display_full_redraw, "a frame in which all of the screen has changed")
{
    uint32_t width, height;

    compositor_screen_size(&width, &height);
    return frames(rounds, (struct rect){0, 0, (int32_t)width, (int32_t)height},
                  result);
}

BENCH(display_damage, "a frame in which 200 x 200 pixels have changed")
{
    return frames(rounds, (struct rect){100, 100, DAMAGE_SIDE, DAMAGE_SIDE},
                  result);
}

/* All of the screen, line by line, from memory to memory. */
BENCH(display_copy, "copying as many pixels as the screen has")
{
    uint32_t width, height;
    size_t line;
    char *from, *to;

    compositor_screen_size(&width, &height);
    if (!width)
        return -ENODEV;
    line = width * sizeof(uint32_t);
    from = kspace_alloc(2 * line * height, KSPACE_RW);
    if (!from)
        return -ENOMEM;
    to = from + line * height;
    for (uint32_t i = 0; i < rounds; i++) {
        uint64_t start = arch_tsc();

        for (uint32_t y = 0; y < height; y++)
            memcpy(to + y * line, from + y * line, line);
        bench_record(result, arch_tsc() - start);
    }
    kspace_free(from);
    return 0;
}
