/*
 * Loading of code: `require` over the boot archive and the kernel's own
 * modules, load, loadfile and dofile. Text only: bytecode can break the
 * machine and is refused everywhere. Domain's thread.
 */
#include <errno.h>
#include <string.h>

#include <lualib.h>

#include <rayos/vfs.h>

#include "lua/module.h"

#define SEARCH_PATH                           \
    "/boot/lua/?.lua;/boot/lua/?/init.lua;"   \
    "/boot/shell/?.lua;/boot/policies/?.lua;" \
    "/boot/scenario/?.lua"

#define FILE_MAX (16u << 20)
/* The parser looks up between pieces of the source whether it should stop. */
#define PIECE 1024

extern const struct lua_module __start_rayos_lua_modules[];
extern const struct lua_module __stop_rayos_lua_modules[];

/* --- text --- */

struct text_reader {
    const char *at;
    size_t left;
};

static const char *read_piece(lua_State *L, void *ud, size_t *size)
{
    struct text_reader *r = ud;
    const char *piece = r->at;

    domain_check(L);
    *size = r->left < PIECE ? r->left : PIECE;
    r->at += *size;
    r->left -= *size;
    return *size ? piece : NULL;
}

int loader_load_text(lua_State *L, const char *text, size_t size,
                     const char *name)
{
    struct text_reader r = {text, size};

    return lua_load(L, read_piece, &r, name, "t");
}

/* Past a byte order mark and a first line that begins with '#', as the stand-
 * alone interpreter does; the line's end stays, for line numbers. */
static size_t skip_prelude(const char *text, size_t size)
{
    size_t at = 0;

    if (size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3))
        at = 3;
    if (at < size && text[at] == '#')
        while (at < size && text[at] != '\n')
            at++;
    return at;
}

int loader_load_file(lua_State *L, const char *path)
{
    const char *name = lua_pushfstring(L, "@%s", path);
    struct vfs_stat st;
    char *data;
    size_t size, skip;
    int status, err = vfs_stat(path, &st);

    if (!err && st.type == VFS_DIR)
        err = -EISDIR;
    if (!err && st.size > FILE_MAX)
        err = -EFBIG;
    if (!err)
        err = vfs_read_all(path, &data, &size);
    if (err) {
        lua_pushfstring(L, "cannot open %s: %s", path, strerror(-err));
        lua_remove(L, -2);
        return LUA_ERRFILE;
    }
    skip = skip_prelude(data, size);
    status = loader_load_text(L, data + skip, size - skip, name);
    kfree(data);
    lua_remove(L, -2);
    return status;
}

/* --- load, loadfile, dofile --- */

/* A mode that does not allow text allows nothing. */
static const char *text_mode(const char *mode)
{
    return !mode || strchr(mode, 't') ? "t" : "";
}

/* The parts of a chunk come from a Lua function; the piece in use is kept at
 * this stack index. */
#define RESERVED_SLOT 5

static const char *read_from_function(lua_State *L, void *ud, size_t *size)
{
    (void)ud;
    domain_check(L);
    luaL_checkstack(L, 2, "too many nested functions");
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        *size = 0;
        return NULL;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "reader function must return a string");
    lua_replace(L, RESERVED_SLOT);
    return lua_tolstring(L, RESERVED_SLOT, size);
}

/* What load and loadfile answer: the chunk, with its environment when one was
 * given at `env`, or nil and why. */
static int load_result(lua_State *L, int status, int env)
{
    if (status != LUA_OK) {
        if (domain_is_limit_error(L, -1))
            return lua_error(L);
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    if (env) {
        lua_pushvalue(L, env);
        if (!lua_setupvalue(L, -2, 1))
            lua_pop(L, 1);
    }
    return 1;
}

static int base_load(lua_State *L)
{
    size_t size;
    const char *text = lua_tolstring(L, 1, &size);
    const char *mode = text_mode(luaL_optstring(L, 3, NULL));
    int env = lua_isnone(L, 4) ? 0 : 4;
    int status;

    if (text) {
        struct text_reader r = {text, size};
        const char *name = luaL_optstring(L, 2, text);

        lua_settop(L, 4);
        status = lua_load(L, read_piece, &r, name, mode);
    } else {
        const char *name = luaL_optstring(L, 2, "=(load)");

        luaL_checktype(L, 1, LUA_TFUNCTION);
        lua_settop(L, RESERVED_SLOT);
        status = lua_load(L, read_from_function, NULL, name, mode);
    }
    return load_result(L, status, env);
}

/* Code may be read by everybody from the archive; else it takes fs.read. */
static bool may_load(lua_State *L, const char *path)
{
    if (!strncmp(path, "/boot/", 6) && !strstr(path, "/.."))
        return true;
    return module_permits(L, "fs.read");
}

static int base_loadfile(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const char *mode = luaL_optstring(L, 2, NULL);
    int env = lua_isnone(L, 3) ? 0 : 3;

    if (!may_load(L, path))
        return 3;
    if (!*text_mode(mode)) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: only text is loaded here (mode is '%s')", path,
                        mode);
        return 2;
    }
    return load_result(L, loader_load_file(L, path), env);
}

static int dofile_results(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - 1;
}

static int base_dofile(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);

    lua_settop(L, 1);
    if (!may_load(L, path)) {
        lua_pop(L, 1);
        return lua_error(L);
    }
    if (loader_load_file(L, path) != LUA_OK)
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, dofile_results);
    return dofile_results(L, 0, 0);
}

/* --- require --- */

/* package.searchers: the path. The upvalue is the package table. */
static int search_path(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1), *path;

    lua_getfield(L, lua_upvalueindex(1), "searchpath");
    lua_pushvalue(L, 1);
    lua_getfield(L, lua_upvalueindex(1), "path");
    if (!lua_isstring(L, -1))
        return luaL_error(L, "'package.path' must be a string");
    lua_call(L, 2, 2);
    path = lua_tostring(L, -2);
    if (!path)
        return 1; /* where it was looked for */
    if (!may_load(L, path)) {
        lua_pop(L, 1);
        return 1;
    }
    if (loader_load_file(L, path) != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s",
                          name, path, lua_tostring(L, -1));
    lua_pushstring(L, path);
    return 2;
}

static int open_own_module(lua_State *L)
{
    const struct lua_module *m = lua_touserdata(L, lua_upvalueindex(1));

    lua_newtable(L);
    module_set_functions(L, m->functions);
    if (m->extend)
        m->extend(L);
    return 1;
}

/* package.searchers: the kernel's modules. */
static int search_modules(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    for (const struct lua_module *m = __start_rayos_lua_modules;
         m < __stop_rayos_lua_modules; m++) {
        if (strcmp(m->name, name))
            continue;
        if (m->open) {
            lua_pushcfunction(L, m->open);
        } else {
            lua_pushlightuserdata(L, (void *)(uintptr_t)m);
            lua_pushcclosure(L, open_own_module, 1);
        }
        lua_pushliteral(L, ":kernel:");
        return 2;
    }
    lua_pushfstring(L, "no kernel module '%s'", name);
    return 1;
}

static const luaL_Reg base_functions[] = {
    {"load", base_load},
    {"loadfile", base_loadfile},
    {"dofile", base_dofile},
    {0},
};

void loader_open(lua_State *L)
{
    lua_pushglobaltable(L);
    luaL_setfuncs(L, base_functions, 0);
    lua_pop(L, 1);
    lua_getglobal(L, LUA_LOADLIBNAME);
    lua_pushliteral(L, SEARCH_PATH);
    lua_setfield(L, -2, "path");
    lua_pushliteral(L, "");
    lua_setfield(L, -2, "cpath");
    lua_getfield(L, -1, "searchers"); /* [1] is package.preload's */
    lua_pushcfunction(L, search_modules);
    lua_rawseti(L, -2, 2);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, search_path, 1);
    lua_rawseti(L, -2, 3);
    lua_pushnil(L);
    lua_rawseti(L, -2, 4);
    lua_pop(L, 2);
}
