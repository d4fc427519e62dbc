/* sources: kernel/fs/tar.c kernel/fs/tar_index.c kernel/fs/path.c
 * tests/fuzz/host.c */
/*
 * Any bytes as an archive. Headers get a good checksum when the first byte is
 * odd, because chance does not find one. Entries lie in the archive, and the
 * index finds every node that it has, once, in order.
 */
#include "tests/fuzz/fuzz.h"

#include "kernel/fs/tar.h"
#include "kernel/fs/tar_index.h"

#define BLOCK        512
#define MAGIC_AT     257
#define CHECKSUM_AT  148
#define CHECKSUM_LEN 8

static void checksums_repair(uint8_t *data, size_t size)
{
    for (size_t at = 0; at + BLOCK <= size; at += BLOCK) {
        unsigned sum = 0;
        char text[CHECKSUM_LEN + 1];

        if (memcmp(data + at + MAGIC_AT, "ustar", 6) != 0)
            continue;
        memset(data + at + CHECKSUM_AT, ' ', CHECKSUM_LEN);
        for (size_t i = 0; i < BLOCK; i++)
            sum += data[at + i];
        snprintf(text, sizeof(text), "%06o", sum & 0777777);
        memcpy(data + at + CHECKSUM_AT, text, 7);
    }
}

static void check_entries(const uint8_t *data, size_t size)
{
    struct tar_entry e;
    const char *why;
    struct tar t;
    int r;

    tar_open(&t, data, size);
    while ((r = tar_next(&t, &e, &why)) > 0) {
        FUZZ_CHECK(strlen(e.path) < TAR_PATH_MAX);
        FUZZ_CHECK(e.path[0] != '/' && !strstr(e.path, "//"));
        FUZZ_CHECK(e.data >= data && e.size <= size &&
                   (size_t)(e.data - data) <= size - e.size);
    }
    FUZZ_CHECK(r == 0 || why);
}

/* Every node but the root is its directory's child, in order. */
static void check_directory(const struct tar_index *x, const char *dir,
                            size_t *seen, const uint8_t *data, size_t size)
{
    const struct tar_node *n, *last = NULL;
    char path[TAR_PATH_MAX];

    for (size_t i = 0; (n = tar_index_child(x, dir, i)); i++, last = n) {
        FUZZ_CHECK(n->length < sizeof(path));
        memcpy(path, n->path, n->length);
        path[n->length] = '\0';
        FUZZ_CHECK(n->dir == strlen(dir) && !memcmp(n->path, dir, n->dir));
        FUZZ_CHECK(tar_index_find(x, path) == n);
        FUZZ_CHECK(!last || n == last + 1);
        FUZZ_CHECK(n->is_dir || (n->data >= data && n->size <= size &&
                                 (size_t)(n->data - data) <= size - n->size));
        ++*seen;
        if (n->is_dir)
            check_directory(x, path, seen, data, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tar_index x;
    const char *why = NULL;
    size_t seen = 1;
    uint8_t *copy;

    if (!size)
        return 0;
    copy = fuzz_copy(data + 1, size - 1);
    if (data[0] & 1)
        checksums_repair(copy, size - 1);
    check_entries(copy, size - 1);
    if (tar_index_build(&x, copy, size - 1, &why) == 0) {
        FUZZ_CHECK(tar_index_find(&x, ""));
        check_directory(&x, "", &seen, copy, size - 1);
        FUZZ_CHECK(seen == x.count);
        FUZZ_CHECK(!tar_index_find(&x, "\x01/none"));
        tar_index_free(&x);
    } else {
        FUZZ_CHECK(why);
    }
    free(copy);
    return 0;
}
