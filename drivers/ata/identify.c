/* What a disk says about itself. Pure; also built for the host tests. */
#include "ata.h"

#include <errno.h>
#include <string.h>

/* ATA 6.17: words of IDENTIFY DEVICE */
#define WORD_GENERAL   0
#define WORD_SERIAL    10
#define WORD_CAPABLE   49
#define WORD_LBA28     60
#define WORD_COMMANDS  83
#define WORD_LBA48     100
#define WORD_SECTOR    106
#define SERIAL_WORDS   10
#define GENERAL_PACKET 0x8000 /* not a disk */
#define CAPABLE_DMA    0x0100
#define CAPABLE_LBA    0x0200
#define COMMANDS_VALID 0xc000 /* mask: bits 15:14 ... */
#define COMMANDS_THERE 0x4000 /* ... are 01 */
#define COMMANDS_FLUSH 0x1000
#define COMMANDS_LBA48 0x0400
#define SECTOR_LARGE   0x1000 /* a logical one is more than 512 bytes */

#define LBA48_MOST (UINT64_C(1) << 48)

static bool valid(uint16_t w)
{
    return (w & COMMANDS_VALID) == COMMANDS_THERE;
}

/* Two characters a word, the first one high. */
static void take_serial(const uint16_t *words, char out[21])
{
    size_t n = 0;

    for (size_t i = 0; i < 2 * SERIAL_WORDS; i++) {
        uint16_t w = words[WORD_SERIAL + i / 2];
        char c = (char)(i % 2 ? w & 0xff : w >> 8);

        if (!c || (c == ' ' && !n))
            continue;
        out[n++] = c >= ' ' && c < 0x7f ? c : '?';
    }
    while (n > 0 && out[n - 1] == ' ')
        n--;
    out[n] = '\0';
}

int ata_identify_parse(const uint16_t words[ATA_IDENTIFY_WORDS],
                       struct ata_identity *out)
{
    uint16_t commands = words[WORD_COMMANDS];

    memset(out, 0, sizeof(*out));
    if (words[WORD_GENERAL] & GENERAL_PACKET ||
        !(words[WORD_CAPABLE] & CAPABLE_DMA) ||
        !(words[WORD_CAPABLE] & CAPABLE_LBA))
        return -ENOTSUP;
    if (valid(words[WORD_SECTOR]) && words[WORD_SECTOR] & SECTOR_LARGE)
        return -ENOTSUP;
    out->sectors = words[WORD_LBA28] | (uint64_t)words[WORD_LBA28 + 1] << 16;
    if (valid(commands)) {
        out->can_flush = commands & COMMANDS_FLUSH;
        out->lba48 = commands & COMMANDS_LBA48;
    }
    if (out->lba48) {
        out->sectors = 0;
        for (int i = 3; i >= 0; i--)
            out->sectors = out->sectors << 16 | words[WORD_LBA48 + i];
    }
    if (!out->sectors || out->sectors > LBA48_MOST)
        return -ENOTSUP;
    take_serial(words, out->serial);
    return 0;
}
