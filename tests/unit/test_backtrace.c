/* sources: kernel/core/backtrace.c */
/* A walk along frame pointers ends, wherever they point. */
#include "check.h"

#include "kernel/core/backtrace.h"

static uintptr_t stack[256];
static struct backtrace b;

static bool in_stack(uintptr_t addr, size_t size)
{
    uintptr_t end = (uintptr_t)(stack + 256);

    return addr >= (uintptr_t)stack && addr < end && size <= end - addr;
}

static uintptr_t at(size_t i)
{
    return (uintptr_t)&stack[i];
}

static void walk(size_t from)
{
    backtrace_walk(&b, at(from), in_stack);
}

TEST(return_addresses_come_in_order)
{
    stack[0] = at(10), stack[1] = 0x111;
    stack[10] = at(4), stack[11] = 0x222; /* onto another stack, downwards */
    stack[4] = 0, stack[5] = 0x333;
    walk(0);
    CHECK_EQ(b.depth, 3);
    CHECK(b.pc[0] == 0x111 && b.pc[1] == 0x222 && b.pc[2] == 0x333);
    CHECK(!b.cut);
}

TEST(bad_pointers_end_the_walk)
{
    static const uintptr_t bad[] = {1, 8, 0x800000000000, UINTPTR_MAX,
                                    UINTPTR_MAX - 7};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        stack[0] = bad[i], stack[1] = 0x111;
        walk(0);
        CHECK_EQ(b.depth, 1);
    }
    stack[0] = at(2) + 4; /* not aligned */
    walk(0);
    CHECK_EQ(b.depth, 1);
    stack[0] = at(255); /* half a pair */
    walk(0);
    CHECK_EQ(b.depth, 1);
    backtrace_walk(&b, 0, in_stack);
    CHECK_EQ(b.depth, 0);
}

TEST(circles_end_the_walk)
{
    stack[0] = at(0), stack[1] = 0x111;
    walk(0);
    CHECK_EQ(b.depth, 1);
    stack[0] = at(2), stack[2] = at(0), stack[3] = 0x222;
    walk(0);
    CHECK_EQ(b.depth, BACKTRACE_DEPTH);
    CHECK(b.cut);
}

CHECK_MAIN
