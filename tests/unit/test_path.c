/* sources: kernel/fs/path.c */
#include <errno.h>
#include <string.h>

#include "../../kernel/fs/path.h"

#include "check.h"

static char out[64];

static const char *norm(const char *path)
{
    int err = path_normalize(path, out, sizeof(out));

    return err ? strerror(-err) : out;
}

TEST(dots_and_empty_components_are_resolved_by_text)
{
    CHECK_STR(norm("/"), "/");
    CHECK_STR(norm("//"), "/");
    CHECK_STR(norm("/a/b"), "/a/b");
    CHECK_STR(norm("/a//b/"), "/a/b");
    CHECK_STR(norm("/./a/./b/."), "/a/b");
    CHECK_STR(norm("/a/../b"), "/b");
    CHECK_STR(norm("/a/b/../../c"), "/c");
    CHECK_STR(norm("/a/.."), "/");
    CHECK_STR(norm("/..."), "/...");
    CHECK_STR(norm("/.a/..b"), "/.a/..b");
}

TEST(no_path_leads_above_the_root)
{
    CHECK_STR(norm("/.."), "/");
    CHECK_STR(norm("/../../a"), "/a");
    CHECK_STR(norm("../../../boot/x"), "/boot/x");
}

TEST(a_relative_path_starts_at_the_root)
{
    CHECK_STR(norm("tmp/x"), "/tmp/x");
    CHECK_STR(norm("."), "/");
    CHECK_EQ(path_normalize("", out, sizeof(out)), -ENOENT);
}

TEST(what_is_too_long_is_refused)
{
    char name[300], path[400];

    memset(name, 'a', sizeof(name));
    name[255] = '\0';
    sprintf(path, "/%s", name);
    char big[512];

    CHECK_EQ(path_normalize(path, big, sizeof(big)), 0);
    CHECK_STR(big, path);
    sprintf(path, "/%sb", name);
    CHECK_EQ(path_normalize(path, big, sizeof(big)), -ENAMETOOLONG);
    /* exactly full, and one too many; a long path that shrinks is fine */
    CHECK_EQ(path_normalize("/abc", big, 5), 0);
    CHECK_EQ(path_normalize("/abcd", big, 5), -ENAMETOOLONG);
    CHECK_EQ(path_normalize("/abc/../abc/./..", big, 5), 0);
    CHECK_STR(big, "/");
    CHECK_EQ(path_normalize("/", big, 2), 0);
}

TEST(a_path_is_below_its_ancestors_only)
{
    CHECK_STR(path_below("/tmp/a/b", "/tmp"), "a/b");
    CHECK_STR(path_below("/tmp", "/tmp"), "");
    CHECK(path_below("/tmpx", "/tmp") == NULL);
    CHECK(path_below("/tm", "/tmp") == NULL);
    CHECK_STR(path_below("/tmp/a", "/"), "tmp/a");
    CHECK_STR(path_below("/", "/"), "");
}

TEST(names_are_ordered_by_unsigned_bytes)
{
    CHECK(path_compare("a", 1, "b", 1) < 0);
    CHECK(path_compare("a", 1, "ab", 2) < 0);
    CHECK(path_compare("\xc3\xa4", 2, "z", 1) > 0);
    CHECK_EQ(path_compare("x", 1, "x", 1), 0);
    CHECK_EQ(path_compare("", 0, "", 0), 0);
}

CHECK_MAIN
