/*
 * The AML writer. Lengths are written in their three-byte form, which is right
 * for everything below a megabyte, when their end is known. Pure.
 */
#include <string.h>

#include "vmm/devices/aml.h"

#define OP_ZERO    0x00
#define OP_ONE     0x01
#define OP_NAME    0x08
#define OP_BYTE    0x0a
#define OP_DWORD   0x0c
#define OP_STRING  0x0d
#define OP_SCOPE   0x10
#define OP_BUFFER  0x11
#define OP_PACKAGE 0x12
#define OP_EXT     0x5b
#define OP_DEVICE  0x82

#define LENGTH_BYTES 3
#define LENGTH_LEAD  0x80 /* two more bytes follow */

#define RESOURCE_IRQ       0x22
#define RESOURCE_IO        0x47
#define RESOURCE_END       0x79
#define RESOURCE_MEMORY32  0x86
#define RESOURCE_INTERRUPT 0x89
#define MEMORY32_WRITABLE  1
#define INTERRUPT_CONSUMER 1
#define IO_DECODE16        1

void aml_byte(struct aml *a, uint8_t v)
{
    if (a->used < a->size)
        a->data[a->used++] = v;
    else
        a->overflow = true;
}

void aml_u16(struct aml *a, uint16_t v)
{
    aml_byte(a, (uint8_t)v);
    aml_byte(a, (uint8_t)(v >> 8));
}

void aml_u32(struct aml *a, uint32_t v)
{
    aml_u16(a, (uint16_t)v);
    aml_u16(a, (uint16_t)(v >> 16));
}

static void text(struct aml *a, const char *s)
{
    while (*s)
        aml_byte(a, (uint8_t)*s++);
}

static void integer(struct aml *a, uint32_t v)
{
    if (v <= 1) {
        aml_byte(a, v ? OP_ONE : OP_ZERO);
    } else if (v <= UINT8_MAX) {
        aml_byte(a, OP_BYTE);
        aml_byte(a, (uint8_t)v);
    } else {
        aml_byte(a, OP_DWORD);
        aml_u32(a, v);
    }
}

/* --- lengths --- */

static size_t begin(struct aml *a)
{
    size_t mark = a->used;

    for (unsigned i = 0; i < LENGTH_BYTES; i++)
        aml_byte(a, 0);
    return mark;
}

void aml_end(struct aml *a, size_t mark)
{
    size_t length = a->used - mark;

    if (a->overflow)
        return;
    a->data[mark] = (uint8_t)(LENGTH_LEAD | (length & 0xf));
    a->data[mark + 1] = (uint8_t)(length >> 4);
    a->data[mark + 2] = (uint8_t)(length >> 12);
}

size_t aml_begin_scope(struct aml *a, const char *name)
{
    size_t mark;

    aml_byte(a, OP_SCOPE);
    mark = begin(a);
    text(a, name);
    return mark;
}

size_t aml_begin_device(struct aml *a, const char name[4])
{
    size_t mark;

    aml_byte(a, OP_EXT);
    aml_byte(a, OP_DEVICE);
    mark = begin(a);
    for (unsigned i = 0; i < 4; i++)
        aml_byte(a, (uint8_t)name[i]);
    return mark;
}

/* --- names --- */

static void name_op(struct aml *a, const char *name)
{
    aml_byte(a, OP_NAME);
    text(a, name);
}

void aml_name_integer(struct aml *a, const char *name, uint32_t v)
{
    name_op(a, name);
    integer(a, v);
}

void aml_name_string(struct aml *a, const char *name, const char *s)
{
    name_op(a, name);
    aml_byte(a, OP_STRING);
    text(a, s);
    aml_byte(a, 0);
}

static uint8_t hex(char c)
{
    return (uint8_t)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* Three letters of five bits, then four digits, big end first (19.3.4). */
void aml_name_eisa(struct aml *a, const char *name, const char id[7])
{
    unsigned letters = (unsigned)(id[0] - '@') << 10 |
                       (unsigned)(id[1] - '@') << 5 | (unsigned)(id[2] - '@');

    name_op(a, name);
    aml_byte(a, OP_DWORD);
    aml_byte(a, (uint8_t)(letters >> 8));
    aml_byte(a, (uint8_t)letters);
    aml_byte(a, (uint8_t)(hex(id[3]) << 4 | hex(id[4])));
    aml_byte(a, (uint8_t)(hex(id[5]) << 4 | hex(id[6])));
}

void aml_name_package(struct aml *a, const char *name, const uint8_t *bytes,
                      unsigned count)
{
    size_t mark;

    name_op(a, name);
    aml_byte(a, OP_PACKAGE);
    mark = begin(a);
    aml_byte(a, (uint8_t)count);
    for (unsigned i = 0; i < count; i++)
        integer(a, bytes[i]);
    aml_end(a, mark);
}

/* --- resources --- */

/* A buffer's size stands before its bytes: a fixed form that is filled in. */
size_t aml_begin_resources(struct aml *a)
{
    size_t mark;

    name_op(a, "_CRS");
    aml_byte(a, OP_BUFFER);
    mark = begin(a);
    aml_byte(a, OP_DWORD);
    aml_u32(a, 0);
    return mark;
}

void aml_end_resources(struct aml *a, size_t mark)
{
    size_t at = mark + LENGTH_BYTES + 1, end;

    aml_byte(a, RESOURCE_END);
    aml_byte(a, 0); /* no checksum */
    end = a->used;
    if (!a->overflow) {
        a->used = at;
        aml_u32(a, (uint32_t)(end - at - 4));
        a->used = end;
    }
    aml_end(a, mark);
}

void aml_resource_memory32(struct aml *a, uint32_t base, uint32_t length)
{
    aml_byte(a, RESOURCE_MEMORY32);
    aml_u16(a, 9);
    aml_byte(a, MEMORY32_WRITABLE);
    aml_u32(a, base);
    aml_u32(a, length);
}

void aml_resource_interrupt(struct aml *a, uint32_t gsi)
{
    aml_byte(a, RESOURCE_INTERRUPT);
    aml_u16(a, 6);
    aml_byte(a, INTERRUPT_CONSUMER);
    aml_byte(a, 1);
    aml_u32(a, gsi);
}

void aml_resource_io(struct aml *a, uint16_t base, uint8_t length)
{
    aml_byte(a, RESOURCE_IO);
    aml_byte(a, IO_DECODE16);
    aml_u16(a, base);
    aml_u16(a, base);
    aml_byte(a, 1);
    aml_byte(a, length);
}

void aml_resource_irq(struct aml *a, unsigned line)
{
    aml_byte(a, RESOURCE_IRQ);
    aml_u16(a, (uint16_t)(1u << line));
}
