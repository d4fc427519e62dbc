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

/* Called by the compositor's thread, one at a time. They may draw on, damage,
 * resize and set views of surfaces; they must not destroy one, flush or read
 * the screen. */
struct surface_ops {
    /* Before a frame, when the surface is shown and surface_damage was called
     * since the last: draw what is pending and report it by surface_damage. May
     * be NULL. */
    void (*prepare)(struct surface *s);
    /* The view's size on the screen changed (a guest may follow). May be NULL.
     */
    void (*resized)(struct surface *s, uint32_t width, uint32_t height);
    /* First shown, or no longer shown at all. May be NULL. */
    void (*visible)(struct surface *s, bool shown);
};

#define SURFACE_BYTES_MAX (UINT64_C(256) << 20) /* of one picture */

/* A picture, charged to the caller's account. NULL: the name is taken, there
 * are too many, no memory, or no such size. */
struct surface *surface_create(const char *name, uint32_t width,
                               uint32_t height, const struct surface_ops *ops,
                               void *arg);
/* Nobody uses its pixels or ops on return. The caller holds no lock that its
 * callbacks take. */
void surface_destroy(struct surface *s);
void *surface_arg(const struct surface *s);
const char *surface_name(const struct surface *s);
void surface_size(const struct surface *s, uint32_t *width, uint32_t *height);
/* New size, pixels cleared. -ENOMEM: as before. */
int surface_resize(struct surface *s, uint32_t width, uint32_t height);
/* Show pixels of the caller's in place of the surface's own, which are given
 * back; they stay until surface_set_picture, surface_resize or surface_destroy
 * returns: then nobody reads them. With another size all is damaged, else
 * nothing. -EINVAL. Thread context, the surface not locked. */
int surface_set_picture(struct surface *s, uint32_t *pixels, uint32_t width,
                        uint32_t height, uint32_t stride_pixels);

/* Draw between these two: the compositor reads no torn picture. Bounded work
 * only, and no second surface. NULL once it is destroyed (for those who have a
 * reference only). */
uint32_t *surface_lock(struct surface *s, uint32_t *stride_pixels);
void surface_unlock(struct surface *s);
/* This part changed; an empty one just asks for `prepare`. Any context but NMI.
 */
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

/* All at once, from the next frame on. An opaque view covers its place whole,
 * black where the picture does not reach; a view that blends leaves that part
 * alone. Any context but NMI. */
void surface_set_view(struct surface *s, const struct surface_view *v);
void surface_get_view(const struct surface *s, struct surface_view *out);
void surface_show(struct surface *s, bool shown);
/* Nearest of those with its z. Any context but NMI. */
void surface_raise(struct surface *s);

/* By name, with a reference (surface_put); NULL. */
struct surface *surface_find(const char *name);
struct surface *surface_at(size_t i); /* nearest first; with a reference */
void surface_get(struct surface *s);  /* one more; any context */
void surface_put(struct surface *s);  /* any context but NMI */

/* --- the pointer on it --- */

struct input_stream;

struct surface_input {
    /* Gets buttons, wheel and ABS_X, ABS_Y in the surface's own pixels; NULL:
     * nobody does. To be taken away before the stream goes. */
    struct input_stream *stream;
    bool focus;   /* a button pressed on it gives the stream the focus */
    bool passive; /* the pointer sees through it */
};
/* Any context but NMI. */
void surface_set_input(struct surface *s, const struct surface_input *input);
void surface_get_input(const struct surface *s, struct surface_input *out);
/* The nearest shown surface at a point that is not passive; with its own
 * coordinates and a reference. NULL. Any context but NMI. */
struct surface *surface_under(int32_t x, int32_t y, int32_t *sx, int32_t *sy);
/* The pixel of the surface that is shown there, or the nearest one. */
void surface_map_point(const struct surface *s, int32_t x, int32_t y,
                       int32_t *sx, int32_t *sy);

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
/* The pointer: a picture of up to 64x64 with a hot spot; NULL: none. It is not
 * seen before it has moved. Moving is any context but NMI; places outside of
 * the screen are brought to its edge. */
#define POINTER_MAX 64
int compositor_set_pointer(const uint32_t *argb, uint32_t width,
                           uint32_t height, int32_t hot_x, int32_t hot_y);
void compositor_move_pointer(int32_t x, int32_t y);
/* Where it is; false: it is not seen. Any context. */
bool compositor_get_pointer(int32_t *x, int32_t *y);

/* What the pointer looks like over a surface. */
enum surface_pointer {
    SURFACE_POINTER_USUAL,
    SURFACE_POINTER_NONE, /* the surface draws one itself */
    SURFACE_POINTER_OWN
};
/* The picture is for SURFACE_POINTER_OWN, up to POINTER_MAX on each side, and
 * copied. -EINVAL, -ENOMEM: as before. Thread context, the surface not locked.
 */
struct surface_pointer_picture {
    const uint32_t *argb;
    uint32_t width, height;
    int32_t hot_x, hot_y;
};
int surface_set_pointer(struct surface *s, enum surface_pointer what,
                        const struct surface_pointer_picture *own);

struct compositor_stats {
    uint64_t frames, pixels; /* composed */
    nstime_t busy;
};
void compositor_get_stats(struct compositor_stats *out);

#endif
