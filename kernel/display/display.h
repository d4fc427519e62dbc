/*
 * What surfaces and the compositor share. Locks, in the order in which they are
 * taken:
 *	display_turn	a mutex: one frame, one reader of the screen or one
 *			destruction at a time; callbacks run under it
 *	surface->lock	a mutex: the pixels; whoever holds one takes no second,
 *			but the compositor under display_turn
 *	display_lock	a spin lock: the list, views, damage, the pointer
 */
#ifndef RAYOS_DISPLAY_DISPLAY_H
#define RAYOS_DISPLAY_DISPLAY_H

#include <rayos/input.h>
#include <rayos/mm.h>
#include <rayos/spinlock.h>
#include <rayos/surface.h>
#include <rayos/sync.h>

#include "compose.h"
#include "region.h"

struct surface {
    char name[SURFACE_NAME_MAX];
    const struct surface_ops *ops;
    void *arg;
    _Atomic uint32_t refs;
    struct account *account; /* who pays for the pixels; NULL: the kernel */
    struct mutex lock;
    uint32_t *pixels;       /* changed under lock and display_lock */
    uint32_t width, height; /* the same */
    uint32_t stride;        /* the same; pixels */
    bool borrowed;          /* the same: `pixels` are the owner's */
    /* Over this surface; the same. NULL: never had one of its own. */
    enum surface_pointer pointer;
    uint32_t *pointer_argb;
    uint32_t pointer_width, pointer_height;
    int32_t pointer_hot_x, pointer_hot_y;

    /* All of this: display_lock. */
    struct list node; /* in display_surfaces, or among the dead */
    bool listed;
    struct surface_view view;
    struct compose_layer layer; /* the view, prepared */
    struct surface_input input;
    struct region damage; /* on the screen */
    bool asked;           /* damage was reported since the last frame */
    bool locked;          /* by the frame under way */

    struct surface *frame; /* right behind it, shown and raised with it: it is
                              a window's content; NULL: it is none */

    /* What its owner was last told; display_turn. */
    bool told_shown;
    uint32_t told_width, told_height;
};

#define SURFACES_MAX 64

extern struct mutex display_turn;
extern struct spinlock display_lock;
extern struct list display_surfaces; /* nearest first; display_lock */

/* This part of the screen must be composed again. display_lock held. */
void display_damage_screen(struct rect r);
/* Have the thread make a frame. Any context but NMI, display_lock or not. */
void display_wake(void);

/* In a callback, before the frame that is being made? Any context. */
bool display_in_callback(void);
/* Call the owner's ops as far as they have reason. display_turn held, no spin
 * lock. */
void surface_tell(struct surface *s);
/* Give back what surface_put could not. Thread context. */
void surface_free_dead(void);

/* As surface_under; passive ones are found where `take` says so. It is called
 * with display_lock held. */
typedef bool (*surface_take_t)(const struct surface *s, int32_t x, int32_t y);
struct surface *surface_under_if(int32_t x, int32_t y, int32_t *sx, int32_t *sy,
                                 surface_take_t take);
/* The nearest shown one there that is not passive; NULL. display_lock held. */
struct surface *surface_under_locked(int32_t x, int32_t y);
/* Is it some surface's? Any context but NMI. */
bool surface_has_stream(const struct input_stream *stream);

/* Make it a window's content; NULL: no longer. */
void surface_set_frame(struct surface *s, struct surface *frame);

/* Several views change in the same frame. Any context but NMI. */
struct surface_change {
    struct surface *surface;
    struct surface_view view;
};
void surface_set_views(const struct surface_change *changes, size_t count);

#endif
