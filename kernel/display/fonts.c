/* The fonts of the screen: see fonts.h. */
#include "fonts.h"

#include <errno.h>

#include <rayos/log.h>
#include <rayos/sync.h>
#include <rayos/vfs.h>

/* Below this width the bigger font would leave fewer than 100 columns. */
#define LARGE_FONT_MIN_WIDTH 1200

#define UNIFONT_HALF 8 /* pixels of a cell */
#define REPLACEMENT  0xfffdu

/* Loaded once and for good. */
struct face {
    const char *path;
    struct font *font; /* NULL: not there; constant once `tried` is set */
    _Atomic bool tried;
};

static struct mutex lock = MUTEX_INIT(lock); /* loading */
static struct face faces[FONT_SIZES][2] = {
    [FONT_16] = {{.path = "/boot/fonts/Uni2-Terminus16.psf"},
                 {.path = "/boot/fonts/Uni2-TerminusBold16.psf"}},
    [FONT_24] = {{.path = "/boot/fonts/Uni2-Terminus24x12.psf"},
                 {.path = "/boot/fonts/Uni2-TerminusBold24x12.psf"}},
    [FONT_32] = {{.path = "/boot/fonts/Uni2-Terminus32x16.psf"},
                 {.path = "/boot/fonts/Uni2-TerminusBold32x16.psf"}},
};
static struct face unifont = {.path = "/boot/fonts/unifont.psf"};
static const struct font *panic_font;

const struct font *fonts_panic_font(void)
{
    return panic_font;
}

static void face_load(struct face *f)
{
    char *data;
    size_t size;
    int err = vfs_read_all(f->path, &data, &size);

    if (!err)
        err = font_load(data, size, &f->font);
    if (err)
        log_warn("display", "font %s: error %d", f->path, -err);
}

static const struct font *face_get(struct face *f)
{
    if (__atomic_load_n((bool *)&f->tried, __ATOMIC_ACQUIRE))
        return f->font;
    mutex_lock(&lock);
    if (!f->tried)
        face_load(f);
    __atomic_store_n((bool *)&f->tried, true, __ATOMIC_RELEASE);
    mutex_unlock(&lock);
    return f->font;
}

enum font_size fonts_size_for(uint32_t screen_width)
{
    return screen_width >= LARGE_FONT_MIN_WIDTH ? FONT_24 : FONT_16;
}

int fonts_get(enum font_size size, struct font_set *out)
{
    const struct font *regular = face_get(&faces[size][0]);
    const struct font *bold = face_get(&faces[size][1]);

    if (!regular)
        return -ENOENT;
    *out = (struct font_set){regular, bold, font_metrics(regular)};
    if (bold && (font_metrics(bold).width != out->cell.width ||
                 font_metrics(bold).height != out->cell.height))
        out->bold = NULL;
    if (!panic_font)
        panic_font = regular;
    return 0;
}

static struct glyph_bitmap bitmap(const struct font *f, uint32_t ch,
                                  uint32_t width)
{
    struct glyph_bitmap b = {.width = width};

    if (!f || !ch)
        return b;
    b.rows = font_glyph(f, ch, &b.bytes_per_row);
    b.height = font_metrics(f).height;
    return b;
}

struct glyph_bitmap fonts_find_glyph(const struct font_set *set, uint32_t ch,
                                     bool bold, bool wide)
{
    uint32_t half = wide ? 2 * UNIFONT_HALF : UNIFONT_HALF;
    struct glyph_bitmap b = {.rows = NULL};

    if (!ch)
        return b;
    if (!wide) {
        if (bold)
            b = bitmap(set->bold, ch, set->cell.width);
        if (!b.rows)
            b = bitmap(set->regular, ch, set->cell.width);
        if (b.rows)
            return b;
    }
    b = bitmap(face_get(&unifont), ch, half);
    return b.rows ? b : bitmap(face_get(&unifont), REPLACEMENT, half);
}

bool fonts_is_wide(const struct font_set *set, uint32_t ch)
{
    uint32_t row;
    struct glyph_bitmap b;

    if (ch < 0x1100 || font_glyph(set->regular, ch, &row))
        return false;
    b = bitmap(face_get(&unifont), ch, 2 * UNIFONT_HALF);
    /* Narrow characters leave the right half of theirs empty. */
    for (uint32_t y = 0; b.rows && y < b.height; y++)
        if (b.bytes_per_row > 1 && b.rows[y * b.bytes_per_row + 1])
            return true;
    return false;
}
