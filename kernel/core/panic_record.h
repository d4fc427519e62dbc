/* The panic record as bytes in memory that survives a warm reset. Pure. */
#ifndef CORE_PANIC_RECORD_H
#define CORE_PANIC_RECORD_H

#include <stddef.h>
#include <stdint.h>

/* "RYSPANIC" */
#define PANIC_RECORD_MAGIC UINT64_C(0x43494e4150535952)

struct panic_record {
    uint64_t magic;
    uint32_t length; /* bytes of text */
    uint32_t crc;    /* CRC-32 of the text */
    char text[];
};

/* Start an empty record in `size` bytes at `region`, or NULL when they do not
 * hold one. */
struct panic_record *panic_record_begin(void *region, size_t size);
/* Add text; what does not fit is dropped. The record is complete after every
 * call: the panic may die at any moment. `size` as above. */
void panic_record_append(struct panic_record *r, size_t size, const char *text,
                         size_t length);
/* The record at `region`; NULL when there is none or it is damaged. */
const struct panic_record *panic_record_check(const void *region, size_t size);
/* Forget it. */
void panic_record_clear(void *region, size_t size);

#endif
