/*
 * The guest's ACPI tables. Each is appended to one buffer and gets its length
 * and checksum when it is complete. Pure.
 */
#include <errno.h>
#include <string.h>

#include "vmm/devices/acpi_tables.h"
#include "vmm/devices/aml.h"
#include "vmm/devices/hpet.h"
#include "vmm/devices/ioapic.h"
#include "vmm/devices/irqchip.h"
#include "vmm/devices/lapic.h"
#include "vmm/devices/power.h"

#define HEADER_SIZE     36
#define HEADER_LENGTH   4
#define HEADER_CHECKSUM 9
#define RSDP_SIZE       36
#define RSDP_V1_SIZE    20
#define FADT_SIZE       276
#define FACS_SIZE       64
#define OEM_ID          "RAYOS "
#define OEM_TABLE_ID    "RAYOSVM "

/* FADT offsets, ACPI 6.4 table 5.9 */
enum {
    FADT_FACS = 36,
    FADT_DSDT = 40,
    FADT_SCI = 46,
    FADT_PM1_EVENT = 56,
    FADT_PM1_CONTROL = 64,
    FADT_PM_TIMER = 76,
    FADT_PM1_EVENT_LENGTH = 88,
    FADT_PM1_CONTROL_LENGTH = 89,
    FADT_PM_TIMER_LENGTH = 91,
    FADT_C2_LATENCY = 96,
    FADT_C3_LATENCY = 98,
    FADT_CENTURY = 108,
    FADT_BOOT_FLAGS = 109,
    FADT_FLAGS = 112,
    FADT_RESET_REGISTER = 116,
    FADT_RESET_VALUE = 128,
    FADT_MINOR = 131,
    FADT_X_DSDT = 140,
    FADT_X_PM1_EVENT = 148,
    FADT_X_PM1_CONTROL = 172,
    FADT_X_PM_TIMER = 208,
};

#define C2_NONE              101  /* above 100 us: not there */
#define C3_NONE              1001 /* above 1000 us: not there */
#define BOOT_LEGACY_DEVICES  (1u << 0)
#define BOOT_NO_VGA          (1u << 2)
#define FLAG_WBINVD          (1u << 0)
#define FLAG_C1              (1u << 2)
#define FLAG_NO_SLEEP_BUTTON (1u << 5)
#define FLAG_NO_RTC_WAKE     (1u << 6)
#define FLAG_TIMER_32BIT     (1u << 8)
#define FLAG_RESET_REGISTER  (1u << 10)
#define RTC_CENTURY_INDEX    0x32

#define SPACE_MEMORY 0
#define SPACE_IO     1

#define MADT_HAS_PIC    1
#define MADT_LAPIC      0
#define MADT_IOAPIC     1
#define MADT_OVERRIDE   2
#define MADT_NMI        4
#define MADT_ENABLED    1
#define MADT_LEVEL_HIGH 0x0d
#define ALL_CPUS        0xff

struct builder {
    struct aml bytes; /* the buffer that all tables are written to */
    gpa_t base;
};

static uint8_t checksum(const uint8_t *p, size_t n)
{
    uint8_t sum = 0;

    while (n--)
        sum += *p++;
    return (uint8_t)-sum;
}

static void put(struct builder *b, const void *data, size_t n)
{
    const uint8_t *p = data;

    while (n--)
        aml_byte(&b->bytes, *p++);
}

static void zeros(struct builder *b, size_t n)
{
    while (n--)
        aml_byte(&b->bytes, 0);
}

static void align(struct builder *b, size_t to)
{
    zeros(b, (to - b->bytes.used % to) % to);
}

static void patch(struct builder *b, size_t at, uint64_t value, unsigned size)
{
    if (b->bytes.overflow)
        return;
    for (unsigned i = 0; i < size; i++)
        b->bytes.data[at + i] = (uint8_t)(value >> 8 * i);
}

/* --- tables: offset of its start --- */

static size_t begin_table(struct builder *b, const char signature[4],
                          uint8_t revision)
{
    size_t start;

    align(b, 16);
    start = b->bytes.used;
    put(b, signature, 4);
    aml_u32(&b->bytes, 0); /* length */
    aml_byte(&b->bytes, revision);
    aml_byte(&b->bytes, 0); /* checksum */
    put(b, OEM_ID, 6);
    put(b, OEM_TABLE_ID, 8);
    aml_u32(&b->bytes, 1); /* OEM revision */
    put(b, "RAYS", 4);
    aml_u32(&b->bytes, 1);
    return start;
}

static void end_table(struct builder *b, size_t start)
{
    size_t length = b->bytes.used - start;

    patch(b, start + HEADER_LENGTH, length, 4);
    if (!b->bytes.overflow)
        b->bytes.data[start + HEADER_CHECKSUM] = checksum(b->bytes.data + start,
                                                          length);
}

static void device_virtio(struct aml *a, const struct acpi_machine *m,
                          unsigned i)
{
    const char name[4] = {'V', 'R', (char)('0' + i / 10), (char)('0' + i % 10)};
    size_t device = aml_begin_device(a, name), resources;

    aml_name_string(a, "_HID", "LNRO0005");
    aml_name_integer(a, "_UID", i);
    aml_name_integer(a, "_CCA", 1);
    resources = aml_begin_resources(a);
    aml_resource_memory32(a, m->virtio[i].base, ACPI_VIRTIO_SIZE);
    aml_resource_interrupt(a, m->virtio[i].gsi);
    aml_end_resources(a, resources);
    aml_end(a, device);
}

static void device_isa(struct aml *a, const char name[4], const char *id,
                       unsigned uid, uint16_t port, uint8_t ports, unsigned irq)
{
    size_t device = aml_begin_device(a, name), resources;

    aml_name_eisa(a, "_HID", id);
    aml_name_integer(a, "_UID", uid);
    resources = aml_begin_resources(a);
    aml_resource_io(a, port, ports);
    aml_resource_irq(a, irq);
    aml_end_resources(a, resources);
    aml_end(a, device);
}

static size_t build_dsdt(struct builder *b, const struct acpi_machine *m)
{
    static const uint8_t s5[] = {POWER_SLEEP_S5, POWER_SLEEP_S5, 0, 0};
    static const uint16_t uart_ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    size_t start = begin_table(b, "DSDT", 2), scope;
    struct aml *a = &b->bytes;

    aml_name_package(a, "\\_S5_", s5, sizeof(s5));
    scope = aml_begin_scope(a, "\\_SB_");
    for (unsigned i = 0; i < m->virtio_count; i++)
        device_virtio(a, m, i);
    for (unsigned i = 0; i < m->uarts && i < 4; i++) {
        const char name[4] = {'C', 'O', 'M', (char)('1' + i)};

        device_isa(a, name, "PNP0501", i + 1, uart_ports[i], 8, i & 1 ? 3 : 4);
    }
    device_isa(a, "RTC_", "PNP0B00", 0, 0x70, 2, 8);
    aml_end(a, scope);
    end_table(b, start);
    return start;
}

static size_t build_facs(struct builder *b)
{
    size_t start;

    align(b, 64);
    start = b->bytes.used;
    put(b, "FACS", 4);
    aml_u32(&b->bytes, FACS_SIZE);
    zeros(b, FACS_SIZE - 8);
    patch(b, start + 32, 2, 1); /* version */
    return start;
}

/* A generic address structure, ACPI 6.4 5.2.3.2. */
static void patch_address(struct builder *b, size_t at, uint8_t space,
                          uint8_t bytes, uint64_t address)
{
    patch(b, at, space, 1);
    patch(b, at + 1, bytes * 8u, 1);
    patch(b, at + 3, bytes == 4 ? 3 : bytes, 1); /* access size */
    patch(b, at + 4, address, 8);
}

static size_t build_fadt(struct builder *b, gpa_t facs, gpa_t dsdt)
{
    size_t start = begin_table(b, "FACP", 6);

    zeros(b, FADT_SIZE - HEADER_SIZE);
    patch(b, start + FADT_FACS, facs, 4);
    patch(b, start + FADT_DSDT, dsdt, 4);
    patch(b, start + FADT_SCI, POWER_SCI_GSI, 2);
    patch(b, start + FADT_PM1_EVENT, POWER_PM1_EVENT, 4);
    patch(b, start + FADT_PM1_CONTROL, POWER_PM1_CONTROL, 4);
    patch(b, start + FADT_PM_TIMER, POWER_PM_TIMER, 4);
    patch(b, start + FADT_PM1_EVENT_LENGTH, 4, 1);
    patch(b, start + FADT_PM1_CONTROL_LENGTH, 2, 1);
    patch(b, start + FADT_PM_TIMER_LENGTH, 4, 1);
    patch(b, start + FADT_C2_LATENCY, C2_NONE, 2);
    patch(b, start + FADT_C3_LATENCY, C3_NONE, 2);
    patch(b, start + FADT_CENTURY, RTC_CENTURY_INDEX, 1);
    patch(b, start + FADT_BOOT_FLAGS, BOOT_LEGACY_DEVICES | BOOT_NO_VGA, 2);
    patch(b, start + FADT_FLAGS,
          FLAG_WBINVD | FLAG_C1 | FLAG_NO_SLEEP_BUTTON | FLAG_NO_RTC_WAKE |
              FLAG_TIMER_32BIT | FLAG_RESET_REGISTER,
          4);
    patch_address(b, start + FADT_RESET_REGISTER, SPACE_IO, 1,
                  POWER_RESET_PORT);
    patch(b, start + FADT_RESET_VALUE, POWER_RESET_VALUE, 1);
    patch(b, start + FADT_MINOR, 4, 1);
    patch(b, start + FADT_X_DSDT, dsdt, 8);
    patch_address(b, start + FADT_X_PM1_EVENT, SPACE_IO, 4, POWER_PM1_EVENT);
    patch_address(b, start + FADT_X_PM1_CONTROL, SPACE_IO, 2,
                  POWER_PM1_CONTROL);
    patch_address(b, start + FADT_X_PM_TIMER, SPACE_IO, 4, POWER_PM_TIMER);
    end_table(b, start);
    return start;
}

static void madt_override(struct aml *a, uint8_t line, uint32_t gsi,
                          uint16_t flags)
{
    aml_byte(a, MADT_OVERRIDE);
    aml_byte(a, 10);
    aml_byte(a, 0); /* ISA */
    aml_byte(a, line);
    aml_u32(a, gsi);
    aml_u16(a, flags);
}

static size_t build_madt(struct builder *b, const struct acpi_machine *m)
{
    size_t start = begin_table(b, "APIC", 5);
    struct aml *a = &b->bytes;

    aml_u32(a, (uint32_t)LAPIC_BASE);
    aml_u32(a, MADT_HAS_PIC);
    for (uint32_t cpu = 0; cpu < m->cpus; cpu++) {
        aml_byte(a, MADT_LAPIC);
        aml_byte(a, 8);
        aml_byte(a, (uint8_t)cpu); /* ACPI's number */
        aml_byte(a, (uint8_t)cpu); /* APIC id */
        aml_u32(a, MADT_ENABLED);
    }
    aml_byte(a, MADT_IOAPIC);
    aml_byte(a, 12);
    aml_byte(a, 0); /* id */
    aml_byte(a, 0);
    aml_u32(a, (uint32_t)IOAPIC_BASE);
    aml_u32(a, 0); /* first GSI */
    madt_override(a, 0, IRQCHIP_PIT_PIN, 0);
    madt_override(a, POWER_SCI_GSI, POWER_SCI_GSI, MADT_LEVEL_HIGH);
    aml_byte(a, MADT_NMI);
    aml_byte(a, 6);
    aml_byte(a, ALL_CPUS);
    aml_u16(a, 0);
    aml_byte(a, 1); /* LINT1 */
    end_table(b, start);
    return start;
}

static size_t build_hpet(struct builder *b)
{
    size_t start = begin_table(b, "HPET", 1), at;

    aml_u32(&b->bytes, HPET_CAPABILITIES_LOW);
    at = b->bytes.used;
    zeros(b, 12);
    patch_address(b, at, SPACE_MEMORY, 8, HPET_BASE);
    patch(b, at + 3, 0, 1); /* access size is not used here */
    aml_byte(&b->bytes, 0); /* number */
    aml_u16(&b->bytes, 0);  /* smallest period without loss: not told */
    aml_byte(&b->bytes, 0); /* no page protection */
    end_table(b, start);
    return start;
}

static size_t build_xsdt(struct builder *b, const gpa_t *tables, unsigned count)
{
    size_t start = begin_table(b, "XSDT", 1);

    for (unsigned i = 0; i < count; i++) {
        aml_u32(&b->bytes, (uint32_t)tables[i]);
        aml_u32(&b->bytes, (uint32_t)(tables[i] >> 32));
    }
    end_table(b, start);
    return start;
}

/* ACPI 6.4 5.2.5.3; space for it was left at the start. */
static void build_rsdp(struct builder *b, gpa_t xsdt)
{
    uint8_t *p = b->bytes.data;

    memcpy(p, "RSD PTR ", 8);
    memcpy(p + 9, OEM_ID, 6);
    patch(b, 15, 2, 1); /* revision */
    patch(b, 20, RSDP_SIZE, 4);
    patch(b, 24, xsdt, 8);
    p[8] = checksum(p, RSDP_V1_SIZE);
    p[32] = checksum(p, RSDP_SIZE);
}

int acpi_tables_build(const struct acpi_machine *m, gpa_t at, uint8_t *out,
                      size_t size, size_t *used)
{
    struct builder b = {.bytes = {.data = out, .size = size}, .base = at};
    size_t facs, dsdt;
    gpa_t tables[3];

    if (at % 64 || !m->cpus || m->cpus > VM_CPUS_MAX ||
        m->virtio_count > ACPI_VIRTIO_MAX)
        return -EINVAL;
    zeros(&b, RSDP_SIZE);
    facs = build_facs(&b);
    dsdt = build_dsdt(&b, m);
    tables[0] = at + build_fadt(&b, at + facs, at + dsdt);
    tables[1] = at + build_madt(&b, m);
    tables[2] = at + build_hpet(&b);
    at += build_xsdt(&b, tables, 3);
    if (b.bytes.overflow)
        return -ENOSPC;
    build_rsdp(&b, at);
    *used = b.bytes.used;
    return 0;
}
