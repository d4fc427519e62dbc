/*
 * Surfaces: pictures, where they stand on the screen, and what of them has
 * changed. They work without a screen, too: nobody sees them then. Contexts as
 * in rayos/surface.h.
 */
#include <rayos/surface.h>

#include <errno.h>
#include <string.h>

#include <rayos/percpu.h>
#include <rayos/thread.h>
#include <rayos/window.h>

#include "display.h"

struct mutex display_turn = MUTEX_INIT(display_turn);
struct spinlock display_lock = SPINLOCK_INIT;
struct list display_surfaces = LIST_INIT(display_surfaces);

static struct list dead = LIST_INIT(dead); /* display_lock */
static uint32_t surface_count;             /* display_lock */

/* --- memory --- */

static size_t pixels_size(uint32_t width, uint32_t height)
{
    return (size_t)width * height * sizeof(uint32_t);
}

/* NULL: no memory, over the cap, or a size that nobody draws. */
static uint32_t *pixels_alloc(struct account *account, uint32_t width,
                              uint32_t height)
{
    size_t size = pixels_size(width, height);
    uint32_t *pixels;

    if (!width || !height || width > COMPOSE_MAX_SIDE ||
        height > COMPOSE_MAX_SIDE || size > SURFACE_BYTES_MAX ||
        (account && !account_charge(account, size)))
        return NULL;
    pixels = kspace_alloc(size, KSPACE_RW);
    if (!pixels && account)
        account_credit(account, size);
    return pixels;
}

static void pixels_free(struct account *account, uint32_t *pixels,
                        uint32_t width, uint32_t height)
{
    if (!pixels)
        return;
    kspace_free(pixels);
    if (account)
        account_credit(account, pixels_size(width, height));
}

/* --- order and damage; display_lock held --- */

static struct surface *surface_of(struct list *node)
{
    return container_of(node, struct surface, node);
}

static void damage_place(struct surface *s)
{
    if (s->view.shown)
        display_damage_screen(s->view.place);
}

/* Nearest of those with its z. */
static void put_in_order(struct surface *s)
{
    struct list *pos = display_surfaces.next;

    list_remove(&s->node);
    for (pos = display_surfaces.next; pos != &display_surfaces; pos = pos->next)
        if (surface_of(pos)->view.z <= s->view.z)
            break;
    list_insert_before(pos, &s->node);
}

static void prepare_layer(struct surface *s)
{
    s->layer = (struct compose_layer){
        .pixels = s->pixels,
        .width = s->width,
        .height = s->height,
        .stride = s->stride,
        .place = s->view.place,
        .scaling = s->view.scaling,
        .blend = s->view.blend,
        .opacity = s->view.opacity,
    };
    compose_prepare(&s->layer);
}

static bool same_view(const struct surface_view *a,
                      const struct surface_view *b)
{
    return a->shown == b->shown && a->place.x == b->place.x &&
           a->place.y == b->place.y && a->place.w == b->place.w &&
           a->place.h == b->place.h && a->z == b->z &&
           a->scaling == b->scaling && a->blend == b->blend &&
           a->opacity == b->opacity;
}

static void set_view(struct surface *s, struct surface_view v)
{
    bool reorder = v.z != s->view.z || (v.shown && !s->view.shown);

    if (!s->listed || same_view(&v, &s->view))
        return;
    if (s->frame && v.shown != s->view.shown) {
        struct surface_view behind = s->frame->view;

        behind.shown = v.shown;
        set_view(s->frame, behind);
    }
    damage_place(s);
    s->view = v;
    prepare_layer(s);
    damage_place(s);
    region_clear(&s->damage); /* all of the place is to be drawn anyway */
    s->asked = true;
    if (reorder)
        put_in_order(s);
}

/* --- life --- */

static void surface_list(struct surface *s)
{
    s->listed = true;
    surface_count++;
    put_in_order(s);
}

static struct surface *find_locked(const char *name)
{
    list_for_each (n, &display_surfaces)
        if (strcmp(surface_of(n)->name, name) == 0)
            return surface_of(n);
    return NULL;
}

struct surface *surface_create(const char *name, uint32_t width,
                               uint32_t height, const struct surface_ops *ops,
                               void *arg)
{
    struct surface *s = kzalloc(sizeof(*s));
    irqflags_t flags;
    bool listed;

    if (!s)
        return NULL;
    s->account = thread_current()->account;
    s->pixels = pixels_alloc(s->account, width, height);
    if (!s->pixels)
        goto no_pixels;
    strncpy(s->name, name, sizeof(s->name) - 1);
    s->ops = ops;
    s->arg = arg;
    s->refs = 1;
    s->width = s->stride = width;
    s->height = height;
    s->view = (struct surface_view){
        .place = {0, 0, (int32_t)width, (int32_t)height}, .opacity = 255};
    mutex_init(&s->lock);
    list_init(&s->node);
    prepare_layer(s);
    flags = spin_lock(&display_lock);
    listed = surface_count < SURFACES_MAX && !find_locked(s->name);
    if (listed)
        surface_list(s);
    spin_unlock(&display_lock, flags);
    if (listed)
        return s;
    pixels_free(s->account, s->pixels, width, height);
no_pixels:
    kfree(s);
    return NULL;
}

void surface_get(struct surface *s)
{
    __atomic_fetch_add((uint32_t *)&s->refs, 1, __ATOMIC_RELAXED);
}

/* The heap is not for interrupts: the compositor's thread frees. */
void surface_put(struct surface *s)
{
    irqflags_t flags;

    if (__atomic_sub_fetch((uint32_t *)&s->refs, 1, __ATOMIC_ACQ_REL))
        return;
    flags = spin_lock(&display_lock);
    list_push_back(&dead, &s->node);
    spin_unlock(&display_lock, flags);
    display_wake();
}

void surface_free_dead(void)
{
    struct list *n;

    do {
        irqflags_t flags = spin_lock(&display_lock);

        n = list_pop_front(&dead);
        spin_unlock(&display_lock, flags);
        if (n)
            kfree(surface_of(n));
    } while (n);
}

/* A picture and whose it is. */
struct picture {
    uint32_t *pixels;
    uint32_t width, height, stride;
    bool borrowed;
};

static void picture_free(struct account *account, const struct picture *p)
{
    if (!p->borrowed)
        pixels_free(account, p->pixels, p->width, p->height);
}

/* The one before, which nobody reads any more. s->lock held. */
static struct picture swap_picture(struct surface *s, const struct picture *p)
{
    irqflags_t flags = spin_lock(&display_lock);
    struct picture old = {s->pixels, s->width, s->height, s->stride,
                          s->borrowed};

    s->pixels = p->pixels;
    s->width = p->width;
    s->height = p->height;
    s->stride = p->stride;
    s->borrowed = p->borrowed;
    prepare_layer(s);
    if (p->width != old.width || p->height != old.height || !p->borrowed) {
        region_clear(&s->damage);
        if (s->listed)
            damage_place(s);
    }
    spin_unlock(&display_lock, flags);
    return old;
}

void surface_destroy(struct surface *s)
{
    const struct picture none = {.pixels = NULL};
    struct picture old;
    irqflags_t flags;

    if (s->frame)
        window_close(s);
    mutex_lock(&display_turn);
    flags = spin_lock(&display_lock);
    damage_place(s);
    s->listed = false;
    s->view.shown = false;
    s->input = (struct surface_input){0};
    surface_count--;
    list_remove(&s->node);
    spin_unlock(&display_lock, flags);
    mutex_lock(&s->lock);
    old = swap_picture(s, &none);
    mutex_unlock(&s->lock);
    mutex_unlock(&display_turn);
    picture_free(s->account, &old);
    kspace_free(s->pointer_argb);
    s->pointer_argb = NULL;
    display_wake();
    surface_put(s);
}

void *surface_arg(const struct surface *s)
{
    return s->arg;
}

const char *surface_name(const struct surface *s)
{
    return s->name;
}

void surface_size(const struct surface *s, uint32_t *width, uint32_t *height)
{
    irqflags_t flags = spin_lock(&display_lock);

    *width = s->width;
    *height = s->height;
    spin_unlock(&display_lock, flags);
}

int surface_resize(struct surface *s, uint32_t width, uint32_t height)
{
    uint32_t *pixels = pixels_alloc(s->account, width, height);
    const struct picture own = {pixels, width, height, width, false};
    struct picture old;

    if (!pixels)
        return -ENOMEM;
    mutex_lock(&s->lock);
    old = swap_picture(s, &own);
    mutex_unlock(&s->lock);
    picture_free(s->account, &old);
    display_wake();
    return 0;
}

int surface_set_picture(struct surface *s, uint32_t *pixels, uint32_t width,
                        uint32_t height, uint32_t stride_pixels)
{
    const struct picture theirs = {pixels, width, height, stride_pixels, true};
    struct picture old;

    if (!pixels || !width || !height || width > COMPOSE_MAX_SIDE ||
        height > COMPOSE_MAX_SIDE || stride_pixels < width)
        return -EINVAL;
    mutex_lock(&s->lock);
    old = swap_picture(s, &theirs);
    mutex_unlock(&s->lock);
    picture_free(s->account, &old);
    display_wake();
    return 0;
}

/* --- pixels --- */

uint32_t *surface_lock(struct surface *s, uint32_t *stride_pixels)
{
    mutex_lock(&s->lock);
    *stride_pixels = s->stride;
    return s->pixels;
}

void surface_unlock(struct surface *s)
{
    mutex_unlock(&s->lock);
}

/* What a callback reports is drawn in the frame that follows it: asking for
 * another would never end. */
void surface_damage(struct surface *s, struct rect r)
{
    bool asks = !display_in_callback(), shown;
    irqflags_t flags = spin_lock(&display_lock);

    shown = s->view.shown;
    s->asked |= asks;
    if (shown)
        region_add(&s->damage, compose_map_damage(&s->layer, rect_sane(r)));
    spin_unlock(&display_lock, flags);
    if (shown && asks)
        display_wake();
}

/* --- views --- */

static struct surface_view sane_view(const struct surface_view *v)
{
    struct surface_view sane = *v;

    sane.place = rect_sane(v->place);
    return sane;
}

void surface_set_views(const struct surface_change *changes, size_t count)
{
    irqflags_t flags = spin_lock(&display_lock);

    for (size_t i = 0; i < count; i++)
        set_view(changes[i].surface, sane_view(&changes[i].view));
    spin_unlock(&display_lock, flags);
    display_wake();
}

void surface_set_view(struct surface *s, const struct surface_view *v)
{
    const struct surface_change change = {s, *v};

    surface_set_views(&change, 1);
}

void surface_get_view(const struct surface *s, struct surface_view *out)
{
    irqflags_t flags = spin_lock(&display_lock);

    *out = s->view;
    spin_unlock(&display_lock, flags);
}

void surface_show(struct surface *s, bool shown)
{
    irqflags_t flags = spin_lock(&display_lock);
    struct surface_view v = s->view;

    v.shown = shown;
    set_view(s, v);
    spin_unlock(&display_lock, flags);
    display_wake();
}

void surface_raise(struct surface *s)
{
    irqflags_t flags = spin_lock(&display_lock);

    if (s->listed && s->frame) {
        put_in_order(s->frame);
        damage_place(s->frame);
    }
    if (s->listed) {
        put_in_order(s);
        damage_place(s);
    }
    spin_unlock(&display_lock, flags);
    display_wake();
}

void surface_set_frame(struct surface *s, struct surface *frame)
{
    irqflags_t flags = spin_lock(&display_lock);

    s->frame = frame;
    spin_unlock(&display_lock, flags);
}

/* --- finding --- */

struct surface *surface_find(const char *name)
{
    irqflags_t flags = spin_lock(&display_lock);
    struct surface *s = find_locked(name);

    if (s)
        surface_get(s);
    spin_unlock(&display_lock, flags);
    return s;
}

struct surface *surface_at(size_t i)
{
    irqflags_t flags = spin_lock(&display_lock);
    struct surface *s = NULL;

    list_for_each (n, &display_surfaces) {
        if (i--)
            continue;
        s = surface_of(n);
        surface_get(s);
        break;
    }
    spin_unlock(&display_lock, flags);
    return s;
}

void surface_set_input(struct surface *s, const struct surface_input *input)
{
    irqflags_t flags = spin_lock(&display_lock);

    s->input = *input;
    spin_unlock(&display_lock, flags);
}

void surface_get_input(const struct surface *s, struct surface_input *out)
{
    irqflags_t flags = spin_lock(&display_lock);

    *out = s->input;
    spin_unlock(&display_lock, flags);
}

void surface_map_point(const struct surface *s, int32_t x, int32_t y,
                       int32_t *sx, int32_t *sy)
{
    irqflags_t flags = spin_lock(&display_lock);

    compose_map_point(&s->layer, x, y, sx, sy);
    spin_unlock(&display_lock, flags);
}

struct surface *surface_under_locked(int32_t x, int32_t y)
{
    list_for_each (n, &display_surfaces) {
        struct surface *s = surface_of(n);

        if (s->view.shown && !s->input.passive &&
            rect_has_point(s->view.place, x, y))
            return s;
    }
    return NULL;
}

struct surface *surface_under_if(int32_t x, int32_t y, int32_t *sx, int32_t *sy,
                                 surface_take_t take)
{
    irqflags_t flags = spin_lock(&display_lock);
    struct surface *found = NULL;

    list_for_each (n, &display_surfaces) {
        struct surface *s = surface_of(n);

        if (!s->view.shown || !rect_has_point(s->view.place, x, y) ||
            (s->input.passive && !(take && take(s, x, y))))
            continue;
        compose_map_point(&s->layer, x, y, sx, sy);
        surface_get(s);
        found = s;
        break;
    }
    spin_unlock(&display_lock, flags);
    return found;
}

struct surface *surface_under(int32_t x, int32_t y, int32_t *sx, int32_t *sy)
{
    return surface_under_if(x, y, sx, sy, NULL);
}

bool surface_has_stream(const struct input_stream *stream)
{
    irqflags_t flags = spin_lock(&display_lock);
    bool found = false;

    list_for_each (n, &display_surfaces)
        found |= surface_of(n)->input.stream == stream;
    spin_unlock(&display_lock, flags);
    return found;
}
