/*
 * The memory and string functions of the C library, for the whole kernel and
 * for the third-party code in it, in place of newlib's. General registers only.
 * Pure, any context.
 *
 * Written for few instructions: eight bytes at a time, ends that overlap
 * instead of byte loops, string instructions for long runs. Words that might
 * reach behind the end of a string are read aligned, so that they stay inside
 * of its page.
 */
#include <rayos/types.h>

#include <string.h>

/* Unaligned, and allowed to alias whatever lies there. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word_t;
typedef uint32_t __attribute__((may_alias, aligned(1))) half_t;

#define WORD_AT(p) (*(word_t *)(p))
#define HALF_AT(p) (*(half_t *)(p))

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* From here on a string instruction counts less than a loop. */
#define LONG_RUN 128

/* Reads whole words around a string: correct, yet not to a sanitizer. */
#define READS_AROUND __attribute__((no_sanitize_address))

/* Keeps the compiler from making of a loop the very call that it implements. */
#define loop_barrier() __asm__ volatile("" ::: "memory")

/* The lowest bit that is set is in the first byte of w that is zero. */
static inline uint64_t zero_byte(uint64_t w)
{
    return (w - ONES) & ~w & HIGHS;
}

static inline unsigned first_byte(uint64_t bits)
{
    return (unsigned)__builtin_ctzll(bits) / 8;
}

/* Up to 32 bytes; all are read before any is written, so they may overlap. */
static inline void copy_short(char *d, const char *s, size_t n)
{
    uint64_t a, b, c, e;

    if (n >= 8) {
        a = WORD_AT(s);
        b = WORD_AT(s + n - 8);
        if (n > 16) {
            c = WORD_AT(s + 8);
            e = WORD_AT(s + n - 16);
            WORD_AT(d + 8) = c;
            WORD_AT(d + n - 16) = e;
        }
        WORD_AT(d) = a;
        WORD_AT(d + n - 8) = b;
    } else if (n >= 4) {
        a = HALF_AT(s);
        b = HALF_AT(s + n - 4);
        HALF_AT(d) = (uint32_t)a;
        HALF_AT(d + n - 4) = (uint32_t)b;
    } else if (n) {
        /* 1, 2 or 3: first, middle and last, which may be the same. */
        char x = s[0], y = s[n / 2], z = s[n - 1];

        d[0] = x;
        d[n / 2] = y;
        d[n - 1] = z;
    }
}

/* More than 32 bytes, from the first to the last: right when d is below s, or
 * they do not overlap. The tail is read before it may be written over. */
static inline void copy_up(char *d, const char *s, size_t n)
{
    uint64_t a = WORD_AT(s + n - 32), b = WORD_AT(s + n - 24);
    uint64_t c = WORD_AT(s + n - 16), e = WORD_AT(s + n - 8);
    char *end = d + n;

    if (n >= LONG_RUN) {
        size_t words = n / 8;

        __asm__ volatile("rep movsq"
                         : "+D"(d), "+S"(s), "+c"(words)
                         :
                         : "memory");
    } else {
        for (; d < end - 32; d += 32, s += 32) {
            uint64_t w = WORD_AT(s), x = WORD_AT(s + 8);
            uint64_t y = WORD_AT(s + 16), z = WORD_AT(s + 24);

            WORD_AT(d) = w;
            WORD_AT(d + 8) = x;
            WORD_AT(d + 16) = y;
            WORD_AT(d + 24) = z;
            loop_barrier();
        }
    }
    WORD_AT(end - 32) = a;
    WORD_AT(end - 24) = b;
    WORD_AT(end - 16) = c;
    WORD_AT(end - 8) = e;
}

/* More than 32 bytes, from the last to the first. */
static inline void copy_down(char *d, const char *s, size_t n)
{
    uint64_t a = WORD_AT(s), b = WORD_AT(s + 8);
    uint64_t c = WORD_AT(s + 16), e = WORD_AT(s + 24);

    for (; n > 32; n -= 32) {
        uint64_t w = WORD_AT(s + n - 8), x = WORD_AT(s + n - 16);
        uint64_t y = WORD_AT(s + n - 24), z = WORD_AT(s + n - 32);

        WORD_AT(d + n - 8) = w;
        WORD_AT(d + n - 16) = x;
        WORD_AT(d + n - 24) = y;
        WORD_AT(d + n - 32) = z;
        loop_barrier();
    }
    WORD_AT(d) = a;
    WORD_AT(d + 8) = b;
    WORD_AT(d + 16) = c;
    WORD_AT(d + 24) = e;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    if (n <= 32)
        copy_short(dst, src, n);
    else
        copy_up(dst, src, n);
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    if (n <= 32)
        copy_short(dst, src, n);
    else if ((uintptr_t)dst - (uintptr_t)src >= n)
        copy_up(dst, src, n);
    else
        copy_down(dst, src, n);
    return dst;
}

void *memset(void *dst, int value, size_t n)
{
    uint64_t w = ONES * (uint8_t)value;
    char *d = dst, *end = d + n;

    if (n < 8) {
        if (n >= 4) {
            HALF_AT(d) = (uint32_t)w;
            HALF_AT(end - 4) = (uint32_t)w;
        } else if (n) {
            d[0] = d[n / 2] = end[-1] = (char)value;
        }
        return dst;
    }
    WORD_AT(end - 8) = w;
    if (n >= LONG_RUN) {
        size_t words = n / 8;

        __asm__ volatile("rep stosq"
                         : "+D"(d), "+c"(words)
                         : "a"(w)
                         : "memory");
        return dst;
    }
    for (; end - d > 8; d += 16) {
        WORD_AT(d) = w;
        if (end - d > 16)
            WORD_AT(d + 8) = w;
        loop_barrier();
    }
    return dst;
}

/* Of two words that differ: the order of their first different bytes. */
static inline int word_order(uint64_t a, uint64_t b)
{
    return __builtin_bswap64(a) < __builtin_bswap64(b) ? -1 : 1;
}

/* Fewer than eight bytes. */
static inline int compare_short(const char *a, const char *b, size_t n)
{
    if (n >= 4) {
        uint64_t x = (uint64_t)HALF_AT(a + n - 4) << 32 | HALF_AT(a);
        uint64_t y = (uint64_t)HALF_AT(b + n - 4) << 32 | HALF_AT(b);

        return x == y ? 0 : word_order(x, y);
    }
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i])
            return (uint8_t)a[i] - (uint8_t)b[i];
    return 0;
}

int memcmp(const void *left, const void *right, size_t n)
{
    const char *a = left, *b = right, *last = a + n - 8;

    if (n < 8)
        return compare_short(a, b, n);
    for (; a < last; a += 8, b += 8)
        if (WORD_AT(a) != WORD_AT(b))
            return word_order(WORD_AT(a), WORD_AT(b));
    /* The last eight, some of which may have been compared. */
    b -= a - last;
    if (WORD_AT(last) != WORD_AT(b))
        return word_order(WORD_AT(last), WORD_AT(b));
    return 0;
}

/* The aligned word that s lies in; its bytes before s are set to ones. */
READS_AROUND static inline uint64_t word_from(const char *s, uint64_t pattern)
{
    unsigned skip = (uintptr_t)s & 7;

    return (WORD_AT(s - skip) ^ pattern) | ((UINT64_C(1) << skip * 8) - 1);
}

READS_AROUND void *memchr(const void *mem, int value, size_t n)
{
    const char *s = mem, *p = s - ((uintptr_t)s & 7);
    const char *end = n > UINTPTR_MAX - (uintptr_t)s ? (char *)UINTPTR_MAX
                                                     : s + n;
    uint64_t pattern = ONES * (uint8_t)value, w, zero;

    if (!n)
        return NULL;
    w = word_from(s, pattern);
    while (!(zero = zero_byte(w))) {
        p += 8;
        if (p >= end)
            return NULL;
        w = WORD_AT(p) ^ pattern;
    }
    p += first_byte(zero);
    return p < end ? (void *)(uintptr_t)p : NULL;
}

READS_AROUND size_t strlen(const char *s)
{
    const char *p = s - ((uintptr_t)s & 7);
    uint64_t zero = zero_byte(word_from(s, 0));

    while (!zero) {
        p += 8;
        zero = zero_byte(WORD_AT(p));
    }
    return (size_t)(p + first_byte(zero) - s);
}

size_t strnlen(const char *s, size_t max)
{
    const char *end = memchr(s, '\0', max);

    return end ? (size_t)(end - s) : max;
}

READS_AROUND char *strchr(const char *s, int c)
{
    const char *p = s - ((uintptr_t)s & 7);
    uint64_t pattern = ONES * (uint8_t)c, w = word_from(s, 0);
    uint64_t found = zero_byte(w) | zero_byte(word_from(s, pattern));

    while (!found) {
        p += 8;
        w = WORD_AT(p);
        found = zero_byte(w) | zero_byte(w ^ pattern);
    }
    p += first_byte(found);
    return *p == (char)c ? (char *)(uintptr_t)p : NULL;
}

char *strrchr(const char *s, int c)
{
    const char *p = s + strlen(s);

    for (;; p--) {
        if (*p == (char)c)
            return (char *)(uintptr_t)p;
        if (p == s)
            return NULL;
    }
}

/* A word of either string may not cross into a page that is not mapped. */
static inline bool word_in_page(const char *s)
{
    return ((uintptr_t)s & (PAGE_SIZE - 1)) <= PAGE_SIZE - 8;
}

READS_AROUND int strcmp(const char *a, const char *b)
{
    for (;;) {
        if (word_in_page(a) && word_in_page(b)) {
            uint64_t w = WORD_AT(a), x = WORD_AT(b);
            uint64_t stop = (w ^ x) | zero_byte(w);

            if (stop) {
                unsigned i = first_byte(stop);

                return (uint8_t)a[i] - (uint8_t)b[i];
            }
            a += 8;
            b += 8;
        } else {
            if (*a != *b || !*a)
                return (uint8_t)*a - (uint8_t)*b;
            a++;
            b++;
        }
    }
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n; n--, a++, b++)
        if (*a != *b || !*a)
            return (uint8_t)*a - (uint8_t)*b;
    return 0;
}

char *strcpy(char *restrict dst, const char *restrict src)
{
    return memcpy(dst, src, strlen(src) + 1);
}

char *strncpy(char *restrict dst, const char *restrict src, size_t n)
{
    size_t length = strnlen(src, n);

    memcpy(dst, src, length);
    memset(dst + length, 0, n - length);
    return dst;
}

char *strcat(char *restrict dst, const char *restrict src)
{
    strcpy(dst + strlen(dst), src);
    return dst;
}

char *strncat(char *restrict dst, const char *restrict src, size_t n)
{
    size_t length = strnlen(src, n);
    char *end = dst + strlen(dst);

    memcpy(end, src, length);
    end[length] = '\0';
    return dst;
}
