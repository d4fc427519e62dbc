/*
 * ACPI tables: checksums, bounds, the root pointer and the root table. Pure;
 * any context. ACPI 6.4, 5.2.5 to 5.2.8.
 */
#include <errno.h>
#include <string.h>

#include "acpi_parse.h"

#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_REVISION  15
#define RSDP_RSDT      16
#define RSDP_LENGTH    20
#define RSDP_XSDT      24

bool acpi_checksum_ok(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    uint8_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum == 0;
}

uint64_t acpi_field(const void *data, size_t size, size_t offset, size_t width)
{
    const uint8_t *bytes = data;
    uint64_t value = 0;

    if (offset > size || width > size - offset)
        return 0;
    for (size_t i = 0; i < width; i++)
        value |= (uint64_t)bytes[offset + i] << 8 * i;
    return value;
}

bool acpi_table_ok(const void *table, size_t size, const char signature[4])
{
    const struct acpi_header *h = table;

    return size >= sizeof(*h) && memcmp(h->signature, signature, 4) == 0 &&
           h->length >= sizeof(*h) && h->length <= size &&
           acpi_checksum_ok(table, h->length);
}

int acpi_parse_rsdp(const void *data, size_t size, struct acpi_root *out)
{
    uint64_t length, rsdt, xsdt;

    if (size < ACPI_RSDP_SIZE_MIN || memcmp(data, RSDP_SIGNATURE, 8) != 0 ||
        !acpi_checksum_ok(data, ACPI_RSDP_SIZE_MIN))
        return -EINVAL;
    rsdt = acpi_field(data, size, RSDP_RSDT, 4);
    *out = (struct acpi_root){.address = rsdt, .extended = false};
    if (acpi_field(data, size, RSDP_REVISION, 1) >= 2) {
        length = acpi_field(data, size, RSDP_LENGTH, 4);
        xsdt = acpi_field(data, size, RSDP_XSDT, 8);
        if (xsdt && length >= ACPI_RSDP_SIZE_MAX && length <= size &&
            acpi_checksum_ok(data, length))
            *out = (struct acpi_root){.address = xsdt, .extended = true};
    }
    return out->address ? 0 : -EINVAL;
}

size_t acpi_root_count(const void *table, size_t size, bool extended)
{
    const struct acpi_header *h = table;

    if (!acpi_table_ok(table, size, extended ? "XSDT" : "RSDT"))
        return 0;
    return (h->length - sizeof(*h)) / (extended ? 8 : 4);
}

phys_t acpi_root_entry(const void *table, size_t size, bool extended,
                       size_t index)
{
    size_t width = extended ? 8 : 4;

    if (index >= acpi_root_count(table, size, extended))
        return 0;
    return acpi_field(table, size, sizeof(struct acpi_header) + index * width,
                      width);
}
