/*
 * What rules can do with the screen. A surface that takes the keyboard, such as
 * a guest's, is "presented" while it is shown; the terminal always is behind.
 * Any context but NMI, interrupts off; resolving: thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/input.h>
#include <rayos/spinlock.h>
#include <rayos/surface.h>

#include "rule.h"

#define TERMINAL "terminal"
/* More surfaces than are looked at for one that is presented. */
#define SURFACES_MAX 32

static struct spinlock lock = SPINLOCK_INIT;
static struct surface *hidden; /* lock; presented before, with a reference */

static int resolve_surface(const char *name, void **object)
{
    *object = surface_find(name);
    return *object ? 0 : -ENOENT;
}

static void release_surface(void *object)
{
    surface_put(object);
}

static bool is_shown(const struct surface *s)
{
    struct surface_view v;

    surface_get_view(s, &v);
    return v.shown;
}

/* Give it the keyboard; -ENOTSUP: it takes none. */
static int focus(const struct surface *s)
{
    struct surface_input in;

    surface_get_input(s, &in);
    if (!in.stream)
        return -ENOTSUP;
    input_set_focus(in.stream);
    return 0;
}

static int focus_terminal(void)
{
    struct surface *s = surface_find(TERMINAL);
    int err = s ? focus(s) : -ENODEV;

    if (s)
        surface_put(s);
    return err;
}

/* --- one surface, by name --- */

static int action_show(const struct reflex_args *a)
{
    surface_show(a->object, true);
    return 0;
}

static int action_hide(const struct reflex_args *a)
{
    surface_show(a->object, false);
    return 0;
}

static int action_toggle(const struct reflex_args *a)
{
    surface_show(a->object, !is_shown(a->object));
    return 0;
}

static int action_focus(const struct reflex_args *a)
{
    return focus(a->object);
}

REFLEX_ACTION(show, .capability = "input", .doc = "show a surface: its name",
              .args = "t", .any_context = true, .run = action_show,
              .resolve = resolve_surface, .release = release_surface);
REFLEX_ACTION(hide, .capability = "input", .doc = "hide a surface: its name",
              .args = "t", .any_context = true, .run = action_hide,
              .resolve = resolve_surface, .release = release_surface);
REFLEX_ACTION(toggle, .capability = "input",
              .doc = "show a surface, or hide it: its name", .args = "t",
              .any_context = true, .run = action_toggle,
              .resolve = resolve_surface, .release = release_surface);
REFLEX_ACTION(focus, .capability = "input",
              .doc = "give a surface the keyboard: its name", .args = "t",
              .any_context = true, .run = action_focus,
              .resolve = resolve_surface, .release = release_surface);

/* --- what is presented --- */

static bool is_presented(const struct surface *s)
{
    struct surface_input in;

    surface_get_input(s, &in);
    return in.stream && in.focus && is_shown(s) &&
           strcmp(surface_name(s), TERMINAL) != 0;
}

/* The nearest, with a reference; NULL. */
static struct surface *find_presented(void)
{
    struct surface *s;

    for (size_t i = 0; i < SURFACES_MAX && (s = surface_at(i)); i++) {
        if (is_presented(s))
            return s;
        surface_put(s);
    }
    return NULL;
}

/* Remember it in place of the one before; takes the reference over. */
static void remember(struct surface *s)
{
    irqflags_t flags = spin_lock(&lock);
    struct surface *before = hidden;

    hidden = s;
    spin_unlock(&lock, flags);
    if (before)
        surface_put(before);
}

static struct surface *remembered(void)
{
    irqflags_t flags = spin_lock(&lock);
    struct surface *s = hidden;

    hidden = NULL;
    spin_unlock(&lock, flags);
    return s;
}

/* Hide all that is presented; false: nothing was. */
static bool hide_presented(void)
{
    struct surface *s;
    bool any = false;

    for (int i = 0; i < SURFACES_MAX && (s = find_presented()); i++) {
        surface_show(s, false);
        remember(s);
        any = true;
    }
    return any;
}

static int action_take_back(const struct reflex_args *a)
{
    (void)a;
    hide_presented();
    return focus_terminal();
}

REFLEX_ACTION(
    take_back, .capability = "input",
    .doc = "hide what is presented, and give the terminal the keyboard",
    .args = "", .any_context = true, .run = action_take_back);

static int action_toggle_presented(const struct reflex_args *a)
{
    struct surface *s;
    int err;

    (void)a;
    if (hide_presented()) {
        err = focus_terminal();
        return err ? err : REFLEX_CONSUMED;
    }
    s = remembered();
    if (!s)
        return 0;
    surface_show(s, true);
    err = focus(s);
    surface_put(s);
    return err ? err : REFLEX_CONSUMED;
}

REFLEX_ACTION(toggle_presented, .capability = "input",
              .doc =
                  "hide what is presented, or show it again, and the keyboard "
                  "with it; consumes if there is such a thing",
              .args = "", .any_context = true, .run = action_toggle_presented);
