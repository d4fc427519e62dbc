/*
 * Files of a FAT volume. The chain is walked once, when the file is opened, and
 * kept as runs of clusters that follow each other: what is read is then asked
 * of the disk in pieces as long as the runs are. Small reads come from a
 * buffer, which is filled ahead. Pure; thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "fat.h"

#define RUNS_MOST    (1u << 18)
#define RUNS_FIRST   8
#define BUFFER_SIZE  (UINT64_C(64) << 10)
#define REQUEST_MOST (UINT64_C(16) << 20)

static int run_add(struct fat_chain *c, uint32_t cluster)
{
    struct fat_run *last = c->count ? &c->runs[c->count - 1] : NULL;

    if (last && cluster - last->cluster == c->clusters - last->index) {
        c->clusters++;
        return 0;
    }
    if (c->count == c->room) {
        size_t room = c->room ? 2 * c->room : RUNS_FIRST;
        struct fat_run *runs;

        if (c->count == RUNS_MOST)
            return -EFBIG;
        runs = kalloc(room * sizeof(*runs));
        if (!runs)
            return -ENOMEM;
        if (c->count)
            memcpy(runs, c->runs, c->count * sizeof(*runs));
        kfree(c->runs);
        c->runs = runs;
        c->room = room;
    }
    c->runs[c->count++] = (struct fat_run){c->clusters++, cluster};
    return 0;
}

/* Brent's way of seeing a circle: one remembered cluster, which is moved to
 * where the walk is after 1, 2, 4, 8 ... steps. */
int fat_chain_make(struct fat_volume *v, uint32_t first, uint32_t most,
                   struct fat_chain *out)
{
    uint32_t at = first, marked = 0, steps = 0, limit = 1;
    int err = 0;

    memset(out, 0, sizeof(*out));
    while (at && !err) {
        if (at == marked) {
            v->why = "a chain of clusters is a circle";
            err = -EIO;
            break;
        }
        if (out->clusters < most)
            err = run_add(out, at);
        if (++steps == limit) {
            marked = at;
            limit *= 2;
            steps = 0;
        }
        if (!err)
            err = fat_next(v, at, &at);
    }
    if (err)
        fat_chain_free(out);
    return err;
}

void fat_chain_free(struct fat_chain *c)
{
    kfree(c->runs);
    memset(c, 0, sizeof(*c));
}

uint64_t fat_chain_find(const struct fat_volume *v, const struct fat_chain *c,
                        uint64_t offset, uint64_t *length)
{
    uint32_t index = (uint32_t)(offset / v->cluster_size);
    size_t low = 0, high = c->count;
    const struct fat_run *r;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (c->runs[middle].index <= index)
            low = middle;
        else
            high = middle;
    }
    r = &c->runs[low];
    uint32_t end = low + 1 < c->count ? r[1].index : c->clusters;
    uint64_t skip = offset - (uint64_t)r->index * v->cluster_size;

    *length = (uint64_t)(end - r->index) * v->cluster_size - skip;
    return v->data + (uint64_t)(r->cluster - 2) * v->cluster_size + skip;
}

int fat_file_open(struct fat_volume *v, const struct fat_node *n,
                  struct fat_file *out)
{
    uint64_t want = ((uint64_t)n->size + v->cluster_size - 1) / v->cluster_size;
    int err = 0;

    memset(out, 0, sizeof(*out));
    out->volume = v;
    out->node = *n;
    if (want > v->clusters) {
        v->why = "a file is larger than the volume";
        err = -EIO;
    } else if (n->size) {
        err = fat_chain_make(v, n->cluster, (uint32_t)want, &out->chain);
    }
    if (!err && out->chain.clusters < want) {
        v->why = "a file has fewer clusters than its size wants";
        err = -EIO;
        fat_chain_free(&out->chain);
    }
    if (err)
        out->node.size = 0; /* nothing can be read */
    return err;
}

void fat_file_close(struct fat_file *f)
{
    fat_chain_free(&f->chain);
    kfree(f->buffer);
    f->buffer = NULL;
}

/* Whole sectors, as many as are together on the medium: how many bytes. */
static ssize_t read_stretch(struct fat_file *f, void *buffer, uint64_t size,
                            uint64_t offset)
{
    uint64_t length;
    uint64_t at = fat_chain_find(f->volume, &f->chain, offset, &length);
    int err;

    if (length > size)
        length = size;
    if (length > REQUEST_MOST)
        length = REQUEST_MOST;
    err = fat_read(f->volume, at, buffer, length);
    return err ? err : (ssize_t)length;
}

/* Fill the buffer from the sector of `offset` on. */
static int buffer_fill(struct fat_file *f, uint64_t offset)
{
    uint32_t sector = f->volume->sector_size;
    uint64_t from = offset / sector * sector;
    uint64_t end = (uint64_t)f->chain.clusters * f->volume->cluster_size;
    uint64_t want = end - from < BUFFER_SIZE ? end - from : BUFFER_SIZE;

    if (!f->buffer)
        f->buffer = kalloc(BUFFER_SIZE);
    if (!f->buffer)
        return -ENOMEM;
    f->buffer_at = from;
    f->buffer_size = 0;
    while (f->buffer_size < want) {
        ssize_t n = read_stretch(f, f->buffer + f->buffer_size,
                                 want - f->buffer_size, from + f->buffer_size);

        if (n < 0) /* what came before it is good, if that is wanted */
            return offset - from < f->buffer_size ? 0 : (int)n;
        f->buffer_size += (uint64_t)n;
    }
    return 0;
}

static ssize_t read_buffered(struct fat_file *f, void *buffer, uint64_t size,
                             uint64_t offset)
{
    if (offset < f->buffer_at || offset - f->buffer_at >= f->buffer_size) {
        int err = buffer_fill(f, offset);

        if (err)
            return err;
    }
    uint64_t skip = offset - f->buffer_at, have = f->buffer_size - skip;

    if (size > have)
        size = have;
    memcpy(buffer, f->buffer + skip, size);
    return (ssize_t)size;
}

ssize_t fat_file_read(struct fat_file *f, void *buffer, size_t size,
                      uint64_t offset)
{
    uint32_t sector = f->volume->sector_size;
    uint64_t done = 0;

    if (offset >= f->node.size)
        return 0;
    if (size > f->node.size - offset)
        size = f->node.size - offset;
    while (done < size) {
        uint64_t at = offset + done, left = size - done;
        uint8_t *to = (uint8_t *)buffer + done;
        ssize_t n;

        if (left >= BUFFER_SIZE && at % sector == 0)
            n = read_stretch(f, to, left / sector * sector, at);
        else
            n = read_buffered(f, to, left, at);
        if (n < 0)
            return done ? (ssize_t)done : n;
        done += (uint64_t)n;
    }
    return (ssize_t)done;
}
