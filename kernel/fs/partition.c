/* What the parsers of partition tables share. Pure; thread context. */
#include "partition.h"

#include <errno.h>

#include <rayos/fmt.h>

#define CRC32_POLYNOMIAL 0xedb88320u /* IEEE 802.3, bits reflected */
#define SAY_MAX          160

void partition_say(const struct partition_source *s, const char *fmt, ...)
{
    char text[SAY_MAX];
    va_list ap;

    va_start(ap, fmt);
    fmt_vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    s->say(s->arg, text);
}

uint32_t partition_crc32(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *p = data;

    crc = ~crc;
    while (size--) {
        crc ^= *p++;
        for (int i = 0; i < 8; i++)
            crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
    }
    return ~crc;
}

static const struct partition *overlapping(const struct partition_table *t,
                                           const struct partition *p)
{
    for (uint32_t i = 0; i < t->count; i++) {
        const struct partition *o = &t->at[i];

        if (p->first <= o->last && o->first <= p->last)
            return o;
    }
    return NULL;
}

void partition_add(const struct partition_source *s,
                   struct partition_table *out, const struct partition *p)
{
    const struct partition *o;

    if (p->first > p->last || p->last >= s->blocks) {
        partition_say(s, "partition %u is not on the disk: refused", p->number);
        return;
    }
    o = overlapping(out, p);
    if (o)
        partition_say(s, "partition %u overlaps partition %u: refused",
                      p->number, o->number);
    else if (out->count == PARTITION_MAX)
        partition_say(s, "partition %u is one too many: refused", p->number);
    else
        out->at[out->count++] = *p;
}

int partition_read(const struct partition_source *s,
                   struct partition_table *out)
{
    int err;

    out->kind = NULL;
    out->count = 0;
    if (s->block_size < 512 || s->block_size > PARTITION_BLOCK ||
        s->block_size & (s->block_size - 1))
        return -EINVAL;
    err = partition_read_gpt(s, out);
    return err == -ENOENT ? partition_read_mbr(s, out) : err;
}
