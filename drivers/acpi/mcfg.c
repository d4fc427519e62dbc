/*
 * The table of memory-mapped configuration spaces. Pure; any context. PCI
 * Firmware Specification 3.2, 4.1.2.
 */
#include <errno.h>

#include "acpi_parse.h"

#define MCFG_ENTRIES  44
#define ENTRY_SIZE    16
#define ENTRY_BASE    0 /* of bus 0, whichever bus is the first */
#define ENTRY_SEGMENT 8
#define ENTRY_FIRST   10
#define ENTRY_LAST    11
#define BUS_SHIFT     20
#define ADDRESS_LIMIT (UINT64_C(1) << 52) /* of x86-64 */

static bool entry_ok(const struct acpi_ecam *e)
{
    uint64_t size = ((uint64_t)e->last_bus + 1) << BUS_SHIFT;

    return e->base && e->base % (1u << BUS_SHIFT) == 0 &&
           e->first_bus <= e->last_bus && e->base <= ADDRESS_LIMIT - size;
}

/* One segment that is told twice is as good as none. */
static bool overlaps(const struct acpi_info *info, const struct acpi_ecam *e)
{
    for (uint32_t i = 0; i < info->ecam_count; i++)
        if (info->ecam[i].segment == e->segment &&
            info->ecam[i].first_bus <= e->last_bus &&
            e->first_bus <= info->ecam[i].last_bus)
            return true;
    return false;
}

int acpi_parse_mcfg(const void *table, size_t size, struct acpi_info *out)
{
    size_t length;

    if (!acpi_table_ok(table, size, "MCFG"))
        return -EINVAL;
    length = ((const struct acpi_header *)table)->length;
    for (size_t at = MCFG_ENTRIES; at <= length && length - at >= ENTRY_SIZE &&
                                   out->ecam_count < ACPI_MAX_ECAMS;
         at += ENTRY_SIZE) {
        struct acpi_ecam e = {
            .base = acpi_field(table, length, at + ENTRY_BASE, 8),
            .segment = (uint16_t)acpi_field(table, length, at + ENTRY_SEGMENT,
                                            2),
            .first_bus = (uint8_t)acpi_field(table, length, at + ENTRY_FIRST,
                                             1),
            .last_bus = (uint8_t)acpi_field(table, length, at + ENTRY_LAST, 1),
        };

        if (entry_ok(&e) && !overlaps(out, &e))
            out->ecam[out->ecam_count++] = e;
    }
    return out->ecam_count ? 0 : -ENODEV;
}
