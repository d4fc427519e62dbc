/*
 * The boot framebuffer: mapped write-combining, only ever written. Drawing may
 * be called from any context (a panic draws); see framebuffer.h.
 */
#include <errno.h>

#include <rayos/boot.h>
#include <rayos/framebuffer.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/unit.h>

#define FRAMEBUFFER_MAX_DIMENSION 16384

static struct framebuffer framebuffer;

const struct framebuffer *framebuffer_get(void)
{
    return &framebuffer;
}

uint32_t framebuffer_colour(uint32_t rgb)
{
    if (!framebuffer.rgb)
        return rgb;
    return (rgb & 0xff) << 16 | (rgb & 0xff00) | (rgb >> 16 & 0xff);
}

static void framebuffer_fill_row(uint32_t *p, uint32_t n, uint32_t pixel)
{
    uint64_t pair = (uint64_t)pixel << 32 | pixel;

    if (n && ((uintptr_t)p & 4)) {
        *p++ = pixel;
        n--;
    }
    for (; n >= 2; n -= 2, p += 2)
        *(volatile uint64_t *)p = pair;
    if (n)
        *p = pixel;
}

void framebuffer_fill(uint32_t x, uint32_t y, uint32_t w, uint32_t h,
                      uint32_t colour)
{
    const struct framebuffer *fb = &framebuffer;
    uint32_t pixel = framebuffer_colour(colour);

    if (!fb->pixels || x >= fb->width || y >= fb->height)
        return;
    if (w > fb->width - x)
        w = fb->width - x;
    if (h > fb->height - y)
        h = fb->height - y;
    for (uint32_t row = y; row < y + h; row++)
        framebuffer_fill_row(fb->pixels + (size_t)row * fb->stride + x, w,
                             pixel);
}

/* What the firmware says is checked: a wrong size would write over memory. */
static bool framebuffer_is_sane(const struct boot_framebuffer *b)
{
    return b->width && b->width <= FRAMEBUFFER_MAX_DIMENSION && b->height &&
           b->height <= FRAMEBUFFER_MAX_DIMENSION && b->pitch % 4 == 0 &&
           b->pitch / 4 >= b->width &&
           (uint64_t)b->pitch * b->height <= b->size;
}

static int framebuffer_start(void)
{
    const struct boot_framebuffer *b = &boot_info_get()->framebuffer;
    void *pixels;

    if (b->format == BOOT_PIXEL_NONE)
        return -ENODEV;
    if (!framebuffer_is_sane(b)) {
        log_error("display", "framebuffer refused: %ux%u, pitch %u, %llu bytes",
                  b->width, b->height, b->pitch, (unsigned long long)b->size);
        return -EINVAL;
    }
    pixels = kspace_map_phys(b->base, (size_t)b->pitch * b->height, KSPACE_RW,
                             CACHE_WC);
    if (!pixels)
        return -ENOMEM;
    framebuffer = (struct framebuffer){
        .pixels = pixels,
        .width = b->width,
        .height = b->height,
        .stride = b->pitch / 4,
        .rgb = b->format == BOOT_PIXEL_RGBX,
    };
    log_info("display", "framebuffer %ux%u", b->width, b->height);
    return 0;
}

UNIT(framebuffer, .start = framebuffer_start);
