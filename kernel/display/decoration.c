/* Title bars, borders and shadows: see decoration.h. */
#include "decoration.h"

#include <string.h>

#include "palette.h"
#include "region.h"

#define OPAQUE(rgb)   (0xff000000u | (rgb))
#define SHADOW        0x90000000u
#define SHADOW_WEAK   0x58000000u
#define SHADOW_DROP   6 /* it lies that much lower than the window */
#define TITLE_MARGIN  16
#define CLOSE_PADDING 8 /* above and below the button */

uint32_t decoration_title_height(enum draw_font font)
{
    return draw_font_height(font) + 16;
}

/* The window without its shadow: title bar, border, content. */
static struct rect frame_of(struct rect content, uint32_t title_height)
{
    int32_t t = (int32_t)title_height;

    return (struct rect){content.x - DECORATION_BORDER,
                         content.y - t - DECORATION_BORDER,
                         content.w + 2 * DECORATION_BORDER,
                         content.h + t + 2 * DECORATION_BORDER};
}

static struct rect grown(struct rect r, int32_t by)
{
    return (struct rect){r.x - by, r.y - by, r.w + 2 * by, r.h + 2 * by};
}

struct rect decoration_place(struct rect content, uint32_t title_height)
{
    return grown(frame_of(content, title_height), DECORATION_SHADOW);
}

static struct rect close_button(struct rect content, uint32_t title_height)
{
    int32_t side = (int32_t)title_height - 2 * CLOSE_PADDING;

    return (struct rect){content.x + content.w - side - CLOSE_PADDING,
                         content.y - (int32_t)title_height + CLOSE_PADDING,
                         side, side};
}

/* Near a corner both of its edges are taken. */
static unsigned hit_edges(struct rect f, int32_t x, int32_t y)
{
    int32_t reach = 2 * DECORATION_GRIP, right = f.x + f.w, bottom = f.y + f.h;
    bool across = x < f.x || x >= right, along = y < f.y || y >= bottom;
    unsigned edges = 0;

    if (x < f.x || (along && x < f.x + reach))
        edges |= PART_LEFT;
    else if (x >= right || (along && x >= right - reach))
        edges |= PART_RIGHT;
    if (y < f.y || (across && y < f.y + reach))
        edges |= PART_TOP;
    else if (y >= bottom || (across && y >= bottom - reach))
        edges |= PART_BOTTOM;
    return edges;
}

unsigned decoration_hit(struct rect content, uint32_t title_height, int32_t x,
                        int32_t y)
{
    struct rect f = frame_of(content, title_height);

    if (rect_has_point(content, x, y))
        return PART_CONTENT;
    if (!rect_has_point(grown(f, DECORATION_GRIP), x, y))
        return PART_NONE;
    if (!rect_has_point(grown(f, -DECORATION_BORDER), x, y)) {
        if (rect_has_point(f, x, y)) { /* the border: as what is beside it */
            x += x < content.x ? -1 : x >= content.x + content.w;
            y += y < f.y + DECORATION_BORDER ? -1 : y >= content.y + content.h;
        }
        return hit_edges(f, x, y);
    }
    if (rect_has_point(close_button(content, title_height), x, y))
        return PART_CLOSE;
    return PART_TITLE;
}

/* --- drawing --- */

/* A rectangle that is round above only. */
static void draw_frame(const struct canvas *c, struct rect r, int32_t radius,
                       uint32_t colour)
{
    draw_rounded(c, (struct rect){r.x, r.y, r.w, 2 * radius}, (uint32_t)radius,
                 colour);
    draw_fill(c, (struct rect){r.x, r.y + radius, r.w, r.h - radius}, colour);
}

static void draw_close(const struct canvas *c, struct rect button,
                       uint32_t circle, uint32_t cross)
{
    int32_t inset = button.w * 5 / 16;

    draw_rounded(c, button, (uint32_t)button.w / 2, circle);
    for (int32_t i = inset; i < button.w - inset; i++) {
        struct rect dot = {button.x + i, button.y + i, 1, 1};

        draw_blend(c, dot, cross);
        dot.x = button.x + i + 1;
        if (i + 1 < button.w - inset)
            draw_blend(c, dot, cross);
        dot.x = button.x + button.w - 1 - i;
        draw_blend(c, dot, cross);
        dot.x--;
        if (i + 1 < button.w - inset)
            draw_blend(c, dot, cross);
    }
}

static void draw_title(const struct canvas *c, const struct decoration *d,
                       struct rect content)
{
    struct rect button = close_button(content, d->title_height);
    struct draw_style style = {
        .font = d->font,
        .bold = true,
        .argb = OPAQUE(d->active ? COLOUR_TEXT : COLOUR_DIM)};
    size_t size = strlen(d->title);
    int32_t room = content.w - 2 * (TITLE_MARGIN + button.w + CLOSE_PADDING);
    int32_t width = draw_text_width(d->title, size, d->font);
    int32_t y = content.y - (int32_t)d->title_height +
                (int32_t)(d->title_height - draw_font_height(d->font)) / 2;

    if (width > room)
        width = room;
    if (width > 0)
        draw_text_in(c, content.x + (content.w - width) / 2, y, room, d->title,
                     size, &style);
    draw_close(c, button, OPAQUE(COLOUR_EDGE),
               OPAQUE(d->active ? COLOUR_TEXT : COLOUR_DIM));
}

void decoration_draw(const struct canvas *c, const struct decoration *d)
{
    const int32_t out = DECORATION_SHADOW + DECORATION_BORDER;
    struct rect content = {
        out, out + (int32_t)d->title_height, (int32_t)c->width - 2 * out,
        (int32_t)c->height - 2 * out - (int32_t)d->title_height};
    struct rect frame = frame_of(content, d->title_height), dropped = frame;
    struct rect inside = grown(frame, -DECORATION_BORDER);

    if (rect_is_empty(content))
        return;
    dropped.y += SHADOW_DROP;
    draw_fill(c, (struct rect){0, 0, (int32_t)c->width, (int32_t)c->height}, 0);
    draw_shadow(c, dropped, DECORATION_RADIUS, DECORATION_SHADOW - SHADOW_DROP,
                d->active ? SHADOW : SHADOW_WEAK);
    draw_frame(c, frame, DECORATION_RADIUS,
               OPAQUE(d->active ? COLOUR_DIM : COLOUR_EDGE));
    draw_frame(c, inside, DECORATION_RADIUS - DECORATION_BORDER,
               OPAQUE(d->active ? COLOUR_RAISED : COLOUR_GROUND));
    draw_title(c, d, content);
}
