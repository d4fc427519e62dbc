/*
 * The mechanism of floating windows: each is two surfaces, the content and,
 * right behind it, a frame with the decoration. The pointer's hook moves and
 * resizes them in the router's context; frames are drawn by the compositor's
 * thread before the frame that shows them.
 */
#include <rayos/window.h>

#include <errno.h>
#include <string.h>

#include <rayos/event.h>
#include <rayos/fmt.h>
#include <rayos/keycodes.h>
#include <rayos/unit.h>

#include "decoration.h"
#include "display.h"
#include "pointer.h"
#include "window_drag.h"

#define MIN_WIDTH  200
#define MIN_HEIGHT 120

struct window {
    struct surface *content, *frame; /* content NULL: free */
    char title[WINDOW_TITLE_MAX];    /* windows_lock */
    struct rect place;               /* windows_lock */
    int32_t z;
    uint32_t min_width, min_height;
    bool fixed;
};

static struct mutex registry = MUTEX_INIT(registry); /* opening, closing */
/* Taken before display_lock. */
static struct spinlock windows_lock = SPINLOCK_INIT;
static struct window windows[WINDOWS_MAX]; /* windows_lock */
static struct window *active;              /* windows_lock */
static struct rect area;                   /* windows_lock */
static struct {
    struct window *window; /* NULL: none is dragged; windows_lock */
    struct drag drag;
    bool close; /* the button was pressed */
} dragged;

static enum draw_font font;
static uint32_t title_height;

/* --- events --- */

enum window_event { WINDOW_ACTIVE, WINDOW_MOVED, WINDOW_RESIZED, WINDOW_CLOSE };

static const struct event_constant window_codes[] = {
    {"active", WINDOW_ACTIVE},
    {"moved", WINDOW_MOVED},
    {"resized", WINDOW_RESIZED},
    {"close", WINDOW_CLOSE},
    {0}};

static const struct event_field window_fields[] = {
    {.name = "code",
     .doc = "what happened; close: its button was pressed",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(uint32_t),
     .constants = window_codes},
    EVENT_FIELD_AS("name", text, EVENT_TEXT, "of its surface"),
    {0}};

EVENT_TYPE(window, .doc = "a floating window was used",
           .fields = window_fields);

/* Any lock may be held. */
static void tell(const struct window *w, enum window_event code)
{
    struct event e = {.code = code};

    strncpy(e.text, surface_name(w->content), sizeof(e.text) - 1);
    event_post(&event_type_window, &e);
}

/* --- views; windows_lock held --- */

static struct window *find(const struct surface *content)
{
    for (size_t i = 0; content && i < WINDOWS_MAX; i++)
        if (windows[i].content == content)
            return &windows[i];
    return NULL;
}

static struct surface_view frame_view(const struct window *w, bool shown)
{
    return (struct surface_view){
        .shown = shown,
        .place = decoration_place(w->place, title_height),
        .z = w->z,
        .blend = true,
        .opacity = 255};
}

/* Both in the same frame; the content is the nearer, for it comes last. */
static void show(const struct window *w)
{
    struct surface_change changes[2] = {{w->frame, frame_view(w, true)},
                                        {w->content, {0}}};

    surface_get_view(w->content, &changes[1].view);
    changes[1].view.shown = true;
    changes[1].view.place = w->place;
    changes[1].view.z = w->z;
    surface_set_views(changes, 2);
}

static void redraw_frame(const struct window *w)
{
    surface_damage(w->frame, (struct rect){0});
}

static void activate(struct window *w)
{
    struct window *old = active;

    active = w;
    if (old && old != w)
        redraw_frame(old);
    if (!w)
        return;
    surface_raise(w->content);
    if (old != w)
        redraw_frame(w);
}

/* --- frames: the compositor's thread --- */

static void frame_draw(struct surface *s)
{
    struct window *w = surface_arg(s);
    char title[WINDOW_TITLE_MAX];
    struct decoration d = {
        .title = title, .title_height = title_height, .font = font};
    irqflags_t flags = spin_lock(&windows_lock);
    struct canvas c;

    memcpy(title, w->title, sizeof(title));
    d.active = w == active;
    spin_unlock(&windows_lock, flags);
    surface_size(s, &c.width, &c.height);
    c.pixels = surface_lock(s, &c.stride);
    decoration_draw(&c, &d);
    surface_unlock(s);
    surface_damage(s, (struct rect){0, 0, (int32_t)c.width, (int32_t)c.height});
}

/* `prepare` follows and draws, at the old size when there is no memory. */
static void frame_resized(struct surface *s, uint32_t width, uint32_t height)
{
    uint32_t old_width, old_height;

    surface_size(s, &old_width, &old_height);
    if (width != old_width || height != old_height)
        surface_resize(s, width, height);
}

static const struct surface_ops frame_ops = {.prepare = frame_draw,
                                             .resized = frame_resized};

/* --- the mouse --- */

/* A frame takes the pointer where it can be dragged. display_lock held. */
static bool frame_takes(const struct surface *s, int32_t x, int32_t y)
{
    const struct window *w = surface_arg(s);

    return s->ops == &frame_ops &&
           decoration_hit(w->place, title_height, x, y) != PART_NONE;
}

/* The window at a point, if nothing else is nearer; windows_lock held. */
static struct window *window_under(int32_t x, int32_t y)
{
    int32_t sx, sy;
    struct surface *s = surface_under_if(x, y, &sx, &sy, frame_takes);
    struct window *w;

    if (!s)
        return NULL;
    w = s->ops == &frame_ops ? surface_arg(s) : find(s);
    surface_put(s);
    return w;
}

/* true: the press is ours. */
static bool press(const struct pointer_event *e)
{
    struct window *w = window_under(e->x, e->y);
    unsigned part;

    if (!w)
        return false;
    part = decoration_hit(w->place, title_height, e->x, e->y);
    if (active != w)
        tell(w, WINDOW_ACTIVE);
    activate(w);
    if (part == PART_CONTENT)
        return false;
    if (e->button != BTN_LEFT || (w->fixed && part & PART_EDGES))
        return true;
    dragged.window = w;
    dragged.close = part == PART_CLOSE;
    dragged.drag = (struct drag){.part = part,
                                 .from = w->place,
                                 .x = e->x,
                                 .y = e->y,
                                 .min_width = (int32_t)w->min_width,
                                 .min_height = (int32_t)w->min_height,
                                 .title_height = (int32_t)title_height,
                                 .area = area};
    return true;
}

static void drag_to(int32_t x, int32_t y)
{
    struct window *w = dragged.window;
    struct rect to;

    if (!w || dragged.close)
        return;
    to = drag_place(&dragged.drag, x, y);
    if (to.x == w->place.x && to.y == w->place.y && to.w == w->place.w &&
        to.h == w->place.h)
        return;
    w->place = to;
    show(w);
}

static void release(const struct pointer_event *e)
{
    struct window *w = dragged.window;
    const struct rect *from = &dragged.drag.from;

    if (!w || e->button != BTN_LEFT)
        return;
    dragged.window = NULL;
    if (dragged.close) {
        if (decoration_hit(w->place, title_height, e->x, e->y) == PART_CLOSE)
            tell(w, WINDOW_CLOSE);
    } else if (from->w != w->place.w || from->h != w->place.h) {
        tell(w, WINDOW_RESIZED);
    } else if (from->x != w->place.x || from->y != w->place.y) {
        tell(w, WINDOW_MOVED);
    }
}

static bool window_pointer(const struct pointer_event *e)
{
    irqflags_t flags = spin_lock(&windows_lock);
    bool taken = true;

    if (e->action == POINTER_PRESSED)
        taken = press(e);
    else if (e->action == POINTER_RELEASED)
        release(e);
    else if (dragged.window)
        drag_to(e->x, e->y);
    else
        taken = false;
    spin_unlock(&windows_lock, flags);
    return taken;
}

/* --- opening and closing --- */

static void set_options(struct window *w, const struct window_options *o)
{
    if (o->title) {
        memset(w->title, 0, sizeof(w->title));
        strncpy(w->title, o->title, sizeof(w->title) - 1);
    }
    w->z = o->z;
    w->fixed = o->fixed;
    w->min_width = o->min_width ? o->min_width : MIN_WIDTH;
    w->min_height = o->min_height ? o->min_height : MIN_HEIGHT;
    w->place = drag_keep(rect_sane(o->place), (int32_t)title_height, area);
}

/* A free place in the table; registry held. */
static struct window *reserve(const struct surface *content, int *err)
{
    *err = find(content) ? -EEXIST : -ENOSPC;
    for (size_t i = 0; *err == -ENOSPC && i < WINDOWS_MAX; i++)
        if (!windows[i].content)
            return &windows[i];
    return NULL;
}

static int open_locked(struct surface *content, const struct window_options *o)
{
    int err;
    struct window *w = reserve(content, &err), made = {.content = content};
    char name[SURFACE_NAME_MAX];
    struct rect place;
    irqflags_t flags;

    if (!w)
        return err;
    set_options(&made, o);
    place = decoration_place(made.place, title_height);
    fmt_snprintf(name, sizeof(name), "frame %u", (unsigned)(w - windows));
    made.frame = surface_create(name, (uint32_t)place.w, (uint32_t)place.h,
                                &frame_ops, w);
    if (!made.frame)
        return -ENOMEM;
    surface_set_input(made.frame, &(struct surface_input){.passive = true});
    surface_get(content);
    surface_set_frame(content, made.frame);
    flags = spin_lock(&windows_lock);
    *w = made;
    activate(w);
    show(w);
    spin_unlock(&windows_lock, flags);
    return 0;
}

int window_open(struct surface *content, const struct window_options *o)
{
    int err;

    if (!title_height)
        return -ENODEV;
    mutex_lock(&registry);
    err = open_locked(content, o);
    mutex_unlock(&registry);
    return err;
}

int window_close(struct surface *content)
{
    struct window *w, old;
    irqflags_t flags;

    mutex_lock(&registry);
    flags = spin_lock(&windows_lock);
    w = find(content);
    if (w) {
        old = *w;
        w->content = NULL;
        if (dragged.window == w)
            dragged.window = NULL;
        if (active == w)
            active = NULL;
        surface_show(old.content, false); /* and its frame */
        surface_set_frame(old.content, NULL);
    }
    spin_unlock(&windows_lock, flags);
    if (w) {
        surface_destroy(old.frame);
        surface_put(old.content);
    }
    mutex_unlock(&registry);
    return w ? 0 : -ENOENT;
}

int window_set(struct surface *content, const struct window_options *o)
{
    irqflags_t flags = spin_lock(&windows_lock);
    struct window *w = find(content);

    if (w) {
        set_options(w, o);
        show(w);
        redraw_frame(w);
    }
    spin_unlock(&windows_lock, flags);
    return w ? 0 : -ENOENT;
}

int window_get(struct surface *content, struct window_options *o, char *text)
{
    irqflags_t flags = spin_lock(&windows_lock);
    const struct window *w = find(content);

    if (w) {
        memcpy(text, w->title, WINDOW_TITLE_MAX);
        *o = (struct window_options){.title = text,
                                     .place = w->place,
                                     .z = w->z,
                                     .min_width = w->min_width,
                                     .min_height = w->min_height,
                                     .fixed = w->fixed};
    }
    spin_unlock(&windows_lock, flags);
    return w ? 0 : -ENOENT;
}

void window_activate(struct surface *content)
{
    irqflags_t flags = spin_lock(&windows_lock);

    activate(find(content));
    spin_unlock(&windows_lock, flags);
}

void window_set_area(struct rect r)
{
    irqflags_t flags = spin_lock(&windows_lock);

    area = rect_sane(r);
    spin_unlock(&windows_lock, flags);
}

uint32_t window_title_height(void)
{
    return title_height;
}

static int window_start(void)
{
    uint32_t width, height;

    compositor_screen_size(&width, &height);
    if (!width)
        return -ENODEV;
    area = (struct rect){0, 0, (int32_t)width, (int32_t)height};
    font = draw_font_for(width);
    title_height = decoration_title_height(font);
    pointer_set_hook(window_pointer);
    return 0;
}

UNIT(window, .after = "pointer vfs", .start = window_start);
