/* sources: kernel/fs/tar.c kernel/fs/tar_index.c kernel/fs/path.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rayos/mm.h>

#include "../../kernel/fs/tar.h"
#include "../../kernel/fs/tar_index.h"

#include "check.h"

#define BLOCK 512

/* The heap of the host; the sanitizer finds what is not given back. */
void *kalloc(size_t size)
{
    return malloc(size);
}

void kfree(void *p)
{
    free(p);
}

/* An archive that grows; exactly as long as its contents, so that reading
 * beyond it is caught. */
static uint8_t *archive;
static size_t archive_size;

static void archive_clear(void)
{
    free(archive);
    archive = NULL;
    archive_size = 0;
}

static uint8_t *archive_block(void)
{
    archive = realloc(archive, archive_size + BLOCK);
    archive_size += BLOCK;
    return memset(archive + archive_size - BLOCK, 0, BLOCK);
}

static void header_sum(uint8_t *h)
{
    unsigned sum = 0;

    memset(h + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += h[i];
    sprintf((char *)h + 148, "%06o", sum);
}

/* A header at archive[0..], valid; tests spoil it and sum again. */
static uint8_t *add_header(const char *prefix, const char *name, char type,
                           size_t size)
{
    uint8_t *h = archive_block();

    memcpy(h, name, strlen(name));
    memcpy(h + 100, "0000644", 8);
    memcpy(h + 108, "0000000", 8);
    memcpy(h + 116, "0000000", 8);
    sprintf((char *)h + 124, "%011zo", size);
    memcpy(h + 136, "14500000000", 12);
    h[156] = (uint8_t)type;
    memcpy(h + 257, "ustar", 6);
    memcpy(h + 263, "00", 2);
    memcpy(h + 345, prefix, strlen(prefix));
    header_sum(h);
    return h;
}

static void add_file(const char *name, const char *text)
{
    size_t size = strlen(text);

    add_header("", name, '0', size);
    for (size_t done = 0; done < size; done += BLOCK) {
        size_t part = size - done < BLOCK ? size - done : BLOCK;

        memcpy(archive_block(), text + done, part);
    }
}

static void add_end(void)
{
    archive_block();
    archive_block();
}

static int build(struct tar_index *x)
{
    const char *why;

    return tar_index_build(x, archive, archive_size, &why);
}

/* How the one entry of the archive is answered; the reason in *why. */
static int first(struct tar_entry *e, const char **why)
{
    struct tar t;

    tar_open(&t, archive, archive_size);
    return tar_next(&t, e, why);
}

TEST(files_and_directories_are_found_with_their_contents)
{
    struct tar_index x;

    archive_clear();
    add_header("", "lua/", '5', 0);
    add_file("lua/init.lua", "print(1)");
    add_file("top", "");
    add_end();
    CHECK_EQ(build(&x), 0);
    const struct tar_node *n = tar_index_find(&x, "lua/init.lua");

    CHECK(n && !n->is_dir && n->size == 8 &&
          memcmp(n->data, "print(1)", 8) == 0);
    CHECK_EQ(n->mtime, 014500000000);
    n = tar_index_find(&x, "lua");
    CHECK(n && n->is_dir);
    n = tar_index_find(&x, "");
    CHECK(n && n->is_dir);
    n = tar_index_find(&x, "top");
    CHECK(n && n->size == 0);
    CHECK(!tar_index_find(&x, "lua/init"));
    CHECK(!tar_index_find(&x, "lua/init.lua/x"));
    CHECK(!tar_index_find(&x, "zzz"));
    tar_index_free(&x);
}

static void check_children(const struct tar_index *x, const char *dir,
                           const char *expected)
{
    const struct tar_node *n;
    char names[256] = "";

    for (size_t i = 0; (n = tar_index_child(x, dir, i)); i++) {
        strncat(names, n->path + n->name, n->length - n->name);
        strcat(names, n->is_dir ? "/ " : " ");
    }
    CHECK_STR(names, expected);
}

TEST(directories_list_their_own_entries_in_the_order_of_names)
{
    struct tar_index x;

    archive_clear();
    add_file("b/z", "1");
    add_file("a.txt", "1");
    add_file("b/a/deep/x", "1");
    add_file("a", "1");
    add_file("b.txt", "1");
    add_file("b/a-", "1");
    add_end();
    CHECK_EQ(build(&x), 0);
    check_children(&x, "", "a a.txt b/ b.txt ");
    check_children(&x, "b", "a/ a- z ");
    check_children(&x, "b/a", "deep/ ");
    check_children(&x, "b/a/deep", "x ");
    check_children(&x, "a", "");
    check_children(&x, "nothing", "");
    tar_index_free(&x);
}

TEST(an_empty_archive_has_only_its_root)
{
    struct tar_index x;

    archive_clear();
    add_end();
    CHECK_EQ(build(&x), 0);
    CHECK_EQ(x.count, 1);
    check_children(&x, "", "");
    tar_index_free(&x);
}

TEST(of_equal_names_the_last_wins)
{
    struct tar_index x;

    archive_clear();
    for (int i = 0; i < 20; i++) {
        char text[16];

        sprintf(text, "%d", i);
        add_file("same", text);
        add_file("d/other", text);
    }
    add_end();
    CHECK_EQ(build(&x), 0);
    CHECK_EQ(x.count, 4);
    const struct tar_node *n = tar_index_find(&x, "same");

    CHECK(n && n->size == 2 && memcmp(n->data, "19", 2) == 0);
    tar_index_free(&x);
}

TEST(a_name_that_is_file_and_directory_is_refused)
{
    struct tar_index x;

    archive_clear();
    add_file("a/b", "1");
    add_file("a", "1");
    add_end();
    CHECK_EQ(build(&x), -EINVAL);
}

TEST(long_names_use_the_prefix_and_fill_both_fields)
{
    struct tar_entry e;
    char prefix[156], name[101], full[300];
    const char *why;

    memset(prefix, 'p', 155);
    prefix[155] = '\0';
    memset(name, 'n', 100);
    name[100] = '\0';
    archive_clear();
    add_header(prefix, name, '0', 0);
    add_end();
    CHECK_EQ(first(&e, &why), 1);
    sprintf(full, "%s/%s", prefix, name);
    CHECK_STR(e.path, full);
}

TEST(other_kinds_of_entries_are_skipped_with_their_data)
{
    struct tar_index x;

    archive_clear();
    add_header("", "pax", 'x', 600);
    archive_block();
    archive_block();
    add_header("", "link", '2', 0);
    add_file("real", "1");
    add_end();
    CHECK_EQ(build(&x), 0);
    CHECK_EQ(x.skipped, 2);
    check_children(&x, "", "real ");
    tar_index_free(&x);
}

/* Names that would lead out of the tree, or nowhere. */
TEST(dangerous_names_are_refused)
{
    static const char *const names[] = {"/abs", "..",       "a/..", "../a",
                                        "a//b", "a/./b",    "",     ".//",
                                        "a//",  "./../etc", "//",   "./"};
    struct tar_entry e;
    const char *why;

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        archive_clear();
        add_header("", names[i], '0', 0);
        add_end();
        if (first(&e, &why) != -EINVAL)
            CHECK_FAIL("\"%s\" was accepted as \"%s\"", names[i], e.path);
    }
    archive_clear();
    add_header("", "./", '5', 0);
    add_end();
    CHECK_EQ(first(&e, &why), 1);
    CHECK_STR(e.path, "");
}

TEST(each_damaged_field_is_named)
{
    struct tar_entry e;
    const char *why;
    uint8_t *h;

    archive_clear();
    h = add_header("", "f", '0', 0);
    h[0] = 'g';
    add_end();
    CHECK_EQ(first(&e, &why), -EINVAL);
    CHECK_STR(why, "wrong header checksum");

    archive_clear();
    h = add_header("", "f", '0', 0);
    h[257] = 'U';
    header_sum(h);
    add_end();
    CHECK_EQ(first(&e, &why), -EINVAL);
    CHECK_STR(why, "no ustar magic");

    static const char *const sizes[] = {"0000000000x", "            ",
                                        "-0000000001", "\x80\0\0\0\0\0\0\0\0\1",
                                        "9",           "0000 000001"};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        archive_clear();
        h = add_header("", "f", '0', 0);
        memset(h + 124, 0, 12);
        memcpy(h + 124, sizes[i], i == 3 ? 11 : strlen(sizes[i]));
        header_sum(h);
        add_end();
        CHECK_EQ(first(&e, &why), -EINVAL);
        CHECK_STR(why, "bad size field");
    }
}

TEST(data_beyond_the_end_is_refused)
{
    struct tar_entry e;
    const char *why;
    uint8_t *h;

    /* One byte more than there is, and the largest size that can be written. */
    archive_clear();
    add_header("", "f", '0', BLOCK + 1);
    archive_block();
    CHECK_EQ(first(&e, &why), -EINVAL);
    CHECK_STR(why, "data beyond the archive's end");
    archive_clear();
    h = add_header("", "f", '0', 0);
    memcpy(h + 124, "777777777777", 12);
    header_sum(h);
    CHECK_EQ(first(&e, &why), -EINVAL);
    /* Padding counts: 1 byte of data needs a whole block. */
    archive_clear();
    add_header("", "f", '0', 1);
    CHECK_EQ(first(&e, &why), -EINVAL);
}

TEST(an_archive_must_not_end_without_its_mark)
{
    struct tar_index x;
    const char *why;

    archive_clear();
    add_file("f", "text");
    CHECK_EQ(build(&x), -EINVAL);
    CHECK_EQ(tar_index_build(&x, archive, 0, &why), -EINVAL);
    CHECK_EQ(tar_index_build(&x, archive, 511, &why), -EINVAL);
    archive_block();
    CHECK_EQ(build(&x), 0);
    tar_index_free(&x);
}

/* Every byte of a good archive, spoiled in turn, ends in an answer, never in a
 * wild access; the sanitizer is the judge. */
TEST(no_single_damaged_byte_leads_astray)
{
    static const uint8_t values[] = {0, 1, '/', '7', '.', 0x80, 0xff};

    archive_clear();
    add_file("dir/file", "some text");
    add_header("a/b", "c", '5', 0);
    add_end();
    for (size_t i = 0; i < archive_size; i++) {
        uint8_t old = archive[i];

        for (size_t k = 0; k < sizeof(values); k++) {
            struct tar_index x;

            archive[i] = values[k];
            if (build(&x) == 0)
                tar_index_free(&x);
            /* Again with the sum made right, so that the field is read. */
            if (i < archive_size - 2 * BLOCK) {
                header_sum(archive + i / BLOCK * BLOCK);
                if (build(&x) == 0)
                    tar_index_free(&x);
                archive_clear();
                add_file("dir/file", "some text");
                add_header("a/b", "c", '5', 0);
                add_end();
            }
        }
        archive[i] = old;
    }
    archive_clear();
}

CHECK_MAIN
