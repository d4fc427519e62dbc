/*
 * What the owner of a surface, and whoever listens to events, is told about its
 * view. The compositor's thread, before a frame, display_turn held.
 */
#include <string.h>

#include <rayos/event.h>

#include "display.h"

static const struct event_constant surface_codes[] = {
    {"hidden", 0}, {"shown", 1}, {"resized", 2}, {0}};

/* Width and height share a word: all others hold the name. */
static const struct event_field surface_fields[] = {
    {.name = "code",
     .doc = "what happened to its view",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(uint32_t),
     .constants = surface_codes},
    EVENT_FIELD_AS("name", text, EVENT_TEXT, "its name"),
    {.name = "width",
     .doc = "on the screen, pixels",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, value),
     .size = sizeof(uint32_t)},
    {.name = "height",
     .doc = "on the screen, pixels",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, value) + sizeof(uint32_t),
     .size = sizeof(uint32_t)},
    {0}};

EVENT_TYPE(surface,
           .doc = "a surface is on the screen, or no longer, or has "
                  "another size there",
           .fields = surface_fields);

struct told {
    bool shown, visible, resized, prepare;
    uint32_t width, height;
};

/* What a surface's owner is to be told, as of now. */
static struct told look_at(struct surface *s)
{
    irqflags_t flags = spin_lock(&display_lock);
    struct told t = {.shown = s->view.shown};

    t.visible = t.shown != s->told_shown;
    t.width = (uint32_t)s->view.place.w;
    t.height = (uint32_t)s->view.place.h;
    t.resized = t.shown && t.width && t.height &&
                (t.width != s->told_width || t.height != s->told_height);
    t.prepare = t.shown && s->asked;
    if (t.prepare)
        s->asked = false;
    spin_unlock(&display_lock, flags);
    return t;
}

static void raise(const struct surface *s, const struct told *t, uint32_t code)
{
    struct event e = {.code = code,
                      .value = (int64_t)((uint64_t)t->height << 32 | t->width)};

    memcpy(e.text, s->name, sizeof(e.text));
    event_raise(&event_type_surface, &e);
}

void surface_tell(struct surface *s)
{
    struct told t = look_at(s);

    if (t.visible) {
        s->told_shown = t.shown;
        raise(s, &t, t.shown);
        if (s->ops && s->ops->visible)
            s->ops->visible(s, t.shown);
    }
    if (t.resized) {
        if (s->told_width) /* not the first that it hears of */
            raise(s, &t, 2);
        s->told_width = t.width;
        s->told_height = t.height;
        if (s->ops && s->ops->resized)
            s->ops->resized(s, t.width, t.height);
    }
    if (t.prepare && s->ops && s->ops->prepare)
        s->ops->prepare(s);
}
