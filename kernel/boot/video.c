/*
 * Choice of the graphics mode from the list that the firmware offers. Pure;
 * loader (graphics.c) and host tests.
 */
#include "kernel/boot/video.h"

#define SIZE_LIMIT 65535u

static bool number_parse(const char **text, uint32_t *value)
{
    const char *p = *text;
    uint32_t n = 0;

    if (*p < '0' || *p > '9')
        return false;
    for (; *p >= '0' && *p <= '9'; p++) {
        n = n * 10 + (uint32_t)(*p - '0');
        if (n > SIZE_LIMIT)
            return false;
    }
    *text = p;
    *value = n;
    return n != 0;
}

bool video_parse(const char *text, uint32_t *width, uint32_t *height)
{
    if (!number_parse(&text, width))
        return false;
    if (*text != 'x' && *text != 'X')
        return false;
    text++;
    return number_parse(&text, height) && !*text;
}

size_t video_find(const struct video_mode *modes, size_t count, size_t current,
                  uint32_t width, uint32_t height)
{
    size_t found = VIDEO_MODE_NONE;

    for (size_t i = 0; i < count; i++)
        if (modes[i].usable && modes[i].width == width &&
            modes[i].height == height &&
            (found == VIDEO_MODE_NONE || i == current))
            found = i;
    return found;
}

/* Is a to be preferred to b? */
static bool is_better(const struct video_mode *a, const struct video_mode *b)
{
    bool a_fits = a->width <= VIDEO_MAX_WIDTH && a->height <= VIDEO_MAX_HEIGHT;
    bool b_fits = b->width <= VIDEO_MAX_WIDTH && b->height <= VIDEO_MAX_HEIGHT;
    uint64_t a_pixels = (uint64_t)a->width * a->height;
    uint64_t b_pixels = (uint64_t)b->width * b->height;

    if (a_fits != b_fits)
        return a_fits;
    return a_fits ? a_pixels > b_pixels : a_pixels < b_pixels;
}

size_t video_best(const struct video_mode *modes, size_t count, size_t current)
{
    size_t best = VIDEO_MODE_NONE;

    if (current < count && modes[current].usable)
        best = current;
    for (size_t i = 0; i < count; i++)
        if (modes[i].usable &&
            (best == VIDEO_MODE_NONE || is_better(&modes[i], &modes[best])))
            best = i;
    return best;
}
