/* sources: vmm/devices/acpi_tables.c vmm/devices/aml.c */
/*
 * The guest's ACPI tables: structure and checksums, and what iasl makes of the
 * DSDT is looked at by tests/machine.
 */
#include <errno.h>

#include "check.h"

#include "../../vmm/devices/acpi_tables.h"
#include "../../vmm/devices/aml.h"

static uint8_t out[16384];
static size_t used;

static uint64_t get(size_t at, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (uint64_t)out[at + i] << 8 * i;
    return v;
}

static uint8_t sum(size_t at, size_t n)
{
    uint8_t s = 0;

    for (size_t i = 0; i < n; i++)
        s += out[at + i];
    return s;
}

static void build(unsigned cpus, unsigned virtio)
{
    struct acpi_machine m = {.cpus = cpus, .uarts = 2, .virtio_count = virtio};

    for (unsigned i = 0; i < virtio; i++) {
        m.virtio[i].base = 0xd0000000 + i * 0x200;
        m.virtio[i].gsi = 16 + i % 8;
    }
    memset(out, 0xcc, sizeof(out));
    CHECK_EQ(acpi_tables_build(&m, ACPI_TABLES_BASE, out, sizeof(out), &used),
             0);
}

/* Offset of a table, through RSDP and XSDT as a system finds it; 0: none. */
static size_t find(const char *signature)
{
    size_t xsdt = get(24, 8) - ACPI_TABLES_BASE;

    for (size_t at = xsdt + 36; at < xsdt + get(xsdt + 4, 4); at += 8) {
        size_t table = get(at, 8) - ACPI_TABLES_BASE;

        if (!memcmp(out + table, signature, 4))
            return table;
    }
    return 0;
}

TEST(every_table_has_its_length_and_a_checksum_of_zero)
{
    build(2, 5);
    CHECK(!memcmp(out, "RSD PTR ", 8));
    CHECK_EQ(sum(0, 20), 0);
    CHECK_EQ(sum(0, 36), 0);
    for (const char *s = "FACPAPICHPET"; *s; s += 4) {
        size_t at = find(s);

        CHECK(at != 0);
        CHECK(at + get(at + 4, 4) <= used);
        CHECK_EQ(sum(at, get(at + 4, 4)), 0);
    }
    size_t dsdt = get(find("FACP") + 140, 8) - ACPI_TABLES_BASE;

    CHECK(!memcmp(out + dsdt, "DSDT", 4));
    CHECK_EQ(sum(dsdt, get(dsdt + 4, 4)), 0);
    CHECK_EQ(get(find("FACP") + 40, 4), dsdt + ACPI_TABLES_BASE);
    size_t facs = get(find("FACP") + 36, 4) - ACPI_TABLES_BASE;

    CHECK(!memcmp(out + facs, "FACS", 4));
    CHECK_EQ(facs % 64, 0);
}

TEST(the_madt_lists_every_cpu)
{
    unsigned cpus = 0, ioapics = 0;
    size_t madt;

    build(5, 0);
    madt = find("APIC");
    for (size_t at = madt + 44; at < madt + get(madt + 4, 4);
         at += out[at + 1]) {
        CHECK(out[at + 1] >= 6);
        cpus += out[at] == 0;
        ioapics += out[at] == 1;
    }
    CHECK_EQ(cpus, 5);
    CHECK_EQ(ioapics, 1);
}

TEST(virtio_devices_say_where_they_are)
{
    static const uint8_t last[] = {0x86, 9, 0,    1,  0x00, 0x3e, 0,
                                   0xd0, 0, 0x02, 0,  0,    0x89, 6,
                                   0,    1, 1,    23, 0,    0,    0};
    bool found = false;

    build(1, ACPI_VIRTIO_MAX);
    for (size_t at = 0; at + sizeof(last) < used; at++)
        found |= !memcmp(out + at, last, sizeof(last));
    CHECK(found);
}

TEST(lengths_cover_what_they_contain)
{
    uint8_t bytes[64];
    struct aml a = {.data = bytes, .size = sizeof(bytes)};
    size_t scope = aml_begin_scope(&a, "\\_SB_");

    aml_name_integer(&a, "_UID", 300);
    aml_end(&a, scope);
    CHECK_EQ(bytes[0], 0x10);
    CHECK_EQ((bytes[1] & 0xf) | bytes[2] << 4 | bytes[3] << 12, a.used - 1);
    aml_name_eisa(&a, "_HID", "PNP0501");
    CHECK(!memcmp(bytes + a.used - 4, "\x41\xd0\x05\x01", 4));
}

TEST(what_does_not_fit_or_is_not_there_is_refused)
{
    struct acpi_machine m = {.cpus = 1, .virtio_count = 32};
    static uint8_t small[100];

    for (size_t n = 0; n < sizeof(small); n++)
        CHECK_EQ(acpi_tables_build(&m, ACPI_TABLES_BASE, small, n, &used),
                 -ENOSPC);
    CHECK_EQ(acpi_tables_build(&m, 8, out, sizeof(out), &used), -EINVAL);
    m.cpus = 0;
    CHECK_EQ(acpi_tables_build(&m, 0, out, sizeof(out), &used), -EINVAL);
    m.cpus = 1;
    m.virtio_count = ACPI_VIRTIO_MAX + 1;
    CHECK_EQ(acpi_tables_build(&m, 0, out, sizeof(out), &used), -EINVAL);
}

CHECK_MAIN
