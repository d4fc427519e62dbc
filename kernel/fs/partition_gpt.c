/*
 * GUID partition tables (UEFI 2.9 5.3). The header and its entries must have
 * the right checksums; when the first ones have not, those at the end of the
 * disk are used. Pure; thread context.
 */
#include "partition.h"

#include <errno.h>
#include <string.h>

#include <rayos/fmt.h>

/* Table 5-5: the header */
#define SIGNATURE       "EFI PART"
#define HEADER_SIZE     12
#define HEADER_CRC      16
#define HEADER_MY       24
#define HEADER_FIRST    40
#define HEADER_LAST     48
#define HEADER_ENTRIES  72
#define HEADER_COUNT    80
#define HEADER_ENTRY    84
#define HEADER_TABLE    88
#define HEADER_SIZE_MIN 92

/* Table 5-6: an entry */
#define ENTRY_TYPE       0
#define ENTRY_UUID       16
#define ENTRY_FIRST      32
#define ENTRY_LAST       40
#define ENTRY_ATTRIBUTES 48
#define ENTRY_NAME       56
#define ENTRY_SIZE_MIN   128
#define NAME_UNITS       36

/* Microsoft's basic data partitions: read-only */
#define ATTRIBUTE_READ_ONLY (UINT64_C(1) << 60)

#define GUID_SIZE 16

/* What a checked header says. */
struct header {
    uint64_t first, last; /* usable blocks */
    uint64_t entries;     /* block of the first entry */
    uint32_t count, entry_size, table_crc;
};

static uint32_t get32(const uint8_t *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof(x));
    return x;
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t x;

    memcpy(&x, p, sizeof(x));
    return x;
}

/* --- the header --- */

static bool checksum_right(uint8_t *block, uint32_t size)
{
    uint32_t said = get32(block + HEADER_CRC);

    memset(block + HEADER_CRC, 0, sizeof(said));
    return partition_crc32(0, block, size) == said;
}

/* Why it is not usable; NULL: it is. */
static const char *check_header(const struct partition_source *s,
                                uint64_t where, uint8_t *block,
                                struct header *h)
{
    uint32_t size = get32(block + HEADER_SIZE);
    uint64_t blocks;

    if (size < HEADER_SIZE_MIN || size > s->block_size)
        return "its header has a wrong size";
    if (!checksum_right(block, size))
        return "its header has a wrong checksum";
    if (get64(block + HEADER_MY) != where)
        return "its header says that it belongs elsewhere";
    *h = (struct header){
        .first = get64(block + HEADER_FIRST),
        .last = get64(block + HEADER_LAST),
        .entries = get64(block + HEADER_ENTRIES),
        .count = get32(block + HEADER_COUNT),
        .entry_size = get32(block + HEADER_ENTRY),
        .table_crc = get32(block + HEADER_TABLE),
    };
    /* 5.3.2: 128 times a power of two; more than a block is nobody's. */
    if (h->entry_size < ENTRY_SIZE_MIN || h->entry_size > s->block_size ||
        h->entry_size & (h->entry_size - 1))
        return "its entries have a wrong size";
    if (!h->count || h->count > PARTITION_MAX)
        return "it has too many entries, or none";
    blocks = ((uint64_t)h->count * h->entry_size + s->block_size - 1) /
             s->block_size;
    if (h->entries < 2 || h->entries >= s->blocks ||
        blocks > s->blocks - h->entries)
        return "its entries are not on the disk";
    if (h->first > h->last || h->last >= s->blocks)
        return "its usable range is not on the disk";
    return NULL;
}

/* --- entries --- */

/* 5.3.3 and appendix A: the first three fields are little endian. */
static void format_guid(char *out, size_t size, const uint8_t *g)
{
    fmt_snprintf(out, size,
                 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                 "%02x%02x%02x%02x%02x%02x",
                 g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9],
                 g[10], g[11], g[12], g[13], g[14], g[15]);
}

/* One character as UTF-8; how many bytes. */
static size_t put_utf8(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* UTF-16 to UTF-8. What is no character becomes U+FFFD, control characters
 * too: the name is printed on terminals. */
static void convert_name(char *out, size_t size, const uint8_t *name)
{
    size_t used = 0;

    for (int i = 0; i < NAME_UNITS; i++) {
        uint32_t c = (uint32_t)name[2 * i] | (uint32_t)name[2 * i + 1] << 8;
        char piece[4];
        size_t n;

        if (!c)
            break;
        if (c >= 0xd800 && c < 0xdc00 && i + 1 < NAME_UNITS &&
            (name[2 * i + 3] & 0xfc) == 0xdc) {
            uint32_t low = (uint32_t)name[2 * i + 2] | (uint32_t)name[2 * i + 3]
                                                           << 8;

            c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
            i++;
        }
        if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000))
            c = 0xfffd;
        n = put_utf8(piece, c);
        if (used + n >= size)
            break;
        memcpy(out + used, piece, n);
        used += n;
    }
    out[used] = '\0';
}

/* Keep a used entry as it stands; it is checked when all of them are. */
static void keep_entry(uint32_t index, const uint8_t *e,
                       struct partition_table *out)
{
    static const uint8_t unused[GUID_SIZE];
    struct partition *p = &out->at[out->count];

    if (memcmp(e + ENTRY_TYPE, unused, GUID_SIZE) == 0)
        return;
    *p = (struct partition){
        .number = index + 1,
        .first = get64(e + ENTRY_FIRST),
        .last = get64(e + ENTRY_LAST),
        .read_only = get64(e + ENTRY_ATTRIBUTES) & ATTRIBUTE_READ_ONLY,
    };
    format_guid(p->type, sizeof(p->type), e + ENTRY_TYPE);
    format_guid(p->uuid, sizeof(p->uuid), e + ENTRY_UUID);
    convert_name(p->label, sizeof(p->label), e + ENTRY_NAME);
    out->count++;
}

/* Entries never cross the end of a block, as both sizes are powers of two. */
static int keep_entries(const struct partition_source *s,
                        const struct header *h, struct partition_table *out)
{
    uint32_t at_once = PARTITION_BLOCK / h->entry_size, crc = 0;

    for (uint32_t i = 0; i < h->count; i += at_once) {
        uint32_t n = h->count - i < at_once ? h->count - i : at_once;
        uint32_t blocks = (n * h->entry_size + s->block_size - 1) /
                          s->block_size;
        int err = s->read(s->arg,
                          h->entries + i / (s->block_size / h->entry_size),
                          s->scratch, blocks);

        if (err)
            return err;
        crc = partition_crc32(crc, s->scratch, (size_t)n * h->entry_size);
        for (uint32_t k = 0; k < n; k++)
            keep_entry(i + k, s->scratch + (size_t)k * h->entry_size, out);
    }
    if (crc == h->table_crc)
        return 0;
    partition_say(s, "GPT: its entries have a wrong checksum");
    return -EINVAL;
}

/* Leave those that lie where partitions may be and on no other. */
static int read_entries(const struct partition_source *s,
                        const struct header *h, struct partition_table *out)
{
    int err = keep_entries(s, h, out);
    uint32_t kept = err ? 0 : out->count;

    out->count = 0;
    for (uint32_t i = 0; i < kept; i++) {
        struct partition p = out->at[i]; /* its place may be taken */

        if (p.first < h->first || p.last > h->last || p.first > p.last)
            partition_say(
                s, "partition %u is outside of the usable range: refused",
                p.number);
        else
            partition_add(s, out, &p);
    }
    return err;
}

/* -ENOENT: no header there; -EINVAL: a bad one (said). */
static int read_table(const struct partition_source *s, uint64_t where,
                      struct partition_table *out)
{
    struct header h;
    const char *why;
    int err;

    if (where >= s->blocks)
        return -ENOENT;
    err = s->read(s->arg, where, s->scratch, 1);
    if (err)
        return err;
    if (memcmp(s->scratch, SIGNATURE, sizeof(SIGNATURE) - 1) != 0)
        return -ENOENT;
    why = check_header(s, where, s->scratch, &h);
    if (why) {
        partition_say(s, "GPT: %s", why);
        return -EINVAL;
    }
    return read_entries(s, &h, out);
}

int partition_read_gpt(const struct partition_source *s,
                       struct partition_table *out)
{
    int first, backup;

    out->kind = "gpt";
    out->count = 0;
    first = read_table(s, 1, out);
    if (!first)
        return 0;
    /* Without a first header the last one counts only when the MBR says so: the
     * disk may have been partitioned anew since. */
    if (s->blocks < 3 || (first == -ENOENT && !partition_mbr_protective(s)))
        return first;
    backup = read_table(s, s->blocks - 1, out);
    if (!backup)
        partition_say(s, "GPT: the table at the end of the disk is used");
    else
        out->count = 0;
    return backup == -ENOENT ? first : backup;
}
