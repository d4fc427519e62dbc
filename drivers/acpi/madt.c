/*
 * The multiple APIC description table: CPUs, I/O APICs, ISA overrides. Pure;
 * any context. ACPI 6.4, 5.2.12.
 */
#include <errno.h>

#include <rayos/irq.h>

#include "acpi_parse.h"

#define MADT_LAPIC_BASE 36
#define MADT_FLAGS      40
#define MADT_ENTRIES    44
#define FLAG_PCAT       1u /* 8259s are there too */

/* Entries: type, length, then the fields at these offsets. */
#define ENTRY_LAPIC         0
#define ENTRY_IOAPIC        1
#define ENTRY_OVERRIDE      2
#define ENTRY_LAPIC_ADDRESS 5
#define ENTRY_X2APIC        9
#define LAPIC_LENGTH        8
#define LAPIC_ID            3
#define LAPIC_FLAGS         4
#define IOAPIC_LENGTH       12
#define IOAPIC_ID           2
#define IOAPIC_ADDRESS      4
#define IOAPIC_GSI          8
#define OVERRIDE_LENGTH     10
#define OVERRIDE_BUS        2
#define OVERRIDE_SOURCE     3
#define OVERRIDE_GSI        4
#define OVERRIDE_FLAGS      8
#define ADDRESS_LENGTH      12
#define ADDRESS_BASE        4
#define X2APIC_LENGTH       16
#define X2APIC_ID           4
#define X2APIC_FLAGS        8
#define CPU_ENABLED         1u
#define ISA_LINES           16
#define LAPIC_ALIGNMENT     4096
#define IOAPIC_ALIGNMENT    256 /* 82093AA data sheet, 3.0: FECx xy00h */
#define ADDRESS_LIMIT       (UINT64_C(1) << 52) /* of x86-64 */
#define XAPIC_BROADCAST     0xff
#define X2APIC_BROADCAST    0xffffffff
/* MPS INTI flags, table 5.26. */
#define INTI_POLARITY(flags) ((flags)&3)
#define INTI_TRIGGER(flags)  ((flags) >> 2 & 3)
#define INTI_LOW             3
#define INTI_LEVEL           3

static void add_cpu(struct acpi_info *out, uint32_t apic_id, uint32_t flags)
{
    if (!(flags & CPU_ENABLED) || out->cpu_count == MAX_CPUS)
        return;
    for (uint32_t i = 0; i < out->cpu_count; i++)
        if (out->cpu_apic_id[i] == apic_id)
            return; /* listed as both kinds of entry, or twice */
    out->cpu_apic_id[out->cpu_count++] = apic_id;
}

/* An address that cannot be leaves the one that is known. */
static void set_lapic(struct acpi_info *out, phys_t base)
{
    if (base && base % LAPIC_ALIGNMENT == 0 && base < ADDRESS_LIMIT)
        out->lapic_base = base;
}

static void add_ioapic(struct acpi_info *out, const uint8_t *entry, size_t size)
{
    phys_t base = acpi_field(entry, size, IOAPIC_ADDRESS, 4);

    if (!base || base % IOAPIC_ALIGNMENT ||
        out->ioapic_count == ACPI_MAX_IOAPICS)
        return;
    out->ioapic[out->ioapic_count++] = (struct acpi_ioapic){
        .id = entry[IOAPIC_ID],
        .gsi_base = (uint32_t)acpi_field(entry, size, IOAPIC_GSI, 4),
        .base = base,
    };
}

/* ISA is edge and active high where the flags say "as the bus". */
static void add_override(struct acpi_info *out, const uint8_t *entry,
                         size_t size)
{
    uint32_t inti = (uint32_t)acpi_field(entry, size, OVERRIDE_FLAGS, 2);
    uint32_t flags = 0;

    if (entry[OVERRIDE_BUS] != 0 || entry[OVERRIDE_SOURCE] >= ISA_LINES ||
        out->override_count == ACPI_MAX_OVERRIDES)
        return;
    if (INTI_POLARITY(inti) == INTI_LOW)
        flags |= IRQ_ACTIVE_LOW;
    if (INTI_TRIGGER(inti) == INTI_LEVEL)
        flags |= IRQ_LEVEL;
    out->override[out->override_count++] = (struct acpi_override){
        .isa_line = entry[OVERRIDE_SOURCE],
        .gsi = (uint32_t)acpi_field(entry, size, OVERRIDE_GSI, 4),
        .flags = flags,
    };
}

static void parse_entry(struct acpi_info *out, const uint8_t *e, size_t size)
{
    uint64_t id;

    switch (e[0]) {
    case ENTRY_LAPIC:
        if (size >= LAPIC_LENGTH && e[LAPIC_ID] != XAPIC_BROADCAST)
            add_cpu(out, e[LAPIC_ID],
                    (uint32_t)acpi_field(e, size, LAPIC_FLAGS, 4));
        break;
    case ENTRY_X2APIC:
        id = acpi_field(e, size, X2APIC_ID, 4);
        if (size >= X2APIC_LENGTH && id != X2APIC_BROADCAST)
            add_cpu(out, (uint32_t)id,
                    (uint32_t)acpi_field(e, size, X2APIC_FLAGS, 4));
        break;
    case ENTRY_IOAPIC:
        if (size >= IOAPIC_LENGTH)
            add_ioapic(out, e, size);
        break;
    case ENTRY_OVERRIDE:
        if (size >= OVERRIDE_LENGTH)
            add_override(out, e, size);
        break;
    case ENTRY_LAPIC_ADDRESS:
        if (size >= ADDRESS_LENGTH)
            set_lapic(out, acpi_field(e, size, ADDRESS_BASE, 8));
        break;
    }
}

int acpi_parse_madt(const void *table, size_t size, struct acpi_info *out)
{
    const uint8_t *bytes = table;
    size_t length, at = MADT_ENTRIES;

    if (!acpi_table_ok(table, size, "APIC"))
        return -EINVAL;
    length = ((const struct acpi_header *)table)->length;
    if (length < MADT_ENTRIES)
        return -EINVAL;
    set_lapic(out, acpi_field(table, length, MADT_LAPIC_BASE, 4));
    out->has_pic = acpi_field(table, length, MADT_FLAGS, 4) & FLAG_PCAT;
    while (length - at >= 2) {
        size_t entry = bytes[at + 1];

        /* An entry of no length would be read for ever; one that sticks out
         * ends the table. What was read before stays good. */
        if (entry < 2 || entry > length - at)
            break;
        parse_entry(out, bytes + at, entry);
        at += entry;
    }
    return 0;
}
