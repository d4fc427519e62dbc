/*
 * Surfaces and the compositor (design: "Display and input"). A surface is a
 * picture that somebody draws: the terminal, the status bar, a guest's scanout.
 * The compositor lays views of surfaces over each other, scales, blends and
 * clips them, and copies what changed to the framebuffer, on a thread of its
 * own, a frame at a time. It knows no policy.
 *
 * Pixels are 0xAARRGGBB; alpha is not premultiplied and is looked at only where
 * the view says so. Coordinates are pixels, origin top left. Thread context
 * unless said.
 */
#ifndef RAYOS_SURFACE_H
#define RAYOS_SURFACE_H

#include <rayos/list.h>
#include <rayos/spinlock.h>
#include <rayos/types.h>

struct rect {
    int32_t x, y;
    int32_t w, h; /* empty when not positive */
};

#define SURFACE_NAME_MAX 32

struct surface;

struct surface_ops {
    /* Before a frame, when the surface is shown: draw what is pending and
     * report it by surface_damage. May be NULL. */
    void (*prepare)(struct surface *s);
    /* The view's size on the screen changed (a guest may follow). May be NULL.
     */
    void (*resized)(struct surface *s, uint32_t width, uint32_t height);
    /* First shown, or no longer shown at all. May be NULL. */
    void (*visible)(struct surface *s, bool shown);
};

/* A picture in memory of the owner's. */
struct surface *surface_create(const char *name, uint32_t width,
                               uint32_t height, const struct surface_ops *ops,
                               void *arg);
/* Hidden first; nobody uses its pixels on return. */
void surface_destroy(struct surface *s);
void *surface_arg(const struct surface *s);
const char *surface_name(const struct surface *s);
void surface_size(const struct surface *s, uint32_t *width, uint32_t *height);
/* New size, pixels cleared. -ENOMEM: as before. */
int surface_resize(struct surface *s, uint32_t width, uint32_t height);

/* Draw between these two: the compositor reads no torn picture. Bounded work
 * only. */
uint32_t *surface_lock(struct surface *s, uint32_t *stride_pixels);
void surface_unlock(struct surface *s);
/* This part changed. Any context but NMI. */
void surface_damage(struct surface *s, struct rect r);

/* --- views: what is on the screen --- */

enum surface_scaling {
    SCALE_NONE,    /* pixel for pixel, clipped to the view */
    SCALE_INTEGER, /* the largest whole factor that fits, centred */
    SCALE_FIT,     /* bilinear, aspect kept, centred */
    SCALE_FILL,    /* bilinear, aspect not kept */
};

struct surface_view {
    bool shown;
    struct rect place; /* on the screen */
    int32_t z;         /* higher is nearer; equal: the later shown is nearer */
    enum surface_scaling scaling;
    bool blend;      /* look at the pixels' alpha */
    uint8_t opacity; /* of all of it, 255: opaque */
};

/* All at once, from the next frame on. Any context but NMI for changes of
 * `shown` alone (reflexes): surface_show. */
void surface_set_view(struct surface *s, const struct surface_view *v);
void surface_get_view(const struct surface *s, struct surface_view *out);
void surface_show(struct surface *s, bool shown);

/* By name, with a reference (surface_put); NULL. */
struct surface *surface_find(const char *name);
struct surface *surface_at(size_t i); /* nearest first; with a reference */
void surface_put(struct surface *s);
/* The nearest shown surface at a point that takes the pointer; with its own
 * coordinates. NULL. Any context but NMI. */
struct surface *surface_under(int32_t x, int32_t y, int32_t *sx, int32_t *sy);

/* --- the screen --- */

void compositor_screen_size(uint32_t *width, uint32_t *height);
/* All damage reported before the call is on the screen. 0, -ENODEV, -ECANCELED.
 */
int compositor_flush(void);
/* The composed picture, 3 bytes a pixel: red, green, blue. 0, -ENODEV, -EINVAL
 * when the rectangle is not inside, -ECANCELED. */
int compositor_read_pixels(struct rect r, uint8_t *rgb);
/* Behind everything. */
void compositor_set_background(uint32_t top_rgb, uint32_t bottom_rgb);
/* The pointer: a picture of up to 64x64 with a hot spot; NULL: none. Moving is
 * any context but NMI. */
int compositor_set_pointer(const uint32_t *argb, uint32_t width,
                           uint32_t height, int32_t hot_x, int32_t hot_y);
void compositor_move_pointer(int32_t x, int32_t y);

struct compositor_stats {
    uint64_t frames, pixels; /* composed */
    nstime_t busy;
};
void compositor_get_stats(struct compositor_stats *out);

#endif
