/*
 * MBR partition tables (UEFI 2.9 5.2.1) with the extended partitions of DOS: a
 * chain of tables, each with one partition and a link. Pure; thread context.
 */
#include "partition.h"

#include <errno.h>
#include <string.h>

#include <rayos/fmt.h>

#define SIGNATURE_AT 510
#define DISK_ID_AT   440
#define ENTRIES_AT   446
#define ENTRIES      4
#define ENTRY_BYTES  16
#define ENTRY_STATUS 0 /* 0x80: active, 0: not; nothing else is a table */
#define ENTRY_TYPE   4
#define ENTRY_FIRST  8
#define ENTRY_COUNT  12

#define TYPE_EXTENDED       0x05
#define TYPE_EXTENDED_LBA   0x0f
#define TYPE_EXTENDED_LINUX 0x85
#define TYPE_PROTECTIVE     0xee /* all of the disk is a GPT's */

#define FIRST_LOGICAL 5
#define CHAIN_MAX     PARTITION_MAX

struct entry {
    uint8_t status, type;
    uint32_t first, count;
};

static uint32_t get32(const uint8_t *p)
{
    uint32_t x;

    memcpy(&x, p, sizeof(x));
    return x;
}

/* Copy the four entries of the table in `block`. -ENOENT: none is there. */
static int parse(const uint8_t *block, struct entry out[ENTRIES])
{
    if (block[SIGNATURE_AT] != 0x55 || block[SIGNATURE_AT + 1] != 0xaa)
        return -ENOENT;
    for (int i = 0; i < ENTRIES; i++) {
        const uint8_t *e = block + ENTRIES_AT + i * ENTRY_BYTES;

        out[i] = (struct entry){
            .status = e[ENTRY_STATUS],
            .type = e[ENTRY_TYPE],
            .first = get32(e + ENTRY_FIRST),
            .count = get32(e + ENTRY_COUNT),
        };
        /* The boot sector of a file system has the same signature. */
        if (out[i].status & 0x7f)
            return -ENOENT;
    }
    return 0;
}

static bool is_extended(const struct entry *e)
{
    return e->type == TYPE_EXTENDED || e->type == TYPE_EXTENDED_LBA ||
           e->type == TYPE_EXTENDED_LINUX;
}

static void add(const struct partition_source *s, struct partition_table *out,
                const struct entry *e, uint64_t base, uint32_t number,
                uint32_t disk_id)
{
    struct partition p = {
        .number = number,
        .first = base + e->first,
        .last = base + e->first + e->count - 1,
    };

    fmt_snprintf(p.type, sizeof(p.type), "0x%02x", e->type);
    fmt_snprintf(p.uuid, sizeof(p.uuid), "%08x-%02x", disk_id, number);
    partition_add(s, out, &p);
}

/*
 * Tables of an extended partition: links count from its start, partitions from
 * the table that names them. Links must go forward and stay inside, so that
 * chains end.
 */
static int read_extended(const struct partition_source *s,
                         struct partition_table *out, const struct entry *ext,
                         uint32_t disk_id)
{
    uint64_t start = ext->first, end = start + ext->count, at = start;
    uint32_t number = FIRST_LOGICAL;

    for (int n = 0; n < CHAIN_MAX; n++) {
        struct entry e[ENTRIES];
        uint64_t next;
        int err;

        if (at >= s->blocks || at >= end) {
            partition_say(s, "the extended partition leads off the disk");
            return 0;
        }
        err = s->read(s->arg, at, s->scratch, 1);
        if (err)
            return err;
        if (parse(s->scratch, e)) {
            partition_say(s, "the extended partition's table %d is damaged", n);
            return 0;
        }
        if (e[0].type && e[0].count && !is_extended(&e[0])) {
            if (at + e[0].first + e[0].count <= end)
                add(s, out, &e[0], at, number, disk_id);
            else
                partition_say(s,
                              "partition %u leaves the extended one: "
                              "refused",
                              number);
            number++;
        }
        if (!is_extended(&e[1]) || !e[1].count)
            return 0;
        next = start + e[1].first;
        if (next <= at) {
            partition_say(s, "the extended partition's tables form a loop");
            return 0;
        }
        at = next;
    }
    partition_say(s, "the extended partition has too many tables");
    return 0;
}

bool partition_mbr_protective(const struct partition_source *s)
{
    struct entry e[ENTRIES];
    bool found = false;

    if (!s->blocks || s->read(s->arg, 0, s->scratch, 1) || parse(s->scratch, e))
        return false;
    for (int i = 0; i < ENTRIES; i++)
        found = found || e[i].type == TYPE_PROTECTIVE;
    return found;
}

int partition_read_mbr(const struct partition_source *s,
                       struct partition_table *out)
{
    struct entry e[ENTRIES];
    uint32_t disk_id;
    int err;

    out->kind = "mbr";
    out->count = 0;
    if (!s->blocks)
        return -ENOENT;
    err = s->read(s->arg, 0, s->scratch, 1);
    if (err)
        return err;
    disk_id = get32(s->scratch + DISK_ID_AT);
    err = parse(s->scratch, e);
    if (err)
        return err;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        if (e[i].type == TYPE_PROTECTIVE) {
            partition_say(s, "the MBR says that there is a GPT, and there is "
                             "none");
            out->count = 0;
            return -EINVAL;
        }
        if (e[i].type && e[i].count && !is_extended(&e[i]))
            add(s, out, &e[i], 0, i + 1, disk_id);
    }
    for (uint32_t i = 0; i < ENTRIES && !err; i++)
        if (e[i].count && is_extended(&e[i])) {
            err = read_extended(s, out, &e[i], disk_id);
            break; /* a second one is nobody's */
        }
    return err;
}
