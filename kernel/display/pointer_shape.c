/* The pointer's picture and the arithmetic of its motion: see pointer.h. Pure;
 * any context. */
#include "pointer.h"

#define SHAPE_WIDTH  12
#define SHAPE_HEIGHT 19

/* '#': outline, '.': inside. The hot spot is the top left corner. */
static const char shape[SHAPE_HEIGHT][SHAPE_WIDTH + 1] = {
    "#           ", "##          ", "#.#         ", "#..#        ",
    "#...#       ", "#....#      ", "#.....#     ", "#......#    ",
    "#.......#   ", "#........#  ", "#.........# ", "#..........#",
    "#......#####", "#...#..#    ", "#..# #..#   ", "#.#  #..#   ",
    "##    #..#  ", "      #..#  ", "       ##   ",
};

#define OUTLINE 0xff10151cu
#define INSIDE  0xfff4f7fau

void pointer_picture(bool large, uint32_t *argb, uint32_t *width,
                     uint32_t *height)
{
    uint32_t factor = large ? 2 : 1;

    *width = SHAPE_WIDTH * factor;
    *height = SHAPE_HEIGHT * factor;
    for (uint32_t y = 0; y < *height; y++)
        for (uint32_t x = 0; x < *width; x++) {
            char c = shape[y / factor][x / factor];

            argb[y * *width + x] = c == '#' ? OUTLINE : c == '.' ? INSIDE : 0;
        }
}

int32_t pointer_accelerate(int32_t counts)
{
    /* No device moves that fast; sums stay inside 32 bits. */
    if (counts > 4096)
        counts = 4096;
    if (counts < -4096)
        counts = -4096;
    if (counts > POINTER_FAST)
        return 2 * counts - POINTER_FAST;
    if (counts < -POINTER_FAST)
        return 2 * counts + POINTER_FAST;
    return counts;
}

int32_t pointer_scale(int32_t value, int32_t min, int32_t max, int32_t side)
{
    int64_t range = (int64_t)max - min, at = (int64_t)value - min;

    if (range <= 0 || side <= 0 || at <= 0)
        return 0;
    if (at >= range)
        return side - 1;
    return (int32_t)((at * (side - 1) + range / 2) / range);
}
