/* Module `fs`: the virtual file system, whole files. Domain's thread. */
#include <errno.h>
#include <string.h>

#include <rayos/sha256.h>
#include <rayos/vfs.h>

#include "lua/module.h"

#define READ_PIECE 4096
#define HASH_PIECE (256 << 10)

static const char *const type_names[] = {
    [VFS_FILE] = "file",
    [VFS_DIR] = "dir",
    [VFS_DEVICE] = "device",
};

static void set_entry(lua_State *L, enum vfs_type type, uint64_t size)
{
    lua_pushstring(L, type_names[type]);
    lua_setfield(L, -2, "type");
    lua_pushinteger(L, (lua_Integer)size);
    lua_setfield(L, -2, "size");
}

/* A list of {name=, type=, size=}, in order of names. */
static int fs_list(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, "/");
    struct vfs_dirent entry;
    struct vfs_stat st;
    int err = vfs_stat(path, &st);

    if (!err && st.type != VFS_DIR)
        err = -ENOTDIR;
    if (err)
        return module_fail(L, err, path);
    lua_newtable(L);
    for (size_t i = 0; !(err = vfs_readdir(path, i, &entry)); i++) {
        domain_check(L);
        lua_createtable(L, 0, 3);
        lua_pushstring(L, entry.name);
        lua_setfield(L, -2, "name");
        set_entry(L, entry.type, entry.size);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    /* -ENOENT is the end of the list. */
    return err == -ENOENT ? 1 : module_fail(L, err, path);
}

static int fs_stat(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct vfs_stat st;
    int err = vfs_stat(path, &st);

    if (err)
        return module_fail(L, err, path);
    lua_createtable(L, 0, 4);
    set_entry(L, st.type, st.size);
    lua_pushinteger(L, st.mtime);
    lua_setfield(L, -2, "mtime");
    lua_pushboolean(L, st.read_only);
    lua_setfield(L, -2, "read_only");
    return 1;
}

static int fs_exists(lua_State *L)
{
    struct vfs_stat st;

    lua_pushboolean(L, vfs_stat(luaL_checkstring(L, 1), &st) == 0);
    return 1;
}

/* true, or nil and why. */
static int answer(lua_State *L, int err, const char *path)
{
    if (err)
        return module_fail(L, err, path);
    lua_pushboolean(L, true);
    return 1;
}

static int fs_mkdir(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);

    return answer(L, vfs_mkdir(path), path);
}

static int fs_remove(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);

    return answer(L, vfs_unlink(path), path);
}

static int fs_rename(lua_State *L)
{
    const char *from = luaL_checkstring(L, 1);

    return answer(L, vfs_rename(from, luaL_checkstring(L, 2)), from);
}

/* Open files are owned by a userdata, as Lua may raise an error any time. */
#define FILE_CLASS "fs file"

static int file_gc(lua_State *L)
{
    struct file **box = luaL_checkudata(L, 1, FILE_CLASS);
    struct file *f = *box;

    *box = NULL;
    if (f)
        file_put(f);
    return 0;
}

/* Push it; NULL with *err when it cannot be opened. */
static struct file **open_file(lua_State *L, const char *path, int flags,
                               int *err)
{
    struct file **box = lua_newuserdatauv(L, sizeof(*box), 0);

    *box = NULL;
    luaL_setmetatable(L, FILE_CLASS);
    *err = vfs_open(path, flags, box);
    return *err ? NULL : box;
}

static int fs_read(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    struct file **box;
    luaL_Buffer b;
    ssize_t n;
    int err;

    lua_settop(L, 1);
    box = open_file(L, path, O_RDONLY, &err);
    if (!box)
        return module_fail(L, err, path);
    luaL_buffinit(L, &b);
    do {
        n = file_read(*box, luaL_prepbuffsize(&b, READ_PIECE), READ_PIECE);
        if (n > 0)
            luaL_addsize(&b, (size_t)n);
    } while (n > 0 || domain_wait_again(L, (int)n));
    luaL_pushresult(&b);
    file_put(*box);
    *box = NULL;
    return n < 0 ? module_fail(L, (int)n, path) : 1;
}

/* A file's digest, without having it in memory. */
static int fs_sha256(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    uint8_t *piece = lua_newuserdatauv(L, HASH_PIECE, 0);
    uint8_t digest[SHA256_SIZE];
    struct file **box;
    struct sha256 hash;
    luaL_Buffer b;
    ssize_t n;
    int err;

    box = open_file(L, path, O_RDONLY, &err);
    if (!box)
        return module_fail(L, err, path);
    sha256_init(&hash);
    do {
        domain_check(L);
        n = file_read(*box, piece, HASH_PIECE);
        if (n > 0)
            sha256_update(&hash, piece, (size_t)n);
    } while (n > 0 || domain_wait_again(L, (int)n));
    file_put(*box);
    *box = NULL;
    if (n < 0)
        return module_fail(L, (int)n, path);
    sha256_final(&hash, digest);
    luaL_buffinit(L, &b);
    for (size_t i = 0; i < sizeof(digest); i++) {
        luaL_addchar(&b, "0123456789abcdef"[digest[i] >> 4]);
        luaL_addchar(&b, "0123456789abcdef"[digest[i] & 0xf]);
    }
    luaL_pushresult(&b);
    return 1;
}

static int write_all(lua_State *L, struct file *f, const char *data,
                     size_t size)
{
    while (size) {
        ssize_t n = file_write(f, data, size);

        if (n < 0 && domain_wait_again(L, (int)n))
            continue;
        if (n <= 0)
            return n ? (int)n : -EIO;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Replaces the file's content. */
static int fs_write(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    size_t size;
    const char *data = luaL_checklstring(L, 2, &size);
    struct file **box;
    int err;

    lua_settop(L, 2);
    box = open_file(L, path, O_WRONLY | O_CREAT | O_TRUNC, &err);
    if (box) {
        err = write_all(L, *box, data, size);
        file_put(*box);
        *box = NULL;
    }
    return answer(L, err, path);
}

static void fs_extend(lua_State *L)
{
    luaL_newmetatable(L, FILE_CLASS);
    lua_pushcfunction(L, file_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

static const struct lua_function fs_functions[] = {
    {"list", fs_list, "fs.read"},      {"stat", fs_stat, "fs.read"},
    {"exists", fs_exists, "fs.read"},  {"read", fs_read, "fs.read"},
    {"sha256", fs_sha256, "fs.read"},  {"write", fs_write, "fs.write"},
    {"mkdir", fs_mkdir, "fs.write"},   {"remove", fs_remove, "fs.write"},
    {"rename", fs_rename, "fs.write"}, {0},
};

LUA_MODULE(fs, .functions = fs_functions, .extend = fs_extend);
