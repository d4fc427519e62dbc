/*
 * The smallest test frame that reports well: TESTs register themselves, every
 * failed CHECK prints file, line and values, and the exit status is the number
 * of failed tests. Output is TAP, so that any harness reads it.
 */
#ifndef RAYOS_TEST_CHECK_H
#define RAYOS_TEST_CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct check_test {
    const char *name;
    void (*run)(void);
    struct check_test *next;
};

static struct check_test *check_tests, **check_tail = &check_tests;
static int check_failures;

#define TEST(ident)                                                       \
    static void ident(void);                                              \
    __attribute__((constructor)) static void check_register_##ident(void) \
    {                                                                     \
        static struct check_test t = {#ident, ident, NULL};               \
        *check_tail = &t;                                                 \
        check_tail = &t.next;                                             \
    }                                                                     \
    static void ident(void)

#define CHECK_FAIL(...)                          \
    do {                                         \
        check_failures++;                        \
        printf("# %s:%d: ", __FILE__, __LINE__); \
        printf(__VA_ARGS__);                     \
        printf("\n");                            \
    } while (0)

#define CHECK(cond)                          \
    do {                                     \
        if (!(cond))                         \
            CHECK_FAIL("not so: %s", #cond); \
    } while (0)

#define CHECK_EQ(a, b)                                                    \
    do {                                                                  \
        intmax_t check_a = (intmax_t)(a), check_b = (intmax_t)(b);        \
        if (check_a != check_b)                                           \
            CHECK_FAIL("%s is %" PRIdMAX ", expected %s = %" PRIdMAX, #a, \
                       check_a, #b, check_b);                             \
    } while (0)

#define CHECK_STR(a, b)                                        \
    do {                                                       \
        const char *check_a = (a), *check_b = (b);             \
        if (!check_a || strcmp(check_a, check_b) != 0)         \
            CHECK_FAIL("%s is \"%s\", expected \"%s\"", #a,    \
                       check_a ? check_a : "(null)", check_b); \
    } while (0)

#define CHECK_MAIN                                                  \
    int main(void)                                                  \
    {                                                               \
        int n = 0, bad = 0;                                         \
        for (struct check_test *t = check_tests; t; t = t->next) {  \
            int before = check_failures;                            \
            t->run();                                               \
            int ok = check_failures == before;                      \
            bad += !ok;                                             \
            printf("%sok %d %s\n", ok ? "" : "not ", ++n, t->name); \
        }                                                           \
        printf("1..%d\n", n);                                       \
        return bad || !n;                                           \
    }

#endif
