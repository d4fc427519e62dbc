/*
 * sys.test: ways to break the kernel on purpose, its self-tests and its
 * benchmarks. All are refused unless the command line says `testhooks` and the
 * domain has the capability "test". Domain's thread.
 */
#include <errno.h>
#include <string.h>

#include <rayos/bench.h>
#include <rayos/cmdline.h>
#include <rayos/panic.h>
#include <rayos/selftest.h>
#include <rayos/tty.h>

#include "lua/mod_sys.h"

/* true, or nil, message, code are pushed. */
bool sys_test_permitted(lua_State *L)
{
    if (!module_permits(L, "test"))
        return false;
    if (cmdline_has("testhooks"))
        return true;
    lua_pushnil(L);
    lua_pushliteral(L, "not permitted: needs 'testhooks' on the command line");
    lua_pushliteral(L, "EPERM");
    return false;
}

/* --- crashes --- */

/* The compiler must not see where these lead. */
static volatile uintptr_t null_address = 8;
static size_t (*volatile deeper)(size_t depth);

static void crash_null(void)
{
    *(volatile int *)null_address = 1;
}

static size_t eat_stack(size_t depth)
{
    volatile char room[4000];

    room[depth % sizeof(room)] = (char)depth;
    return deeper(depth + 1) + (size_t)room[0];
}

static void crash_stack(void)
{
    deeper = eat_stack;
    deeper(1);
}

static void crash_text(void)
{
    *(volatile uint8_t *)(uintptr_t)crash_null = 0x90;
}

static void crash_exec(void)
{
    static uint8_t code[16] = {0xc3}; /* ret */
    void (*fn)(void) = (void (*)(void))(uintptr_t)code;

    __asm__ volatile("" : "+r"(fn));
    fn();
}

static void crash_panic(void)
{
    panic("asked for by sys.test.crash");
}

static void crash_divide(void)
{
    __asm__ volatile("xorl %%edx, %%edx; xorl %%ecx, %%ecx; divl %%ecx" ::
                         : "eax", "ecx", "edx", "cc");
}

static void crash_opcode(void)
{
    __asm__ volatile("ud2");
}

static const struct {
    const char *name;
    void (*crash)(void);
} crashes[] = {
    {"null", crash_null},     {"stack", crash_stack},
    {"text", crash_text},     {"exec", crash_exec},
    {"panic", crash_panic},   {"divide", crash_divide},
    {"opcode", crash_opcode}, {"deadlock", selftest_deadlock},
};

static int test_crash(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    if (!sys_test_permitted(L))
        return 3;
    for (size_t i = 0; i < ARRAY_SIZE(crashes); i++) {
        if (!strcmp(crashes[i].name, name)) {
            crashes[i].crash();
            return luaL_error(L, "the kernel survived '%s'", name);
        }
    }
    return luaL_error(L, "there is no crash '%s'", name);
}

/* --- self-tests --- */

/* true; or false and the first failure; or nil, message, code. */
static int test_selftest(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    char why[200] = "";
    int err;

    if (!sys_test_permitted(L))
        return 3;
    err = selftest_run(name, why, sizeof(why));
    if (err && err != -EIO)
        return module_fail(L, err, name);
    lua_pushboolean(L, !err);
    if (!err)
        return 1;
    lua_pushstring(L, why);
    return 2;
}

static int test_selftests(lua_State *L)
{
    const struct selftest *t;

    if (!sys_test_permitted(L))
        return 3;
    lua_newtable(L);
    for (size_t i = 0; (t = selftest_at(i)); i++) {
        lua_pushstring(L, t->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* --- how long a person waits --- */

/* answer_time(tty): seconds from the last Ctrl-C there until its reader was
 * back; nil while there was none. By the machine's clock. */
static int test_answer_time(lua_State *L)
{
    struct tty *t = tty_find(luaL_checkstring(L, 1));
    nstime_t ns;

    if (!sys_test_permitted(L))
        return 3;
    luaL_argcheck(L, t, 1, "there is no such tty");
    if (!tty_answer_time(t, &ns))
        return 0;
    lua_pushnumber(L, (lua_Number)ns / 1e9);
    return 1;
}

/* --- benchmarks --- */

#define BENCH_ROUNDS 1000

/* A table; or nil, message, code. */
static int test_bench(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_Integer rounds = luaL_optinteger(L, 2, BENCH_ROUNDS);
    struct bench_result r;
    int err;

    luaL_argcheck(L, rounds >= 1 && rounds <= BENCH_ROUNDS_MAX, 2,
                  "not so many rounds");
    if (!sys_test_permitted(L))
        return 3;
    err = bench_run(name, (uint32_t)rounds, &r);
    if (err)
        return module_fail(L, err, name);
    lua_createtable(L, 0, 4);
    sys_set_integer(L, "count", r.count);
    sys_set_integer(L, "min", r.min);
    sys_set_integer(L, "max", r.max);
    lua_pushnumber(L, (lua_Number)r.sum / (lua_Number)r.count);
    lua_setfield(L, -2, "mean");
    return 1;
}

static int test_benches(lua_State *L)
{
    const struct bench *b;

    if (!sys_test_permitted(L))
        return 3;
    lua_newtable(L);
    for (size_t i = 0; (b = bench_at(i)); i++) {
        lua_pushstring(L, b->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const struct lua_function test_functions[] = {
    {"answer_time", test_answer_time, "test"},
    {"bench", test_bench, "test"},
    {"benches", test_benches, "test"},
    {"crash", test_crash, "test"},
    {"selftest", test_selftest, "test"},
    {"selftests", test_selftests, "test"},
    {0},
};

void sys_open_test(lua_State *L)
{
    lua_newtable(L);
    module_set_functions(L, test_functions);
    module_set_functions(L, sys_screen_functions);
}
