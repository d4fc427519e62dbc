/*
 * Floating windows: a surface's view with a title bar, a border and a shadow,
 * which the mouse moves by the title and resizes by the edges. What happens to
 * one is told by events of type `window`. Thread context.
 */
#ifndef RAYOS_WINDOW_H
#define RAYOS_WINDOW_H

#include <rayos/surface.h>

#define WINDOW_TITLE_MAX 64
#define WINDOWS_MAX      16

struct window_options {
    const char *title; /* UTF-8; cut at WINDOW_TITLE_MAX - 1 bytes */
    struct rect place; /* of the content, on the screen */
    int32_t z;
    uint32_t min_width, min_height; /* 0: a usual least */
    bool fixed;                     /* its size is not changed by the mouse */
};

/* Show the surface as a window, nearest of those with its z. -EEXIST: it is one
 * already; -ENOSPC: there are WINDOWS_MAX; -ENOMEM, -ENODEV. */
int window_open(struct surface *content, const struct window_options *o);
/* Hide it; its surface is free for other uses. -ENOENT: it is none. */
int window_close(struct surface *content);
/* New title, place and z. -ENOENT. */
int window_set(struct surface *content, const struct window_options *o);
/* As they are; the title points into `text` of WINDOW_TITLE_MAX bytes. */
int window_get(struct surface *content, struct window_options *o, char *text);
/* Nearest, and drawn as the active one; NULL: none is active. Any context but
 * NMI. */
void window_activate(struct surface *content);
/* The part of the screen that windows are kept in. */
void window_set_area(struct rect area);
/* How much the decoration takes around a content: its border and, above, its
 * title bar. The shadow reaches further. */
uint32_t window_title_height(void);

#endif
