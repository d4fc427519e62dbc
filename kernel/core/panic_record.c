/*
 * The panic record: header and text. Whatever lies there at boot (nothing, an
 * old record, random bits of memory that lost power) is told apart by magic,
 * length and CRC. Pure; any context.
 */
#include "panic_record.h"

#include <string.h>

/* CRC-32 of IEEE 802.3, reflected; bit by bit, because a report is short and a
 * table is one more thing that can be damaged. */
#define CRC_POLYNOMIAL 0xedb88320u

/* Goes on from the CRC of what came before; 0 at the start. */
static uint32_t crc32_update(uint32_t crc, const char *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint8_t)data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? CRC_POLYNOMIAL : 0);
    }
    return ~crc;
}

struct panic_record *panic_record_begin(void *region, size_t size)
{
    struct panic_record *r = region;

    if (!region || size < sizeof(*r))
        return NULL;
    r->magic = PANIC_RECORD_MAGIC;
    r->length = 0;
    r->crc = 0;
    return r;
}

void panic_record_append(struct panic_record *r, size_t size, const char *text,
                         size_t length)
{
    size_t room = size - sizeof(*r) - r->length;

    if (length > room)
        length = room;
    memcpy(r->text + r->length, text, length);
    r->crc = crc32_update(r->crc, text, length);
    r->length += (uint32_t)length;
}

const struct panic_record *panic_record_check(const void *region, size_t size)
{
    const struct panic_record *r = region;

    if (!region || size < sizeof(*r) || r->magic != PANIC_RECORD_MAGIC ||
        r->length == 0 || r->length > size - sizeof(*r) ||
        crc32_update(0, r->text, r->length) != r->crc)
        return NULL;
    return r;
}

void panic_record_clear(void *region, size_t size)
{
    if (region && size >= sizeof(struct panic_record))
        memset(region, 0, sizeof(struct panic_record));
}
