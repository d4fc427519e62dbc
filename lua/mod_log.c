/* Module `log`: the kernel's ring of records. Domain's thread. */
#include <string.h>

#include <rayos/fmt.h>
#include <rayos/log.h>

#include "lua/module.h"

#define RECORD_CLASS "log record"
#define LIST_CLASS   "log records"
#define TAIL_DEFAULT 20
#define TAIL_MAX     10000

/* Push a record as a table. */
static void push_record(lua_State *L, const struct log_record *r)
{
    lua_createtable(L, 0, 6);
    lua_pushinteger(L, (lua_Integer)r->seq);
    lua_setfield(L, -2, "seq");
    lua_pushnumber(L, (lua_Number)r->time / 1e9);
    lua_setfield(L, -2, "time");
    lua_pushinteger(L, r->cpu);
    lua_setfield(L, -2, "cpu");
    lua_pushstring(L, log_level_name(r->level));
    lua_setfield(L, -2, "level");
    lua_pushstring(L, r->module);
    lua_setfield(L, -2, "module");
    lua_pushstring(L, r->text);
    lua_setfield(L, -2, "text");
    luaL_setmetatable(L, RECORD_CLASS);
}

/* Fields may have been changed by the script: any of them may be anything. */
static int record_tostring(lua_State *L)
{
    char head[64];

    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_getfield(L, 1, "time");
    lua_getfield(L, 1, "level");
    lua_getfield(L, 1, "module");
    lua_getfield(L, 1, "text");
    lua_Number time = lua_tonumber(L, 2);
    const char *level = lua_tostring(L, 3), *module = lua_tostring(L, 4);

    if (!(time >= 0 && time < 1e12))
        time = 0;
    fmt_snprintf(head, sizeof(head), "%6llu.%06llu %-5.8s %-8.12s ",
                 (unsigned long long)time,
                 (unsigned long long)(time * 1e6) % 1000000,
                 level ? level : "?", module ? module : "?");
    lua_pushstring(L, head);
    lua_pushstring(L, lua_tostring(L, 5) ? lua_tostring(L, 5) : "?");
    lua_concat(L, 2);
    return 1;
}

static int list_tostring(lua_State *L)
{
    luaL_Buffer b;
    lua_Integer n;

    luaL_checktype(L, 1, LUA_TTABLE);
    n = (lua_Integer)lua_rawlen(L, 1);
    luaL_buffinit(L, &b);
    for (lua_Integer i = 1; i <= n; i++) {
        if (i > 1)
            luaL_addchar(&b, '\n');
        lua_rawgeti(L, 1, i);
        luaL_tolstring(L, -1, NULL);
        lua_remove(L, -2);
        luaL_addvalue(&b);
    }
    luaL_pushresult(&b);
    return 1;
}

/* The last n records, oldest first. */
static int log_tail(lua_State *L)
{
    lua_Integer n = luaL_optinteger(L, 1, TAIL_DEFAULT);
    struct log_record r;
    uint64_t seq = log_newest();

    luaL_argcheck(L, n > 0 && n <= TAIL_MAX, 1, "between 1 and 10000");
    seq = seq > (uint64_t)n ? seq - (uint64_t)n + 1 : 1;
    lua_newtable(L);
    for (lua_Integer i = 1; i <= n && log_read(&seq, &r); i++, seq++) {
        push_record(L, &r);
        lua_rawseti(L, -2, i);
    }
    luaL_setmetatable(L, LIST_CLASS);
    return 1;
}

/* The record with that number, or the oldest after it; nil: none yet. */
static int log_read_one(lua_State *L)
{
    lua_Integer n = luaL_checkinteger(L, 1);
    uint64_t seq = n > 0 ? (uint64_t)n : 1;
    struct log_record r;

    if (!log_read(&seq, &r))
        return 0;
    push_record(L, &r);
    return 1;
}

/* The module's name is the domain's, so that nobody speaks for another. */
static int write_record(lua_State *L, enum log_level level, int index)
{
    const char *text = luaL_tolstring(L, index, NULL);

    log_write(level, domain_of(L)->name, "%s", text);
    return 0;
}

static int log_write_level(lua_State *L)
{
    static const char *const levels[] = {"debug", "info", "warn", "error",
                                         NULL};

    luaL_checkany(L, 2);
    return write_record(L, (enum log_level)luaL_checkoption(L, 1, NULL, levels),
                        2);
}

static int log_debug_text(lua_State *L)
{
    return write_record(L, LOG_DEBUG, 1);
}

static int log_info_text(lua_State *L)
{
    return write_record(L, LOG_INFO, 1);
}

static int log_warn_text(lua_State *L)
{
    return write_record(L, LOG_WARN, 1);
}

static int log_error_text(lua_State *L)
{
    return write_record(L, LOG_ERROR, 1);
}

static void make_class(lua_State *L, const char *name, lua_CFunction tostring)
{
    luaL_newmetatable(L, name);
    lua_pushcfunction(L, tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}

static void log_extend(lua_State *L)
{
    make_class(L, RECORD_CLASS, record_tostring);
    make_class(L, LIST_CLASS, list_tostring);
}

static const struct lua_function log_functions[] = {
    {"tail", log_tail, "log"},        {"read", log_read_one, "log"},
    {"write", log_write_level, NULL}, {"debug", log_debug_text, NULL},
    {"info", log_info_text, NULL},    {"warn", log_warn_text, NULL},
    {"error", log_error_text, NULL},  {0},
};

LUA_MODULE(log, .functions = log_functions, .extend = log_extend);
