/*
 * The compositor: a thread that makes frames of what surfaces report, 60 a
 * second at most and none while nothing changes, and writes whole lines to the
 * framebuffer, which is only ever written. Contexts as in rayos/surface.h.
 */
#include <errno.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/framebuffer.h>
#include <rayos/percpu.h>
#include <rayos/surface.h>
#include <rayos/thread.h>
#include <rayos/unit.h>

#include "display.h"
#include "palette.h"

#define FRAME_NS (NS_PER_SEC / 60)

static struct {
    bool started; /* there is a screen and a thread; constant after start */
    struct thread *thread; /* set by itself */
    struct semaphore work;
    _Atomic bool queued; /* `work` is posted and not yet taken */

    /* display_lock */
    struct region damage;
    uint32_t top, bottom;
    int32_t pointer_x, pointer_y;
    bool pointer_moved;
    struct rect pointer_drawn; /* in the last frame, and its picture */
    const uint32_t *pointer_argb;
    uint64_t begun, ended; /* frames */
    struct waitq flushers;
    struct compositor_stats stats;

    /* display_turn */
    uint32_t *line, *scratch;
    uint32_t pointer[POINTER_MAX * POINTER_MAX];
    uint32_t pointer_width, pointer_height;
    int32_t hot_x, hot_y;
    struct surface *surfaces[SURFACES_MAX]; /* nearest first */
    size_t count;
    struct compose_layer layers[SURFACES_MAX + 1]; /* the pointer is one */
    bool has_pointer;                              /* it is the first of them */
    struct region layer_damage[SURFACES_MAX];
    struct compose_scene scene;
} compositor = {
    .flushers = WAITQ_INIT(compositor.flushers),
    .top = COLOUR_DESKTOP_TOP,
    .bottom = COLOUR_DESKTOP_BOTTOM,
};

static struct rect screen_rect(void)
{
    const struct framebuffer *fb = framebuffer_get();

    return (struct rect){0, 0, (int32_t)fb->width, (int32_t)fb->height};
}

void compositor_screen_size(uint32_t *width, uint32_t *height)
{
    const struct framebuffer *fb = framebuffer_get();

    *width = fb->pixels ? fb->width : 0;
    *height = fb->pixels ? fb->height : 0;
}

void display_wake(void)
{
    if (compositor.started && !__atomic_exchange_n((bool *)&compositor.queued,
                                                   true, __ATOMIC_ACQ_REL))
        sem_post(&compositor.work);
}

bool display_in_callback(void)
{
    return !in_interrupt() && thread_current() == compositor.thread;
}

void display_damage_screen(struct rect r)
{
    region_add(&compositor.damage, rect_intersect(r, screen_rect()));
}

/* --- the scene of a frame; display_turn held --- */

static size_t list_surfaces(struct surface **out, bool shown_only)
{
    irqflags_t flags = spin_lock(&display_lock);
    size_t count = 0;

    list_for_each (n, &display_surfaces) {
        struct surface *s = container_of(n, struct surface, node);

        if (!shown_only || s->view.shown)
            out[count++] = s;
    }
    spin_unlock(&display_lock, flags);
    return count;
}

static bool pointer_seen(void)
{
    return compositor.pointer_moved && compositor.pointer_width;
}

/* The picture that it has where it is; its width is 0 where it has none.
 * display_lock held, as for the next two. */
static struct surface_pointer_picture pointer_look(void)
{
    const struct surface *s = surface_under_locked(compositor.pointer_x,
                                                   compositor.pointer_y);

    if (s && s->pointer == SURFACE_POINTER_NONE)
        return (struct surface_pointer_picture){.argb = NULL};
    if (s && s->pointer == SURFACE_POINTER_OWN)
        return (struct surface_pointer_picture){
            s->pointer_argb, s->pointer_width, s->pointer_height,
            s->pointer_hot_x, s->pointer_hot_y};
    return (struct surface_pointer_picture){
        compositor.pointer, compositor.pointer_width, compositor.pointer_height,
        compositor.hot_x, compositor.hot_y};
}

static struct rect pointer_place(void)
{
    struct surface_pointer_picture p = pointer_look();

    return (struct rect){compositor.pointer_x - p.hot_x,
                         compositor.pointer_y - p.hot_y, (int32_t)p.width,
                         (int32_t)p.height};
}

static bool pointer_layer(struct compose_layer *out)
{
    struct surface_pointer_picture p = pointer_look();

    *out = (struct compose_layer){
        .pixels = p.argb,
        .width = p.width,
        .height = p.height,
        .stride = p.width,
        .place = pointer_place(),
        .blend = true,
        .opacity = 255,
    };
    if (!p.width || !pointer_seen())
        return false;
    compose_prepare(out);
    return true;
}

/* Surfaces may have moved under it, and changed its picture. */
static void damage_changed_pointer(const struct compose_layer *l, bool seen)
{
    struct rect now = seen ? l->place : (struct rect){0, 0, 0, 0};
    struct rect *was = &compositor.pointer_drawn;

    if (now.x == was->x && now.y == was->y && now.w == was->w &&
        now.h == was->h && l->pixels == compositor.pointer_argb)
        return;
    compositor.pointer_argb = l->pixels;
    display_damage_screen(*was);
    display_damage_screen(now);
    *was = now;
}

/* Copy the views, and with them the damage. false: a surface is shown whose
 * pixels are not locked, for it was not when they were. */
static bool copy_scene(struct region *damage)
{
    irqflags_t flags = spin_lock(&display_lock);
    bool locked = true, pointer = pointer_layer(&compositor.layers[0]);
    size_t n = pointer, i = 0;

    compositor.has_pointer = pointer;
    list_for_each (node, &display_surfaces) {
        struct surface *s = container_of(node, struct surface, node);

        if (!s->view.shown)
            continue;
        locked &= s->locked;
        compositor.layers[n++] = s->layer;
        compositor.layer_damage[i++] = s->damage;
    }
    compositor.scene = (struct compose_scene){
        .layers = compositor.layers,
        .count = n,
        .top = compositor.top,
        .bottom = compositor.bottom,
        .height = framebuffer_get()->height,
    };
    if (locked && damage) {
        damage_changed_pointer(&compositor.layers[0], pointer);
        *damage = compositor.damage;
        region_clear(&compositor.damage);
        list_for_each (node, &display_surfaces)
            region_clear(&container_of(node, struct surface, node)->damage);
    }
    spin_unlock(&display_lock, flags);
    return locked;
}

static void unlock_surfaces(void)
{
    for (size_t i = 0; i < compositor.count; i++) {
        compositor.surfaces[i]->locked = false;
        mutex_unlock(&compositor.surfaces[i]->lock);
    }
}

/* Lock the pixels of all that is shown and fill in the scene. With `damage`, it
 * is taken over: whoever calls draws it. */
static void begin_scene(struct region *damage)
{
    for (;;) {
        compositor.count = list_surfaces(compositor.surfaces, true);
        for (size_t i = 0; i < compositor.count; i++) {
            mutex_lock(&compositor.surfaces[i]->lock);
            compositor.surfaces[i]->locked = true;
        }
        if (copy_scene(damage))
            return;
        unlock_surfaces();
    }
}

/* What surfaces have reported, but where something opaque is nearer. */
static void add_layer_damage(struct region *damage)
{
    const struct compose_layer *layers = compositor.layers;
    size_t count = compositor.scene.count, first = compositor.has_pointer;

    for (size_t i = first; i < count; i++) {
        struct region *d = &compositor.layer_damage[i - first];

        for (size_t k = first; k < i && !region_is_empty(d); k++)
            if (!layers[k].blend && layers[k].opacity == 255)
                region_subtract(d, layers[k].place);
        region_clip(d, screen_rect());
        region_add_all(damage, d);
    }
}

/* --- drawing --- */

/* Red and blue change places on the way. */
static void draw_swapped(const struct framebuffer *fb, struct rect r)
{
    uint32_t *to = fb->pixels + (size_t)r.y * fb->stride + r.x;

    for (int32_t y = r.y; y < r.y + r.h; y++, to += fb->stride) {
        compose_line(&compositor.scene, y, r.x, r.x + r.w, compositor.line,
                     compositor.scratch);
        for (int32_t i = 0; i < r.w; i++)
            compositor.line[i] = framebuffer_colour(compositor.line[i]);
        memcpy(to, compositor.line, (size_t)r.w * sizeof(*to));
    }
}

static uint64_t draw_damage(const struct region *damage)
{
    const struct framebuffer *fb = framebuffer_get();
    uint64_t pixels = 0;

    for (uint32_t i = 0; i < damage->count; i++) {
        struct rect r = damage->rects[i];

        if (fb->rgb)
            draw_swapped(fb, r);
        else
            compose_rect(&compositor.scene, r,
                         fb->pixels + (size_t)r.y * fb->stride + r.x,
                         fb->stride, compositor.scratch);
        pixels += (uint64_t)r.w * (uint64_t)r.h;
    }
    return pixels;
}

/* --- a frame --- */

static void begin_frame(void)
{
    irqflags_t flags = spin_lock(&display_lock);

    compositor.begun++;
    spin_unlock(&display_lock, flags);
}

static void end_frame(uint64_t pixels, nstime_t busy)
{
    irqflags_t flags = spin_lock(&display_lock);

    compositor.ended = compositor.begun;
    compositor.stats.frames += pixels != 0;
    compositor.stats.pixels += pixels;
    compositor.stats.busy += busy;
    waitq_wake_all(&compositor.flushers);
    spin_unlock(&display_lock, flags);
}

static void make_frame(void)
{
    nstime_t start = clock_now();
    struct region damage;
    uint64_t pixels;
    size_t count;

    mutex_lock(&display_turn);
    begin_frame();
    count = list_surfaces(compositor.surfaces, false);
    for (size_t i = 0; i < count; i++)
        surface_tell(compositor.surfaces[i]);
    begin_scene(&damage);
    add_layer_damage(&damage);
    pixels = draw_damage(&damage);
    unlock_surfaces();
    mutex_unlock(&display_turn);
    end_frame(pixels, clock_now() - start);
}

static void compositor_thread(void *arg)
{
    (void)arg;
    compositor.thread = thread_current();
    for (;;) {
        nstime_t start;

        sem_wait(&compositor.work, TIME_NEVER);
        __atomic_store_n((bool *)&compositor.queued, false, __ATOMIC_RELEASE);
        start = clock_now();
        make_frame();
        surface_free_dead();
        thread_sleep_until(start + FRAME_NS);
    }
}

/* --- for others --- */

int compositor_flush(void)
{
    irqflags_t flags;
    uint64_t frame;
    int err = 0;

    if (!compositor.started)
        return -ENODEV;
    flags = spin_lock(&display_lock);
    frame = compositor.begun + 1;
    spin_unlock(&display_lock, flags);
    display_wake();
    flags = spin_lock(&display_lock);
    while (compositor.ended < frame && !err)
        err = waitq_wait(&compositor.flushers, &display_lock, TIME_NEVER);
    spin_unlock(&display_lock, flags);
    return err;
}

static void read_line(int32_t y, struct rect r, uint8_t *rgb)
{
    uint32_t *line = compositor.line;

    compose_line(&compositor.scene, y, r.x, r.x + r.w, line,
                 compositor.scratch);
    for (int32_t i = 0; i < r.w; i++, rgb += 3) {
        rgb[0] = (uint8_t)(line[i] >> 16);
        rgb[1] = (uint8_t)(line[i] >> 8);
        rgb[2] = (uint8_t)line[i];
    }
}

/* Composed again, not read back: reading a framebuffer is slow. */
int compositor_read_pixels(struct rect r, uint8_t *rgb)
{
    int err;

    if (!compositor.started)
        return -ENODEV;
    if (r.x < 0 || r.y < 0 || r.w < 0 || r.h < 0 ||
        r.w > screen_rect().w - r.x || r.h > screen_rect().h - r.y)
        return -EINVAL;
    err = compositor_flush();
    if (!err)
        err = mutex_lock_until(&display_turn, TIME_NEVER);
    if (err)
        return err;
    begin_scene(NULL);
    for (int32_t y = r.y; y < r.y + r.h; y++, rgb += 3 * (size_t)r.w)
        read_line(y, r, rgb);
    unlock_surfaces();
    mutex_unlock(&display_turn);
    return 0;
}

void compositor_set_background(uint32_t top_rgb, uint32_t bottom_rgb)
{
    irqflags_t flags = spin_lock(&display_lock);

    compositor.top = top_rgb & 0xffffff;
    compositor.bottom = bottom_rgb & 0xffffff;
    display_damage_screen(screen_rect());
    spin_unlock(&display_lock, flags);
    display_wake();
}

void compositor_get_stats(struct compositor_stats *out)
{
    irqflags_t flags = spin_lock(&display_lock);

    *out = compositor.stats;
    spin_unlock(&display_lock, flags);
}

/* --- the pointer --- */

/* display_lock held */
static void damage_pointer(void)
{
    if (pointer_seen())
        display_damage_screen(pointer_place());
}

int compositor_set_pointer(const uint32_t *argb, uint32_t width,
                           uint32_t height, int32_t hot_x, int32_t hot_y)
{
    irqflags_t flags;

    if (!argb)
        width = height = 0;
    else if (!width || !height || width > POINTER_MAX || height > POINTER_MAX ||
             hot_x < 0 || hot_y < 0 || hot_x >= (int32_t)width ||
             hot_y >= (int32_t)height)
        return -EINVAL;
    mutex_lock(&display_turn); /* nobody looks at the old picture */
    flags = spin_lock(&display_lock);
    damage_pointer();
    if (argb)
        memcpy(compositor.pointer, argb,
               (size_t)width * height * sizeof(*argb));
    compositor.pointer_width = width;
    compositor.pointer_height = height;
    compositor.hot_x = hot_x;
    compositor.hot_y = hot_y;
    damage_pointer();
    spin_unlock(&display_lock, flags);
    mutex_unlock(&display_turn);
    display_wake();
    return compositor.started ? 0 : -ENODEV;
}

static void set_own_pointer(struct surface *s,
                            const struct surface_pointer_picture *p)
{
    memcpy(s->pointer_argb, p->argb,
           (size_t)p->width * p->height * sizeof(*p->argb));
    s->pointer_width = p->width;
    s->pointer_height = p->height;
    s->pointer_hot_x = p->hot_x;
    s->pointer_hot_y = p->hot_y;
}

int surface_set_pointer(struct surface *s, enum surface_pointer what,
                        const struct surface_pointer_picture *own)
{
    bool is_own = what == SURFACE_POINTER_OWN;
    irqflags_t flags;
    int err = 0;

    if (is_own && (!own->width || !own->height || own->width > POINTER_MAX ||
                   own->height > POINTER_MAX))
        return -EINVAL;
    mutex_lock(&s->lock); /* no frame looks at the old picture */
    if (is_own && !s->pointer_argb)
        s->pointer_argb = kspace_alloc(sizeof(compositor.pointer), KSPACE_RW);
    if (is_own && !s->pointer_argb) {
        err = -ENOMEM;
    } else {
        flags = spin_lock(&display_lock);
        damage_pointer();
        s->pointer = what;
        if (is_own)
            set_own_pointer(s, own);
        damage_pointer();
        spin_unlock(&display_lock, flags);
    }
    mutex_unlock(&s->lock);
    if (!err)
        display_wake();
    return err;
}

static int32_t clamp(int32_t v, int32_t end)
{
    return v < 0 ? 0 : v >= end ? end - 1 : v;
}

void compositor_move_pointer(int32_t x, int32_t y)
{
    struct rect screen = screen_rect();
    irqflags_t flags;

    if (!compositor.started)
        return;
    flags = spin_lock(&display_lock);
    damage_pointer();
    compositor.pointer_moved = true;
    compositor.pointer_x = clamp(x, screen.w);
    compositor.pointer_y = clamp(y, screen.h);
    damage_pointer();
    spin_unlock(&display_lock, flags);
    display_wake();
}

bool compositor_get_pointer(int32_t *x, int32_t *y)
{
    irqflags_t flags = spin_lock(&display_lock);
    bool seen = pointer_seen();

    *x = compositor.pointer_x;
    *y = compositor.pointer_y;
    spin_unlock(&display_lock, flags);
    return seen;
}

/* --- start --- */

static int compositor_start(void)
{
    const struct framebuffer *fb = framebuffer_get();
    const struct thread_attr attr = {.name = "compositor",
                                     .entry = compositor_thread,
                                     .priority = PRIO_IO,
                                     .affinity = CPU_ANY};
    irqflags_t flags;
    int err;

    if (!fb->pixels)
        return -ENODEV;
    compositor.line = kalloc(fb->width * sizeof(uint32_t));
    compositor.scratch = kalloc(fb->width * sizeof(uint32_t));
    if (!compositor.line || !compositor.scratch)
        return -ENOMEM;
    sem_init(&compositor.work, 0);
    err = thread_spawn(&attr);
    if (err)
        return err;
    compositor.pointer_x = (int32_t)fb->width / 2;
    compositor.pointer_y = (int32_t)fb->height / 2;
    /* The first frame is made when somebody has something to show: all of it
     * in one go. */
    flags = spin_lock(&display_lock);
    display_damage_screen(screen_rect());
    spin_unlock(&display_lock, flags);
    compositor.started = true;
    return 0;
}

UNIT(compositor, .after = "framebuffer", .start = compositor_start);
