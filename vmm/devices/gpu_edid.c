/* A guest's monitor: see gpu_edid.h. Section numbers are of E-EDID 1.4. Pure.
 */
#include "vmm/devices/gpu_edid.h"

#include <string.h>

#define REFRESH        60
#define DOTS_PER_INCH  96
#define H_FRONT        48 /* reduced blanking, as CVT 1.2 gives it */
#define H_SYNC         32
#define H_BLANK        160
#define V_FRONT        3
#define V_SYNC         6
#define V_BLANK_US     460 /* at least */
#define CLOCK_UNIT     10000u
#define DESCRIPTOR     18 /* bytes */
#define DESCRIPTORS    54 /* where the four begin */
#define TAG_RANGE      0xfd
#define TAG_NAME       0xfc
#define TAG_DUMMY      0x10
#define INPUT_DIGITAL8 0xa5 /* 3.6.1: digital, 8 bits a colour, DisplayPort */
/* 3.6.4: preferred mode is native, any mode goes, sRGB */
#define FEATURES 0x07

static uint32_t clamp(uint32_t v, uint32_t max)
{
    return v < 1 ? 1 : v > max ? max : v;
}

static uint32_t millimetres(uint32_t pixels)
{
    return pixels * 254 / (DOTS_PER_INCH * 10);
}

static uint32_t centimetres(uint32_t pixels)
{
    return clamp((millimetres(pixels) + 5) / 10, 255);
}

/* 3.10.2: the mode. */
static uint32_t put_timing(uint8_t *d, uint32_t w, uint32_t h)
{
    /* The blank takes V_BLANK_US of each picture. */
    uint32_t lines = h * 1000000 / (1000000 - REFRESH * V_BLANK_US) - h + 1;
    uint32_t v_blank = lines < V_FRONT + V_SYNC + 6 ? V_FRONT + V_SYNC + 6
                                                    : lines;
    uint32_t clock = (w + H_BLANK) * (h + v_blank) * REFRESH / CLOCK_UNIT;
    uint32_t mm_w = millimetres(w), mm_h = millimetres(h);

    clock = clamp(clock, UINT16_MAX);
    d[0] = (uint8_t)clock;
    d[1] = (uint8_t)(clock >> 8);
    d[2] = (uint8_t)w;
    d[3] = H_BLANK;
    d[4] = (uint8_t)(w >> 8 << 4);
    d[5] = (uint8_t)h;
    d[6] = (uint8_t)v_blank;
    d[7] = (uint8_t)(h >> 8 << 4 | v_blank >> 8);
    d[8] = H_FRONT;
    d[9] = H_SYNC;
    d[10] = V_FRONT << 4 | V_SYNC;
    d[12] = (uint8_t)mm_w;
    d[13] = (uint8_t)mm_h;
    d[14] = (uint8_t)(mm_w >> 8 << 4 | mm_h >> 8);
    d[17] = 0x1a; /* digital, separate, horizontal sync positive */
    return clock;
}

/* 3.10.3: texts end with a new line, the rest is spaces. */
static void put_text(uint8_t *d, uint8_t tag, const char *text)
{
    size_t n = strlen(text);

    d[3] = tag;
    memset(d + 5, ' ', DESCRIPTOR - 5);
    memcpy(d + 5, text, n);
    if (n < DESCRIPTOR - 5)
        d[5 + n] = '\n';
}

/* 3.10.3.3: Hz, kHz and units of 10 MHz. */
static void put_range(uint8_t *d, uint32_t clock)
{
    static const uint8_t limits[] = {30, 75, 15, 255};

    d[3] = TAG_RANGE;
    memcpy(d + 5, limits, sizeof(limits));
    d[9] = (uint8_t)clamp(clock / 1000 + 1, 255);
    d[10] = 1; /* no formula beyond the limits */
    d[11] = '\n';
    memset(d + 12, ' ', 6);
}

void gpu_edid_make(uint8_t out[EDID_SIZE], uint32_t width, uint32_t height)
{
    static const uint8_t head[] = {
        0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0,
        /* 3.4: "RAY", 5 bits a letter; product; serial number; 2026; 1.4 */
        0x48, 0x39, 1, 0, 0, 0, 0, 0, 0, 2026 - 1990, 1, 4};
    /* 3.7: sRGB */
    static const uint8_t colours[] = {0xee, 0x91, 0xa3, 0x54, 0x4c,
                                      0x99, 0x26, 0x0f, 0x50, 0x54};
    uint32_t w = clamp(width, EDID_SIDE_MAX), h = clamp(height, EDID_SIDE_MAX);
    uint8_t sum = 0, *d = out + DESCRIPTORS;

    memset(out, 0, EDID_SIZE);
    memcpy(out, head, sizeof(head));
    out[20] = INPUT_DIGITAL8;
    out[21] = (uint8_t)centimetres(w);
    out[22] = (uint8_t)centimetres(h);
    out[23] = 220 - 100; /* gamma 2.2 */
    out[24] = FEATURES;
    memcpy(out + 25, colours, sizeof(colours));
    memset(out + 38, 1, 16); /* 3.9: no standard timings */
    put_range(d + DESCRIPTOR, put_timing(d, w, h));
    put_text(d + 2 * DESCRIPTOR, TAG_NAME, "RayOS");
    d[3 * DESCRIPTOR + 3] = TAG_DUMMY;
    for (size_t i = 0; i < EDID_SIZE - 1; i++)
        sum = (uint8_t)(sum + out[i]);
    out[EDID_SIZE - 1] = (uint8_t)-sum;
}
