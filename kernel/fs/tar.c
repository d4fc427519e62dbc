/*
 * The ustar reader: one header after the other, each checked for magic,
 * checksum, octal numbers, bounds and a name that stays inside the tree. Pure:
 * any context.
 */
#include "tar.h"

#include <errno.h>
#include <string.h>

#define TAR_BLOCK 512

/* POSIX.1-2008, pax, table "ustar Header Block". */
struct tar_header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char chksum[8];
    char typeflag;
    char linkname[100];
    char magic[6];
    char version[2];
    char uname[32];
    char gname[32];
    char devmajor[8];
    char devminor[8];
    char prefix[155];
    char pad[12];
};
_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "ustar header");

#define TAR_TYPE_FILE     '0'
#define TAR_TYPE_FILE_OLD '\0'
#define TAR_TYPE_DIR      '5'

void tar_open(struct tar *t, const void *data, size_t size)
{
    t->data = data;
    t->size = size;
    t->offset = 0;
}

/* Digits, ended by a space, a NUL or the field's end; leading spaces may be.
 * false: anything else, or more than 63 bits. */
static bool octal_parse(const char *field, size_t size, uint64_t *out)
{
    size_t i = 0, digits = 0;
    uint64_t v = 0;

    while (i < size && field[i] == ' ')
        i++;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++, digits++) {
        if (v >> 60)
            return false;
        v = v << 3 | (uint64_t)(field[i] - '0');
    }
    for (; i < size; i++)
        if (field[i] != ' ' && field[i] != '\0')
            return false;
    *out = v;
    return digits > 0;
}

/* The sum of all bytes, with the sum's own field taken as spaces. */
static bool checksum_ok(const struct tar_header *h)
{
    const uint8_t *p = (const uint8_t *)h;
    size_t from = offsetof(struct tar_header, chksum);
    uint64_t stored;
    uint32_t sum = 0;

    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += i >= from && i < from + sizeof(h->chksum) ? ' ' : p[i];
    return octal_parse(h->chksum, sizeof(h->chksum), &stored) && stored == sum;
}

static bool block_is_zero(const uint8_t *p)
{
    for (size_t i = 0; i < TAR_BLOCK; i++)
        if (p[i])
            return false;
    return true;
}

/* Is that component one that a tree can hold? */
static bool component_ok(const char *p, size_t n)
{
    return n > 0 && !(n == 1 && p[0] == '.') &&
           !(n == 2 && p[0] == '.' && p[1] == '.');
}

/*
 * prefix/name into out, without "./" in front and '/' behind. false: absolute,
 * or with empty, "." or ".." components, which would lead elsewhere.
 */
static bool name_parse(const struct tar_header *h, char out[TAR_PATH_MAX])
{
    char raw[TAR_PATH_MAX];
    size_t np = strnlen(h->prefix, sizeof(h->prefix));
    size_t nn = strnlen(h->name, sizeof(h->name)), n = 0;

    memcpy(raw, h->prefix, np);
    if (np)
        raw[np++] = '/';
    memcpy(raw + np, h->name, nn);
    n = np + nn;
    raw[n] = '\0';
    if (n == 0)
        return false;

    const char *p = raw;

    if (p[0] == '.' && (p[1] == '/' || p[1] == '\0')) {
        p += p[1] ? 2 : 1;
        n = strlen(p);
    }
    if (n > 0 && p[n - 1] == '/')
        n--;
    memcpy(out, p, n);
    out[n] = '\0';
    for (size_t i = 0, end; i < n; i = end + 1) {
        for (end = i; end < n && out[end] != '/'; end++)
            ;
        if (!component_ok(out + i, end - i))
            return false;
    }
    return n == 0 || out[n - 1] != '/';
}

static enum tar_type type_parse(char flag)
{
    if (flag == TAR_TYPE_FILE || flag == TAR_TYPE_FILE_OLD)
        return TAR_FILE;
    return flag == TAR_TYPE_DIR ? TAR_DIR : TAR_OTHER;
}

static const char *header_parse(const struct tar_header *h, struct tar_entry *e)
{
    uint64_t mtime;

    if (memcmp(h->magic, "ustar", 6) != 0 || memcmp(h->version, "00", 2) != 0)
        return "no ustar magic";
    if (!checksum_ok(h))
        return "wrong header checksum";
    if (!octal_parse(h->size, sizeof(h->size), &e->size))
        return "bad size field";
    if (!octal_parse(h->mtime, sizeof(h->mtime), &mtime))
        return "bad time field";
    if (!name_parse(h, e->path))
        return "bad name";
    e->mtime = (int64_t)mtime;
    e->type = type_parse(h->typeflag);
    if (e->type == TAR_FILE && !e->path[0])
        return "file without a name";
    /* A directory's size is a hint about its contents (and no data follows). */
    if (e->type == TAR_DIR)
        e->size = 0;
    return NULL;
}

int tar_next(struct tar *t, struct tar_entry *out, const char **why)
{
    size_t left = t->size - t->offset;
    const uint8_t *p = t->data + t->offset;

    *why = NULL;
    if (left < TAR_BLOCK) {
        *why = "ends without its end mark";
        return -EINVAL;
    }
    if (block_is_zero(p))
        return 0;
    *why = header_parse((const struct tar_header *)p, out);
    if (*why)
        return -EINVAL;
    left -= TAR_BLOCK;
    if (out->size > left || ALIGN_UP(out->size, (uint64_t)TAR_BLOCK) > left) {
        *why = "data beyond the archive's end";
        return -EINVAL;
    }
    out->data = p + TAR_BLOCK;
    t->offset += TAR_BLOCK + ALIGN_UP(out->size, (uint64_t)TAR_BLOCK);
    return 1;
}
