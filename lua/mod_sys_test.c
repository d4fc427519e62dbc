/*
 * sys.test: ways to break the kernel on purpose, and its self-tests. All are
 * refused unless the command line says `testhooks` and the domain has the
 * capability "test". Domain's thread.
 */
#include <errno.h>
#include <string.h>

#include <rayos/cmdline.h>
#include <rayos/panic.h>
#include <rayos/selftest.h>

#include "lua/mod_sys.h"

/* true, or nil, message, code are pushed. */
static bool hooks_permitted(lua_State *L)
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
    {"null", crash_null},     {"stack", crash_stack}, {"text", crash_text},
    {"exec", crash_exec},     {"panic", crash_panic}, {"divide", crash_divide},
    {"opcode", crash_opcode},
};

static int test_crash(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);

    if (!hooks_permitted(L))
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

    if (!hooks_permitted(L))
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

    if (!hooks_permitted(L))
        return 3;
    lua_newtable(L);
    for (size_t i = 0; (t = selftest_at(i)); i++) {
        lua_pushstring(L, t->name);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static const struct lua_function test_functions[] = {
    {"crash", test_crash, "test"},
    {"selftest", test_selftest, "test"},
    {"selftests", test_selftests, "test"},
    {0},
};

void sys_open_test(lua_State *L)
{
    lua_newtable(L);
    module_set_functions(L, test_functions);
}
