/*
 * Module `block`: disks and partitions, as bytes. Reading waits for the disk
 * and is not interrupted; its time is bounded by the block layer's time-outs.
 * Domain's thread.
 */
#include <errno.h>

#include <rayos/block.h>

#include "lua/mod_block.h"

#define DISK_CLASS "disk"
#define READ       "block.read"
#define WRITE      BLOCK_WRITE_CAPABILITY

/* A stop that is pending is looked for after so many bytes. */
#define PIECE (UINT32_C(1) << 20)

#define DISCARD_PIECE (UINT32_C(1) << 24) /* sectors */

/* What a handle is; an object of Lua. */
struct disk {
    struct block_device *device; /* NULL: closed */
    bool writable;
};

/* --- list --- */

static void set_integer(lua_State *L, const char *name, uint64_t x)
{
    lua_pushinteger(L, (lua_Integer)x);
    lua_setfield(L, -2, name);
}

/* Nothing, when the text is empty. */
static void set_text(lua_State *L, const char *name, const char *text)
{
    if (!*text)
        return;
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void push_stats(lua_State *L, struct block_device *b)
{
    struct block_stats s;

    block_get_stats(b, &s);
    lua_createtable(L, 0, 11);
    set_integer(L, "reads", s.reads);
    set_integer(L, "writes", s.writes);
    set_integer(L, "flushes", s.flushes);
    set_integer(L, "discards", s.discards);
    set_integer(L, "read_bytes", s.read_sectors * BLOCK_SECTOR);
    set_integer(L, "written_bytes", s.write_sectors * BLOCK_SECTOR);
    set_integer(L, "errors", s.errors);
    set_integer(L, "timeouts", s.timeouts);
    set_integer(L, "retries", s.retries);
    set_integer(L, "resets", s.resets);
    lua_pushnumber(L, (lua_Number)s.busy / NS_PER_SEC);
    lua_setfield(L, -2, "busy");
}

static void push_info(lua_State *L, struct block_device *b)
{
    lua_createtable(L, 0, 12);
    set_text(L, "name", b->name);
    set_text(L, "parent", b->parent ? b->parent->name : "");
    set_text(L, "serial", b->serial);
    set_text(L, "type", b->type);
    set_text(L, "label", b->label);
    set_text(L, "uuid", b->uuid);
    set_integer(L, "size", b->sectors * BLOCK_SECTOR);
    set_integer(L, "offset", b->first_sector * BLOCK_SECTOR);
    set_integer(L, "sector", b->logical_sector);
    set_integer(L, "physical_sector", b->physical_sector);
    lua_pushboolean(L, b->read_only);
    lua_setfield(L, -2, "read_only");
    lua_pushboolean(L, b->scanned);
    lua_setfield(L, -2, "scanned");
    push_stats(L, b);
    lua_setfield(L, -2, "stats");
}

/* Handles own their reference, as Lua may raise an error any time. */
static struct disk *new_disk(lua_State *L)
{
    struct disk *d = lua_newuserdatauv(L, sizeof(*d), 0);

    *d = (struct disk){0};
    luaL_setmetatable(L, DISK_CLASS);
    return d;
}

static void close_disk(struct disk *d)
{
    struct block_device *b = d->device;

    d->device = NULL;
    if (b)
        block_put(b);
}

static int block_list(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0;; i++) {
        struct disk *d = new_disk(L);

        d->device = block_at(i);
        if (!d->device)
            break;
        push_info(L, d->device);
        lua_rawseti(L, -3, (lua_Integer)i + 1);
        close_disk(d);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return 1;
}

/* --- handles --- */

/* open(name [, {write = true}]) */
static int block_open(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    struct disk *d;
    bool write = false;

    if (!lua_isnoneornil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        lua_getfield(L, 2, "write");
        write = lua_toboolean(L, -1);
    }
    if (write && !module_permits(L, WRITE))
        return 3;
    d = new_disk(L);
    d->device = block_get(name);
    d->writable = write;
    if (!d->device)
        return module_fail(L, -ENODEV, name);
    if (write && d->device->read_only)
        return module_fail(L, -EROFS, name);
    return 1;
}

static struct disk *check_disk(lua_State *L)
{
    struct disk *d = luaL_checkudata(L, 1, DISK_CLASS);

    luaL_argcheck(L, d->device, 1, "the disk is closed");
    return d;
}

/* A number of bytes at `index`, as sectors. */
static uint64_t check_sectors(lua_State *L, int index,
                              const struct block_device *b)
{
    lua_Integer n = luaL_checkinteger(L, index);

    luaL_argcheck(L, n >= 0, index, "must not be negative");
    if (n % b->logical_sector)
        luaL_argerror(L, index,
                      lua_pushfstring(L, "must be a multiple of %d",
                                      (int)b->logical_sector));
    return (uint64_t)n / BLOCK_SECTOR;
}

/* The range must be on the disk. */
static void check_range(lua_State *L, const struct block_device *b,
                        uint64_t sector, uint64_t sectors)
{
    luaL_argcheck(L, sector <= b->sectors, 2, "is beyond the end");
    luaL_argcheck(L, sectors <= b->sectors - sector, 3,
                  "reaches beyond the end");
}

/* Stop in between when the domain is to end. */
static int transfer(lua_State *L, struct block_device *b, bool write,
                    uint64_t sector, char *data, uint64_t sectors)
{
    while (sectors) {
        uint32_t n = sectors < PIECE / BLOCK_SECTOR ? (uint32_t)sectors
                                                    : PIECE / BLOCK_SECTOR;
        int err = write ? block_write(b, sector, data, n)
                        : block_read(b, sector, data, n);

        if (err)
            return err;
        domain_check(L);
        data += (size_t)n * BLOCK_SECTOR;
        sector += n;
        sectors -= n;
    }
    return 0;
}

static int disk_read(lua_State *L)
{
    struct block_device *b = check_disk(L)->device;
    uint64_t sector = check_sectors(L, 2, b), n = check_sectors(L, 3, b);
    luaL_Buffer buffer;
    char *data;
    int err;

    check_range(L, b, sector, n);
    data = luaL_buffinitsize(L, &buffer, (size_t)n * BLOCK_SECTOR);
    err = transfer(L, b, false, sector, data, n);
    if (err)
        return module_fail(L, err, b->name);
    luaL_pushresultsize(&buffer, (size_t)n * BLOCK_SECTOR);
    return 1;
}

static int answer(lua_State *L, int err, const struct block_device *b)
{
    if (err)
        return module_fail(L, err, b->name);
    lua_pushboolean(L, true);
    return 1;
}

/* false with nil, message, code pushed: it was not opened for that. */
static bool check_writable(lua_State *L, const struct disk *d)
{
    if (d->writable)
        return true;
    lua_pushnil(L);
    lua_pushfstring(L, "%s is open for reading; open it with {write = true}",
                    d->device->name);
    lua_pushliteral(L, "EPERM");
    return false;
}

static int disk_write(lua_State *L)
{
    struct disk *d = check_disk(L);
    struct block_device *b = d->device;
    uint64_t sector = check_sectors(L, 2, b);
    size_t size;
    /* The cast: what is written is only read. */
    char *data = (char *)luaL_checklstring(L, 3, &size);

    if (size % b->logical_sector)
        luaL_argerror(L, 3,
                      lua_pushfstring(L, "its length must be a multiple of %d",
                                      (int)b->logical_sector));
    check_range(L, b, sector, size / BLOCK_SECTOR);
    if (!check_writable(L, d))
        return 3;
    return answer(L, transfer(L, b, true, sector, data, size / BLOCK_SECTOR),
                  b);
}

static int disk_flush(lua_State *L)
{
    struct block_device *b = check_disk(L)->device;

    return answer(L, block_flush(b), b);
}

static int disk_discard(lua_State *L)
{
    struct disk *d = check_disk(L);
    struct block_device *b = d->device;
    uint64_t sector = check_sectors(L, 2, b), n = check_sectors(L, 3, b);
    int err = 0;

    check_range(L, b, sector, n);
    if (!check_writable(L, d))
        return 3;
    while (n && !err) {
        uint32_t step = n < DISCARD_PIECE ? (uint32_t)n : DISCARD_PIECE;

        err = block_discard(b, sector, step);
        domain_check(L);
        sector += step;
        n -= step;
    }
    return answer(L, err, b);
}

static int disk_stats(lua_State *L)
{
    push_stats(L, check_disk(L)->device);
    return 1;
}

static int disk_info(lua_State *L)
{
    push_info(L, check_disk(L)->device);
    return 1;
}

static int disk_close(lua_State *L)
{
    close_disk(luaL_checkudata(L, 1, DISK_CLASS));
    return 0;
}

static int disk_tostring(lua_State *L)
{
    struct disk *d = luaL_checkudata(L, 1, DISK_CLASS);

    if (d->device)
        lua_pushfstring(L, "disk \"%s\"%s", d->device->name,
                        d->writable ? " (writable)" : "");
    else
        lua_pushliteral(L, "disk (closed)");
    return 1;
}

static const struct lua_function disk_methods[] = {
    {"read", disk_read, READ},    {"write", disk_write, WRITE},
    {"flush", disk_flush, WRITE}, {"discard", disk_discard, WRITE},
    {"stats", disk_stats, NULL},  {"info", disk_info, NULL},
    {"close", disk_close, NULL},  {0},
};

static const luaL_Reg disk_meta[] = {
    {"__gc", disk_close},
    {"__close", disk_close},
    {"__tostring", disk_tostring},
    {0},
};

static void block_extend(lua_State *L)
{
    module_new_class(L, DISK_CLASS, disk_methods, disk_meta);
    lua_pop(L, 1);
}

static const struct lua_function block_functions[] = {
    {"list", block_list, NULL},
    {"open", block_open, READ},
    {"overlay", block_lua_overlay, WRITE},
    {"overlay_info", block_lua_overlay_info, NULL},
    {"remove_overlay", block_lua_remove_overlay, WRITE},
    {0},
};

LUA_MODULE(block, .functions = block_functions, .extend = block_extend);
