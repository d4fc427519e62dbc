/* Addresses of Ethernet cards as text (IEEE 802, EUI-48). Pure, any context. */
#ifndef RAYOS_MAC_H
#define RAYOS_MAC_H

#include <rayos/types.h>

#define MAC_SIZE 6

/* Exactly "aa:bb:cc:dd:ee:ff", of one card: not of a group, not all zero. NULL,
 * or what is wrong with byte `*at`, counted from 1: "is not two hexadecimal
 * digits"; *out is then undefined. */
const char *mac_parse(const char *text, uint8_t out[MAC_SIZE], unsigned *at);

#endif
