/*
 * One palette for the whole system: a deep blue-grey ground, soft white text,
 * one warm accent, and eight hues of even lightness with a brighter set for the
 * terminal. 0xRRGGBB.
 */
#ifndef RAYOS_DISPLAY_PALETTE_H
#define RAYOS_DISPLAY_PALETTE_H

#define COLOUR_GROUND         0x10151cu /* behind text */
#define COLOUR_TEXT           0xd5dbe3u
#define COLOUR_CURSOR         0xf2c062u
#define COLOUR_ACCENT         0xf2c062u
#define COLOUR_RAISED         0x1b222cu /* bars, title bars, notices */
#define COLOUR_EDGE           0x303a47u /* lines around what is raised */
#define COLOUR_DIM            0x808b99u /* text of less weight */
#define COLOUR_SHADOW         0x000000u
#define COLOUR_DESKTOP_TOP    0x223042u /* behind windows */
#define COLOUR_DESKTOP_BOTTOM 0x0d1117u

#define PALETTE_TERMINAL                                                      \
    {                                                                         \
        0x1b222c, 0xe0676e, 0x8cc379, 0xdcb35f, 0x66a9e8, 0xbf8ae0, 0x5cbfc4, \
            0xb9c2cd, 0x808b99, 0xf28b90, 0xaede9c, 0xf2cf85, 0x8fc4f7,       \
            0xd6adf2, 0x86dade, 0xf4f7fa,                                     \
    }

#endif
