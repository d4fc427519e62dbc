/*
 * How to power off: the package \_S5_ in the AML of DSDT or SSDT, found by its
 * bytes, because there is no interpreter. Pure; any context. ACPI 6.4, 7.4.2.5
 * (the package), 20.2.4 and 20.2.5 (its encoding).
 */
#include <errno.h>
#include <string.h>

#include "acpi_parse.h"

#define AML_ZERO    0x00
#define AML_ONE     0x01
#define AML_NAME    0x08
#define AML_BYTE    0x0a
#define AML_WORD    0x0b
#define AML_DWORD   0x0c
#define AML_PACKAGE 0x12
#define AML_ROOT    0x5c /* '\' */
#define SLP_TYP_MAX 7
#define NAME_SIZE   4

/* A place in AML that never moves past its end. */
struct cursor {
    const uint8_t *at, *end;
};

static bool next(struct cursor *c, uint8_t *byte)
{
    if (c->at == c->end)
        return false;
    *byte = *c->at++;
    return true;
}

/* PkgLength: the two high bits of the first byte count the bytes that follow.
 * Cuts the cursor to the package. */
static bool enter_package(struct cursor *c)
{
    const uint8_t *start = c->at;
    uint8_t lead, byte;
    size_t length;

    if (!next(c, &lead))
        return false;
    length = lead >> 6 ? lead & 0x0f : lead & 0x3f;
    for (unsigned i = 0; i < (unsigned)lead >> 6; i++) {
        if (!next(c, &byte))
            return false;
        length |= (size_t)byte << (4 + 8 * i);
    }
    if (length > (size_t)(c->end - start) || start + length < c->at)
        return false;
    c->end = start + length;
    return true;
}

static bool read_integer(struct cursor *c, uint32_t *value)
{
    uint8_t op;
    size_t width;

    if (!next(c, &op))
        return false;
    *value = op;
    if (op == AML_ZERO || op == AML_ONE)
        return true;
    width = op == AML_BYTE ? 1 : op == AML_WORD ? 2 : op == AML_DWORD ? 4 : 0;
    if (!width || width > (size_t)(c->end - c->at))
        return false;
    *value = (uint32_t)acpi_field(c->at, width, 0, width);
    c->at += width;
    return true;
}

/* `c` stands behind the name. */
static bool read_package(struct cursor c, struct acpi_s5 *out)
{
    uint32_t a, b;
    uint8_t op, count;

    if (!next(&c, &op) || op != AML_PACKAGE || !enter_package(&c) ||
        !next(&c, &count) || count < 1 || !read_integer(&c, &a))
        return false;
    /* Firmware with one register gives one element at times. */
    if (count < 2 || !read_integer(&c, &b))
        b = a;
    if (a > SLP_TYP_MAX || b > SLP_TYP_MAX)
        return false;
    *out = (struct acpi_s5){.type_a = (uint8_t)a, .type_b = (uint8_t)b};
    return true;
}

int acpi_find_s5(const uint8_t *aml, size_t size, struct acpi_s5 *out)
{
    for (size_t i = 1; i + NAME_SIZE < size; i++) {
        struct cursor c = {aml + i + NAME_SIZE, aml + size};

        if (memcmp(aml + i, "_S5_", NAME_SIZE) != 0)
            continue;
        if (aml[i - 1] != AML_NAME &&
            !(i >= 2 && aml[i - 1] == AML_ROOT && aml[i - 2] == AML_NAME))
            continue;
        if (read_package(c, out))
            return 0;
    }
    return -ENOENT;
}
