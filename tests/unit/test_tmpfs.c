/* sources: kernel/fs/vfs.c kernel/fs/file.c kernel/fs/path.c kernel/fs/tmpfs.c
 * kernel/fs/tmpfs_tree.c kernel/fs/tmpfs_data.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rayos/rtc.h>
#include <rayos/mm.h>
#include <rayos/vfs.h>

#include "../../kernel/fs/fs.h"
#include "../../kernel/fs/tmpfs.h"

#include "check.h"

#define LIMIT (1 << 20)

/* --- the host in place of the kernel --- */

static int64_t wall = 1700000000 * INT64_C(1000000000);
static int allocations_left = -1; /* then there is no memory; -1: always */

void *kalloc(size_t size)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return malloc(size);
}

void *kzalloc(size_t size)
{
    void *p = kalloc(size);

    return p ? memset(p, 0, size) : NULL;
}

void kfree(void *p)
{
    free(p);
}

int64_t wall_clock_now(void)
{
    return wall;
}

/* A lock taken twice, or left locked, shows. */
static int locks_held;

void mutex_init(struct mutex *m)
{
    memset(m, 0, sizeof(*m));
}

void mutex_lock(struct mutex *m)
{
    (void)m;
    locks_held++;
}

void mutex_unlock(struct mutex *m)
{
    (void)m;
    locks_held--;
}

/* --- helpers --- */

static struct vfs_fs *fs;

static struct tmpfs *the_tmpfs(void)
{
    return container_of(fs, struct tmpfs, fs);
}

/* The file system is mounted once; a test leaves it as empty as it found it. */
static void setup(void)
{
    if (!fs) {
        CHECK_EQ(tmpfs_create(LIMIT, &fs), 0);
        CHECK_EQ(vfs_mount("/tmp", fs), 0);
    }
    CHECK_EQ(the_tmpfs()->root.child_count, 0);
    CHECK_EQ(locks_held, 0);
}

static struct file *open_file(const char *path, int flags)
{
    struct file *f = NULL;
    int err = vfs_open(path, flags, &f);

    if (err)
        CHECK_FAIL("open %s: %s", path, strerror(-err));
    return f;
}

static int open_error(const char *path, int flags)
{
    struct file *f;
    int err = vfs_open(path, flags, &f);

    if (!err)
        file_put(f);
    return err;
}

static void put_text(const char *path, const char *text)
{
    struct file *f = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);

    CHECK_EQ(file_write(f, text, strlen(text)), strlen(text));
    file_put(f);
}

static void check_text(const char *path, const char *text)
{
    char *data;
    size_t size;
    int err = vfs_read_all(path, &data, &size);

    CHECK_EQ(err, 0);
    if (err)
        return;
    CHECK_STR(data, text);
    CHECK_EQ(size, strlen(text));
    kfree(data);
}

static void check_list(const char *path, const char *expected)
{
    struct vfs_dirent e;
    char names[512] = "";

    for (size_t i = 0; vfs_readdir(path, i, &e) == 0; i++) {
        strcat(names, e.name);
        strcat(names, e.type == VFS_DIR ? "/ " : " ");
    }
    CHECK_STR(names, expected);
}

/* --- files --- */

TEST(what_is_written_is_read_back)
{
    setup();
    put_text("/tmp/a", "hello");
    check_text("/tmp/a", "hello");
    put_text("/tmp/a", "hi");
    check_text("/tmp/./x/../a", "hi");
    struct vfs_stat st;

    CHECK_EQ(vfs_stat("/tmp/a", &st), 0);
    CHECK_EQ(st.size, 2);
    CHECK_EQ(st.type, VFS_FILE);
    CHECK_EQ(st.mtime, 1700000000);
    CHECK(!st.read_only);
    CHECK_EQ(vfs_unlink("/tmp/a"), 0);
    CHECK_EQ(vfs_stat("/tmp/a", &st), -ENOENT);
}

TEST(reading_and_writing_move_the_offset_and_seek_sets_it)
{
    char buf[16] = "";

    setup();
    struct file *f = open_file("/tmp/a", O_RDWR | O_CREAT);

    CHECK_EQ(file_write(f, "0123456789", 10), 10);
    CHECK_EQ(file_seek(f, 2, SEEK_SET), 2);
    CHECK_EQ(file_read(f, buf, 3), 3);
    CHECK_STR(buf, "234");
    CHECK_EQ(file_seek(f, 1, SEEK_CUR), 6);
    CHECK_EQ(file_write(f, "X", 1), 1);
    CHECK_EQ(file_seek(f, -4, SEEK_END), 6);
    CHECK_EQ(file_read(f, buf, 16), 4);
    CHECK(memcmp(buf, "X789", 4) == 0);
    CHECK_EQ(file_read(f, buf, 16), 0);
    CHECK_EQ(file_seek(f, -1, SEEK_SET), -EINVAL);
    CHECK_EQ(file_seek(f, INT64_MAX, SEEK_END), -EOVERFLOW);
    CHECK_EQ(file_seek(f, 0, 9), -EINVAL);
    CHECK_EQ(file_seek(f, 0, SEEK_CUR), 10);
    file_put(f);
    vfs_unlink("/tmp/a");
}

TEST(appending_goes_to_the_end_whatever_the_offset)
{
    setup();
    struct file *f = open_file("/tmp/a", O_WRONLY | O_CREAT | O_APPEND);
    struct file *g = open_file("/tmp/a", O_WRONLY | O_APPEND);

    file_write(f, "one", 3);
    file_write(g, "two", 3);
    file_seek(f, 0, SEEK_SET);
    file_write(f, "3", 1);
    CHECK_EQ(file_seek(f, 0, SEEK_CUR), 7);
    file_put(f);
    file_put(g);
    check_text("/tmp/a", "onetwo3");
    vfs_unlink("/tmp/a");
}

TEST(holes_and_cut_tails_read_as_zeros)
{
    static char buf[20000], zeros[20000];

    setup();
    struct file *f = open_file("/tmp/a", O_RDWR | O_CREAT);
    size_t before = the_tmpfs()->used;

    CHECK_EQ(file_seek(f, 15000, SEEK_SET), 15000);
    CHECK_EQ(file_write(f, "end", 3), 3);
    CHECK(the_tmpfs()->used - before < 3 * PAGE_SIZE);
    file_seek(f, 0, SEEK_SET);
    CHECK_EQ(file_read(f, buf, sizeof(buf)), 15003);
    CHECK(memcmp(buf, zeros, 15000) == 0);
    CHECK(memcmp(buf + 15000, "end", 3) == 0);

    file_seek(f, 0, SEEK_SET);
    memset(buf, 'x', sizeof(buf));
    CHECK_EQ(file_write(f, buf, sizeof(buf)), (ssize_t)sizeof(buf));
    CHECK_EQ(file_truncate(f, 5000), 0);
    CHECK_EQ(file_truncate(f, 12000), 0);
    file_seek(f, 0, SEEK_SET);
    CHECK_EQ(file_read(f, buf, sizeof(buf)), 12000);
    CHECK(buf[4999] == 'x' && memcmp(buf + 5000, zeros, 7000) == 0);
    CHECK_EQ(file_truncate(f, 0), 0);
    CHECK_EQ(the_tmpfs()->used, before);
    file_put(f);
    vfs_unlink("/tmp/a");
}

TEST(a_removed_file_lives_until_its_last_close)
{
    char buf[8] = "";

    setup();
    size_t before = the_tmpfs()->used;
    struct file *f = open_file("/tmp/a", O_RDWR | O_CREAT | O_EXCL);

    file_write(f, "still", 5);
    CHECK_EQ(vfs_unlink("/tmp/a"), 0);
    CHECK_EQ(open_error("/tmp/a", O_RDONLY), -ENOENT);
    put_text("/tmp/a", "new");
    file_seek(f, 0, SEEK_SET);
    CHECK_EQ(file_read(f, buf, 8), 5);
    CHECK_STR(buf, "still");
    file_get(f);
    file_put(f);
    file_put(f);
    check_text("/tmp/a", "new");
    vfs_unlink("/tmp/a");
    /* The root's table of names may have grown; nothing else is left. */
    CHECK(the_tmpfs()->used - before <= 8 * sizeof(void *));
}

TEST(rights_of_the_open_file_are_kept)
{
    char c;

    setup();
    put_text("/tmp/a", "x");
    struct file *f = open_file("/tmp/a", O_RDONLY);

    CHECK_EQ(file_write(f, "y", 1), -EBADF);
    CHECK_EQ(file_truncate(f, 0), -EBADF);
    file_put(f);
    f = open_file("/tmp/a", O_WRONLY);
    CHECK_EQ(file_read(f, &c, 1), -EBADF);
    file_put(f);
    CHECK_EQ(open_error("/tmp/a", O_CREAT | O_EXCL | O_WRONLY), -EEXIST);
    CHECK_EQ(open_error("/tmp/a", O_RDONLY | O_TRUNC), -EINVAL);
    CHECK_EQ(open_error("/tmp/a", 3), -EINVAL);
    vfs_unlink("/tmp/a");
}

/* --- limits --- */

TEST(space_ends_with_an_error_and_comes_back)
{
    static char chunk[100000];
    ssize_t n;
    size_t total = 0;

    setup();
    struct file *f = open_file("/tmp/big", O_WRONLY | O_CREAT);

    while ((n = file_write(f, chunk, sizeof(chunk))) > 0)
        total += (size_t)n;
    CHECK_EQ(n, -ENOSPC);
    CHECK(total > LIMIT * 9 / 10 && total < LIMIT);
    CHECK(the_tmpfs()->used <= LIMIT);
    CHECK_EQ(file_seek(f, INT64_C(1) << 60, SEEK_SET), INT64_C(1) << 60);
    CHECK_EQ(file_write(f, "x", 1), -ENOSPC);
    CHECK_EQ(file_truncate(f, UINT64_MAX), -ENOSPC);
    file_put(f);
    vfs_unlink("/tmp/big");
    put_text("/tmp/small", "fits");
    check_text("/tmp/small", "fits");
    vfs_unlink("/tmp/small");
}

TEST(names_cost_space_too)
{
    char name[300];
    int made = 0, err = 0;

    setup();
    for (; made < 100000 && !err; made++) {
        sprintf(name, "/tmp/%0200d", made);
        err = vfs_mkdir(name);
    }
    CHECK_EQ(err, -ENOSPC);
    CHECK(made < 10000);
    for (int i = 0; i < made - 1; i++) {
        sprintf(name, "/tmp/%0200d", i);
        CHECK_EQ(vfs_unlink(name), 0);
    }
}

TEST(running_out_of_memory_leaves_everything_whole)
{
    setup();
    put_text("/tmp/a", "a");
    size_t before = the_tmpfs()->used;

    for (allocations_left = 0; allocations_left < 4;) {
        int n = allocations_left;

        open_error("/tmp/b", O_CREAT | O_WRONLY);
        allocations_left = -1;
        vfs_unlink("/tmp/b");
        allocations_left = n + 1;
    }
    allocations_left = 0;
    CHECK_EQ(vfs_rename("/tmp/a", "/tmp/c"), -ENOSPC);
    CHECK_EQ(vfs_mkdir("/tmp/d"), -ENOSPC);
    allocations_left = -1;
    CHECK_EQ(the_tmpfs()->used, before);
    check_list("/tmp", "a ");
    vfs_unlink("/tmp/a");
}

/* --- directories --- */

TEST(directories_list_in_the_order_of_names)
{
    setup();
    CHECK_EQ(vfs_mkdir("/tmp/d"), 0);
    put_text("/tmp/d/b", "");
    put_text("/tmp/d/a", "");
    put_text("/tmp/d/B", "");
    CHECK_EQ(vfs_mkdir("/tmp/d/aa"), 0);
    check_list("/tmp/d", "B a aa/ b ");
    check_list("/tmp", "d/ ");
    check_list("/", "tmp/ ");
    CHECK_EQ(vfs_mkdir("/tmp/d"), -EEXIST);
    CHECK_EQ(vfs_mkdir("/tmp/none/x"), -ENOENT);
    CHECK_EQ(vfs_unlink("/tmp/d"), -ENOTEMPTY);
    vfs_unlink("/tmp/d/a");
    vfs_unlink("/tmp/d/b");
    vfs_unlink("/tmp/d/B");
    vfs_unlink("/tmp/d/aa");
    CHECK_EQ(vfs_unlink("/tmp/d"), 0);
}

TEST(files_and_directories_are_not_mistaken)
{
    struct vfs_dirent e;

    setup();
    CHECK_EQ(vfs_mkdir("/tmp/d"), 0);
    put_text("/tmp/f", "");
    CHECK_EQ(open_error("/tmp/d", O_RDONLY), -EISDIR);
    CHECK_EQ(open_error("/tmp", O_RDONLY), -EISDIR);
    CHECK_EQ(open_error("/", O_RDONLY), -EISDIR);
    CHECK_EQ(open_error("/tmp/f/x", O_RDONLY), -ENOTDIR);
    CHECK_EQ(open_error("/tmp/f/x", O_WRONLY | O_CREAT), -ENOTDIR);
    CHECK_EQ(open_error("/tmp/f/x/y", O_RDONLY), -ENOTDIR);
    CHECK_EQ(vfs_readdir("/tmp/f", 0, &e), -ENOTDIR);
    CHECK_EQ(vfs_readdir("/tmp/g", 0, &e), -ENOENT);
    vfs_unlink("/tmp/d");
    vfs_unlink("/tmp/f");
}

TEST(the_root_and_mount_points_stay)
{
    setup();
    CHECK_EQ(open_error("/x", O_RDONLY), -ENOENT);
    CHECK_EQ(open_error("/x", O_WRONLY | O_CREAT), -EROFS);
    CHECK_EQ(vfs_mkdir("/x"), -EROFS);
    CHECK_EQ(vfs_mkdir("/tmp"), -EEXIST);
    CHECK_EQ(vfs_unlink("/tmp"), -EBUSY);
    CHECK_EQ(vfs_unlink("/"), -EBUSY);
    CHECK_EQ(vfs_unlink("/x"), -ENOENT);
    CHECK_EQ(vfs_rename("/tmp", "/tmp/x"), -EBUSY);
    CHECK_EQ(vfs_mount("/tmp/", fs), -EBUSY);
    CHECK_EQ(vfs_mount("/", fs), -EBUSY);
}

TEST(renaming_moves_and_replaces)
{
    setup();
    put_text("/tmp/a", "A");
    put_text("/tmp/b", "B");
    CHECK_EQ(vfs_mkdir("/tmp/d"), 0);
    CHECK_EQ(vfs_rename("/tmp/a", "/tmp/b"), 0);
    check_text("/tmp/b", "A");
    CHECK_EQ(vfs_rename("/tmp/b", "/tmp/b"), 0);
    CHECK_EQ(vfs_rename("/tmp/b", "/tmp/d/c"), 0);
    check_text("/tmp/d/c", "A");
    check_list("/tmp", "d/ ");
    CHECK_EQ(vfs_rename("/tmp/d", "/tmp/e"), 0);
    check_text("/tmp/e/c", "A");
    CHECK_EQ(vfs_mkdir("/tmp/f"), 0);
    CHECK_EQ(vfs_rename("/tmp/e", "/tmp/f"), 0);
    check_text("/tmp/f/c", "A");
    vfs_unlink("/tmp/f/c");
    vfs_unlink("/tmp/f");
}

TEST(impossible_renames_change_nothing)
{
    setup();
    CHECK_EQ(vfs_mkdir("/tmp/d"), 0);
    CHECK_EQ(vfs_mkdir("/tmp/d/e"), 0);
    put_text("/tmp/f", "F");
    CHECK_EQ(vfs_rename("/tmp/d", "/tmp/d/e/x"), -EINVAL);
    CHECK_EQ(vfs_rename("/tmp/d", "/tmp/d/x"), -EINVAL);
    CHECK_EQ(vfs_rename("/tmp/f", "/tmp/d"), -EISDIR);
    CHECK_EQ(vfs_rename("/tmp/d", "/tmp/f"), -ENOTDIR);
    CHECK_EQ(vfs_mkdir("/tmp/g"), 0);
    CHECK_EQ(vfs_rename("/tmp/g", "/tmp/d"), -ENOTEMPTY);
    CHECK_EQ(vfs_rename("/tmp/none", "/tmp/x"), -ENOENT);
    CHECK_EQ(vfs_rename("/tmp/f", "/other"), -EROFS);
    check_list("/tmp", "d/ f g/ ");
    vfs_unlink("/tmp/d/e");
    vfs_unlink("/tmp/d");
    vfs_unlink("/tmp/f");
    vfs_unlink("/tmp/g");
    free(the_tmpfs()->root.children);
    free(the_tmpfs());
}

CHECK_MAIN
