/*
 * What the fuzz targets share: a check that ends the run with its text, input
 * taken in pieces, and blocks of exactly the input's length, so that the
 * address sanitizer sees a read past the end.
 */
#ifndef RAYOS_TEST_FUZZ_H
#define RAYOS_TEST_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(cond)                                                       \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #cond); \
            abort();                                                           \
        }                                                                      \
    } while (0)

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

/* Zeroes when there is no more. */
static inline void fuzz_take(struct fuzz_input *in, void *out, size_t size)
{
    size_t n = size < in->left ? size : in->left;

    memset(out, 0, size);
    if (n)
        memcpy(out, in->at, n);
    in->at += n;
    in->left -= n;
}

static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
    uint8_t b;

    fuzz_take(in, &b, 1);
    return b;
}

/* A copy on the heap, of that length and not a byte more. */
static inline void *fuzz_copy(const void *data, size_t size)
{
    void *p = malloc(size ? size : 1);

    if (size)
        memcpy(p, data, size);
    return p;
}

/* The bytes up to a NUL, or all that is left, as a string on the heap. */
static inline char *fuzz_text(struct fuzz_input *in)
{
    const uint8_t *nul = in->left ? memchr(in->at, 0, in->left) : NULL;
    size_t n = nul ? (size_t)(nul - in->at) : in->left;
    char *text = malloc(n + 1);

    if (n)
        memcpy(text, in->at, n);
    text[n] = '\0';
    in->at += nul ? n + 1 : n;
    in->left -= nul ? n + 1 : n;
    return text;
}

#endif
