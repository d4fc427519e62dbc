/* Addresses of Ethernet cards as text: see mac.h. */
#include <rayos/mac.h>

#define GROUP 1u /* bit of an address's first byte (IEEE 802, 8.2.2) */

/* -1: not one. */
static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 'a' ^ 'A';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *mac_parse(const char *text, uint8_t out[MAC_SIZE], unsigned *at)
{
    uint8_t any = 0;

    for (unsigned i = 0; i < MAC_SIZE; i++, text += 3) {
        int high = digit(text[0]), low = high < 0 ? -1 : digit(text[1]);
        char end = i < MAC_SIZE - 1 ? ':' : '\0';

        *at = i + 1;
        if (low < 0)
            return "is not two hexadecimal digits";
        if (text[2] != end)
            return end ? "has no colon behind it" : "is not the end";
        out[i] = (uint8_t)(high << 4 | low);
        any |= out[i];
    }
    *at = 1;
    if (!any)
        return "and all others are zero";
    return out[0] & GROUP ? "is odd: that is a group's (multicast)" : NULL;
}
