/*
 * The fonts of the screen: Terminus in three sizes, regular and bold, and GNU
 * Unifont for what it lacks. Loaded when they are first asked for; thread
 * context, but what was got may be drawn with in any.
 */
#ifndef RAYOS_DISPLAY_FONTS_H
#define RAYOS_DISPLAY_FONTS_H

#include <rayos/framebuffer.h>

#include "glyph.h"

enum font_size { FONT_16, FONT_24, FONT_32, FONT_SIZES };

struct font_set {
    const struct font *regular, *bold; /* bold may be NULL */
    struct font_metrics cell;
};

/* -ENOENT: not there, or damaged (logged). */
int fonts_get(enum font_size size, struct font_set *out);
/* The size that suits text on a screen of that width. */
enum font_size fonts_size_for(uint32_t screen_width);
/* The glyph from the best font that has it; U+FFFD's when none does; blank
 * without any font. */
struct glyph_bitmap fonts_find_glyph(const struct font_set *set, uint32_t ch,
                                     bool bold, bool wide);
/* Does it take two cells? */
bool fonts_is_wide(const struct font_set *set, uint32_t ch);
/* The font that panics may use; NULL before fonts_get. Any context. */
const struct font *fonts_panic_font(void);

#endif
