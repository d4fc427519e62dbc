/* Which graphics mode to take. Pure. */
#ifndef BOOT_VIDEO_H
#define BOOT_VIDEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The best mode is sought up to this size: more pixels cost more than they
 * show. */
#define VIDEO_MAX_WIDTH  1920
#define VIDEO_MAX_HEIGHT 1080

struct video_mode {
    uint32_t width, height;
    bool usable; /* linear framebuffer, 32 bits a pixel */
};

#define VIDEO_MODE_NONE SIZE_MAX

/* "WIDTHxHEIGHT" in decimal, both from 1 to 65535. */
bool video_parse(const char *text, uint32_t *width, uint32_t *height);

/* Index of the usable mode of exactly that size; VIDEO_MODE_NONE. */
size_t video_find(const struct video_mode *modes, size_t count, size_t current,
                  uint32_t width, uint32_t height);

/*
 * Index of the usable mode with most pixels up to VIDEO_MAX_WIDTH x
 * VIDEO_MAX_HEIGHT, or the smallest one when all are larger. `current` wins
 * over its equals. VIDEO_MODE_NONE: none is usable.
 */
size_t video_best(const struct video_mode *modes, size_t count, size_t current);

#endif
