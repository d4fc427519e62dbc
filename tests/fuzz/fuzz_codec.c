/* sources: lua/codec.c */
/* libraries: lua5.4 */
/*
 * Any bytes as a message between domains: decoding refuses or gives values,
 * raises nothing but want of memory, and leaves the stack as it says. What it
 * gives can be sent again, and arrives the same.
 */
#include "tests/fuzz/fuzz.h"

#include <lauxlib.h>
#include <lua.h>

#include "lua/codec.h"

#define HANDLES 2
#define MEMORY  (256u << 20)

static int things[HANDLES];
static void *const handles[HANDLES] = {&things[0], &things[1]};

/* Handles are full userdata that hold the thing's address. */
static void *handle_test(lua_State *L, int index)
{
    void **p = lua_touserdata(L, index);

    return p ? *p : NULL;
}

static void handle_push(lua_State *L, void *handle)
{
    FUZZ_CHECK(handle == handles[0] || handle == handles[1]);
    *(void **)lua_newuserdatauv(L, sizeof(void *), 0) = handle;
}

static const struct codec_handles ops = {handle_test, handle_push};

static uint8_t *input;
static size_t input_size;

static int run(lua_State *L)
{
    struct codec c = {.ops = &ops, .size_max = 1u << 20},
                 d = {.ops = &ops, .size_max = 1u << 20};
    int count = codec_decode(L, &ops, handles, HANDLES, input, input_size);
    int again;

    FUZZ_CHECK(lua_gettop(L) == (count < 0 ? 0 : count));
    if (count < 0)
        return 0;
    luaL_checkstack(L, count + 16, "fuzz");
    /* Depth counts from where a table is met first, which depends on the
     * order: too deep at times. */
    if (!codec_encode(L, &c, 1, count, "value"))
        return 0;
    FUZZ_CHECK(lua_gettop(L) == count + 1);
    again = codec_decode(L, &ops, c.handles, c.handle_count, c.data, c.size);
    FUZZ_CHECK(again == count);
    FUZZ_CHECK(lua_gettop(L) == 2 * count + 1);
    luaL_checkstack(L, 16, "fuzz");
    if (codec_encode(L, &d, count + 2, count, "value"))
        FUZZ_CHECK(c.size == d.size && c.handle_count == d.handle_count);
    return 0;
}

/* The rest is the C library's: a limit, as a domain has one. */
static void *allocate(void *ud, void *p, size_t old, size_t size)
{
    size_t *used = ud;

    old = p ? old : 0;
    if (size > old && size - old > MEMORY - *used)
        return NULL;
    if (!size) {
        *used -= old;
        free(p);
        return NULL;
    }
    p = realloc(p, size);
    if (p)
        *used += size - old;
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t used = 0;
    lua_State *L = lua_newstate(allocate, &used);
    int status;

    input = fuzz_copy(data, size);
    input_size = size;
    lua_pushcfunction(L, run);
    status = lua_pcall(L, 0, 0, 0);
    if (status == LUA_ERRRUN)
        fprintf(stderr, "raised: %s\n", lua_tostring(L, -1));
    FUZZ_CHECK(status == LUA_OK || status == LUA_ERRMEM);
    lua_close(L);
    free(input);
    return 0;
}
