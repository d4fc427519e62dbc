/*
 * The pointer: from motions and buttons of any device to a place on the screen
 * and to the surface there. Also built for the host tests: what is pure of it.
 */
#ifndef RAYOS_DISPLAY_POINTER_H
#define RAYOS_DISPLAY_POINTER_H

#include <rayos/types.h>

enum pointer_action { POINTER_MOVED, POINTER_PRESSED, POINTER_RELEASED };

struct pointer_event {
    enum pointer_action action;
    int32_t x, y;    /* on the screen */
    uint16_t button; /* BTN_*, unless it moved */
};

/* Asked before any surface. Where it takes a press, it also gets the motions
 * and the release that follow, and no surface does. In the context of
 * input_pointer_t. Set once. */
typedef bool (*pointer_hook_t)(const struct pointer_event *e);
void pointer_set_hook(pointer_hook_t hook);

/* A motion of so many counts in pixels: slow ones are exact, from
 * POINTER_FAST on every further count is two. */
#define POINTER_FAST 8
int32_t pointer_accelerate(int32_t counts);
/* A place of an absolute device, min..max, among `side` pixels. */
int32_t pointer_scale(int32_t value, int32_t min, int32_t max, int32_t side);

/* The default picture, up to POINTER_MAX on each side; `large` is drawn at
 * twice the size. */
void pointer_picture(bool large, uint32_t *argb, uint32_t *width,
                     uint32_t *height);

#endif
