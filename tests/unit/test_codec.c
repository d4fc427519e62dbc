/* sources: lua/codec.c */
/* libraries: lua5.4 */
/*
 * Messages between domains arrive as they were sent; bytes that no sender
 * makes are refused, without an error and without much memory.
 */
#include "check.h"

#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "lua/codec.h"

#define MESSAGE_MAX (1u << 20)

static size_t memory, memory_peak;

static void *allocate(void *ud, void *p, size_t old, size_t size)
{
    (void)ud;
    memory += size - (p ? old : 0);
    if (memory > memory_peak)
        memory_peak = memory;
    if (!size) {
        free(p);
        return NULL;
    }
    return realloc(p, size);
}

/* No userdata is a handle. */
static void *handle_test(lua_State *L, int index)
{
    (void)L;
    (void)index;
    return NULL;
}

static void handle_push(lua_State *L, void *handle)
{
    (void)handle;
    lua_pushnil(L);
}

static const struct codec_handles ops = {handle_test, handle_push};

static lua_State *begin(void)
{
    lua_State *L = lua_newstate(allocate, NULL);

    luaL_openlibs(L);
    return L;
}

/* The values that `make` returns, sent to `check`, which returns true. */
static void arrives(const char *make, const char *check)
{
    struct codec c = {.ops = &ops, .size_max = MESSAGE_MAX};
    lua_State *L = begin();
    int count, got;

    CHECK_EQ(luaL_dostring(L, make), LUA_OK);
    count = lua_gettop(L);
    CHECK(codec_encode(L, &c, 1, count, "value"));
    CHECK_EQ(luaL_loadstring(L, check), LUA_OK);
    got = codec_decode(L, &ops, c.handles, c.handle_count, c.data, c.size);
    CHECK_EQ(got, count);
    if (got == count) {
        CHECK_EQ(lua_pcall(L, count, 1, 0), LUA_OK);
        CHECK(lua_toboolean(L, -1));
    }
    lua_close(L);
}

static int decode(lua_State *L, const void *data, size_t size)
{
    return codec_decode(L, &ops, NULL, 0, data, size);
}

TEST(values_arrive_as_they_were)
{
    arrives("return 1, 'two', 3.5, true, nil, false",
            "local a, b, c, d, e, f = ... "
            "return a == 1 and b == 'two' and c == 3.5 and d == true and "
            "e == nil and f == false and math.type(a) == 'integer'");
    arrives("return", "return select('#', ...) == 0");
}

TEST(shared_and_cyclic_tables_stay_so)
{
    arrives("local t = {1, 2}; t.self = t; return t, {t}",
            "local t, u = ... return t.self == t and u[1] == t and #t == 2");
}

TEST(a_sparse_table_arrives_whatever_its_length_says)
{
    arrives("local t = {} for i = 20, 0, -1 do t[1 << i] = i end "
            "assert(#t == 1 << 20) return t",
            "local t, n = ..., 0 for k, i in pairs(t) do n = n + 1 "
            "assert(k == 1 << i) end return n == 21");
}

TEST(a_key_that_no_table_can_have_is_refused)
{
    static const uint8_t nan_key[] = "{\0\0\0\0n\0\0\0\0\0\0\xf8\x7fT}";
    static const uint8_t nil_key[] = "{\0\0\0\0NT}";
    lua_State *L = begin();

    CHECK_EQ(decode(L, nan_key, sizeof(nan_key) - 1), -1);
    CHECK_EQ(decode(L, nil_key, sizeof(nil_key) - 1), -1);
    CHECK_EQ(lua_gettop(L), 0);
    lua_close(L);
}

TEST(tables_that_claim_to_be_long_take_no_more_than_the_message_can_fill)
{
    enum { TABLES = 10000, SIZE = 6 };
    static uint8_t data[TABLES * SIZE];
    lua_State *L = begin();

    for (size_t i = 0; i < TABLES; i++)
        memcpy(data + i * SIZE, "{\xff\xff\xff\x7f}", SIZE);
    lua_gc(L, LUA_GCSTOP);
    memory_peak = memory;
    size_t before = memory;

    CHECK_EQ(decode(L, data, sizeof(data)), TABLES);
    CHECK(memory_peak - before < 100 * sizeof(data));
    lua_close(L);
}

TEST(a_message_that_is_cut_off_is_refused)
{
    static const uint8_t whole[] = "{\1\0\0\0i\1\0\0\0\0\0\0\0s\2\0\0\0hi}";
    lua_State *L = begin();

    CHECK_EQ(decode(L, whole, sizeof(whole) - 1), 1);
    lua_settop(L, 0);
    for (size_t n = 1; n < sizeof(whole) - 1; n++)
        CHECK_EQ(decode(L, whole, n), -1);
    CHECK_EQ(lua_gettop(L), 0);
    lua_close(L);
}

CHECK_MAIN
