/* sources: */
/*
 * Our memory and string functions against the host's: random contents, every
 * alignment, ends close to a page that must not be touched. The source is
 * included below, under other names.
 */
#include "check.h"

#include <stdlib.h>
#include <sys/mman.h>

#define memcpy  our_memcpy
#define memmove our_memmove
#define memset  our_memset
#define memcmp  our_memcmp
#define memchr  our_memchr
#define strlen  our_strlen
#define strnlen our_strnlen
#define strcmp  our_strcmp
#define strncmp our_strncmp
#define strchr  our_strchr
#define strrchr our_strrchr
#define strcpy  our_strcpy
#define strncpy our_strncpy
#define strcat  our_strcat
#define strncat our_strncat
#include "../../kernel/core/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strcpy
#undef strncpy
#undef strcat
#undef strncat

#define PAGES 4096
#define MAX   700

/* Two areas of a page each, between pages that cannot be touched. */
static char *area(int which)
{
    static char *base;

    if (!base) {
        base = mmap(NULL, 5 * PAGES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                    0);
        mprotect(base + PAGES, PAGES, PROT_READ | PROT_WRITE);
        mprotect(base + 3 * PAGES, PAGES, PROT_READ | PROT_WRITE);
    }
    return base + PAGES + which * 2 * PAGES;
}

/* A place for `size` bytes: at the page's end, its start, or in between. */
static char *place(int which, size_t size)
{
    char *a = area(which);

    switch (rand() % 3) {
    case 0:
        return a + PAGES - size;
    case 1:
        return a;
    default:
        return a + (size_t)rand() % (PAGES - size + 1);
    }
}

static void fill(char *p, size_t n, int letters)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(letters ? 'a' + rand() % letters : rand());
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static size_t some_length(void)
{
    return (size_t)rand() % (rand() % 2 ? 40 : MAX);
}

/* A string of letters; now and then with bytes above 127. */
static char *some_string(int which, int letters)
{
    size_t n = some_length();
    char *s = place(which, n + 1);

    fill(s, n, letters);
    if (n && rand() % 4 == 0)
        s[(size_t)rand() % n] = (char)(128 + rand() % 128);
    s[n] = '\0';
    return s;
}

TEST(memcpy_and_memset_write_what_they_should_and_nothing_else)
{
    static char want[PAGES];

    for (int round = 0; round < 40000; round++) {
        size_t n = round < 2000 ? (size_t)round % 300 : some_length();
        char *s = place(0, n), *d = place(1, n);
        size_t from = (size_t)(d - area(1));

        fill(s, n, 0);
        fill(area(1), PAGES, round % 2 ? 1 : 0);
        memcpy(want, area(1), PAGES);
        if (round % 2) {
            memcpy(want + from, s, n);
            CHECK(our_memcpy(d, s, n) == d);
        } else {
            memset(want + from, round, n);
            CHECK(our_memset(d, round, n) == d);
        }
        if (memcmp(want, area(1), PAGES) != 0) {
            CHECK_FAIL("%s of %zu bytes", round % 2 ? "memcpy" : "memset", n);
            return;
        }
        if (round > 4000)
            round += 7;
    }
}

TEST(memmove_copes_with_every_overlap)
{
    static char want[PAGES];

    for (size_t n = 0; n < 300; n += 1 + (n > 140) * 7)
        for (int shift = -150; shift <= 150; shift += 1 + (n > 70)) {
            char *s = area(0) + 1000 + n % 8, *d = s + shift;

            fill(area(0) + 800, 700, 0);
            memcpy(want, area(0), PAGES);
            memmove(want + (d - area(0)), want + (s - area(0)), n);
            our_memmove(d, s, n);
            if (memcmp(want, area(0), PAGES) != 0) {
                CHECK_FAIL("%zu bytes by %d", n, shift);
                return;
            }
        }
}

TEST(memcmp_orders_like_the_hosts)
{
    for (int round = 0; round < 40000; round++) {
        size_t n = some_length();
        char *a = place(0, n), *b = place(1, n);

        fill(a, n, round % 3 ? 2 : 0);
        memcpy(b, a, n);
        if (n && round % 5)
            b[(size_t)rand() % n] = (char)rand();
        CHECK_EQ(sign(our_memcmp(a, b, n)), sign(memcmp(a, b, n)));
    }
}

TEST(memchr_and_strnlen_stop_where_they_should)
{
    for (int round = 0; round < 40000; round++) {
        size_t n = some_length(), limit = (size_t)rand() % (n + 1);
        char *a = place(0, n);
        int c = 'a' + rand() % 30;

        fill(a, n, 26);
        CHECK(our_memchr(a, c, limit) == memchr(a, c, limit));
        CHECK(our_memchr(a, c + 256, limit) == memchr(a, c, limit));
        if (n)
            a[(size_t)rand() % n] = '\0';
        CHECK_EQ(our_strnlen(a, limit), strnlen(a, limit));
    }
    strcpy(area(0), "to the end of all addresses");
    CHECK(our_memchr(area(0), 'e', SIZE_MAX) == area(0) + 5);
    CHECK_EQ(our_strnlen(area(0), SIZE_MAX), 27);
}

TEST(strings_are_measured_searched_and_compared_like_the_hosts)
{
    for (int round = 0; round < 40000; round++) {
        int letters = round % 2 ? 26 : 2;
        char *a = some_string(0, letters), *b = some_string(1, letters);
        int c = rand() % 5 ? 'a' + rand() % 26 : rand() % 256;
        size_t n = some_length();

        if (round % 3 == 0 && strlen(a) < PAGES / 2) { /* mostly equal */
            b = area(1) + PAGES - strlen(a) - 1 - (size_t)rand() % 9;
            strcpy(b, a);
            if (*b && rand() % 2)
                b[(size_t)rand() % strlen(b)] ^= (char)(1 << rand() % 8);
        }
        CHECK_EQ(our_strlen(a), strlen(a));
        CHECK(our_strchr(a, c) == strchr(a, c));
        CHECK(our_strchr(a, 0) == strchr(a, 0));
        CHECK(our_strrchr(a, c) == strrchr(a, c));
        CHECK(our_strrchr(a, 0) == strrchr(a, 0));
        CHECK_EQ(sign(our_strcmp(a, b)), sign(strcmp(a, b)));
        CHECK_EQ(sign(our_strncmp(a, b, n)), sign(strncmp(a, b, n)));
    }
}

TEST(strings_are_copied_and_joined_like_the_hosts)
{
    static char ours[4 * MAX], theirs[4 * MAX];

    for (int round = 0; round < 10000; round++) {
        const char *a = some_string(0, 26), *b = some_string(1, 26);
        size_t n = some_length();

        fill(ours, sizeof(ours), 0);
        memcpy(theirs, ours, sizeof(ours));
        strcpy(theirs, a);
        strcat(theirs, b);
        CHECK(our_strcpy(ours, a) == ours);
        CHECK(our_strcat(ours, b) == ours);
        CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);
        strncat(theirs, a, n);
        CHECK(our_strncat(ours, a, n) == ours);
        CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);
#pragma GCC diagnostic ignored "-Wstringop-truncation"
        strncpy(theirs, b, n);
        CHECK(our_strncpy(ours, b, n) == ours);
        CHECK(memcmp(ours, theirs, sizeof(ours)) == 0);
    }
}

CHECK_MAIN
