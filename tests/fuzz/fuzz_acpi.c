/* sources: drivers/acpi/check.c drivers/acpi/madt.c drivers/acpi/fadt.c
 * drivers/acpi/mcfg.c drivers/acpi/s5.c */
/*
 * Any bytes as an ACPI table. The first byte says which kind, and whether the
 * header gets the signature, length and checksum that chance does not find.
 */
#include "tests/fuzz/fuzz.h"

#include "drivers/acpi/acpi_parse.h"

#define REPAIR      0x80
#define LENGTH_AT   4
#define CHECKSUM_AT 9

enum kind { RSDP, RSDT, XSDT, MADT, FADT, HPET, S5, MCFG, KINDS };

static const char *const signatures[KINDS] = {
    [RSDT] = "RSDT", [XSDT] = "XSDT", [MADT] = "APIC",
    [FADT] = "FACP", [HPET] = "HPET", [MCFG] = "MCFG",
};

/* Make the byte at `at` what brings the sum to zero. */
static void checksum_repair(uint8_t *t, size_t size, size_t at)
{
    uint8_t sum = 0;

    t[at] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + t[i]);
    t[at] = (uint8_t)-sum;
}

static void repair(enum kind kind, uint8_t *t, size_t size)
{
    uint32_t length = (uint32_t)size;

    if (signatures[kind] && size >= sizeof(struct acpi_header)) {
        memcpy(t, signatures[kind], 4);
        memcpy(t + LENGTH_AT, &length, 4);
        checksum_repair(t, size, CHECKSUM_AT);
    } else if (kind == RSDP && size >= ACPI_RSDP_SIZE_MIN) {
        memcpy(t, "RSD PTR ", 8);
        checksum_repair(t, ACPI_RSDP_SIZE_MIN, 8);
        if (size >= ACPI_RSDP_SIZE_MAX) {
            memcpy(t + 20, &length, 4);
            checksum_repair(t, ACPI_RSDP_SIZE_MIN, 8);
            checksum_repair(t, size, 32);
        }
    }
}

static void check_madt(const uint8_t *t, size_t size)
{
    struct acpi_info info = {0};

    if (acpi_parse_madt(t, size, &info))
        return;
    FUZZ_CHECK(info.cpu_count <= MAX_CPUS);
    FUZZ_CHECK(info.ioapic_count <= ACPI_MAX_IOAPICS);
    FUZZ_CHECK(info.override_count <= ACPI_MAX_OVERRIDES);
    for (uint32_t i = 0; i < info.cpu_count; i++)
        for (uint32_t j = 0; j < i; j++)
            FUZZ_CHECK(info.cpu_apic_id[i] != info.cpu_apic_id[j]);
    for (uint32_t i = 0; i < info.override_count; i++)
        FUZZ_CHECK(info.override[i].isa_line < 16);
}

static void check_mcfg(const uint8_t *t, size_t size)
{
    struct acpi_info info = {0};

    if (acpi_parse_mcfg(t, size, &info))
        return;
    FUZZ_CHECK(info.ecam_count >= 1 && info.ecam_count <= ACPI_MAX_ECAMS);
    for (uint32_t i = 0; i < info.ecam_count; i++) {
        const struct acpi_ecam *e = &info.ecam[i];
        uint64_t size_of = (e->last_bus + UINT64_C(1)) << 20;

        FUZZ_CHECK(e->base && e->base % (1u << 20) == 0);
        FUZZ_CHECK(e->first_bus <= e->last_bus);
        FUZZ_CHECK(e->base + size_of <= UINT64_C(1) << 52);
    }
}

static void check_fadt(const uint8_t *t, size_t size)
{
    struct acpi_fadt f;

    if (acpi_parse_fadt(t, size, &f))
        return;
    FUZZ_CHECK(f.reset.space != ACPI_SPACE_IO || f.reset.address <= UINT16_MAX);
    FUZZ_CHECK(!f.fixed_power_button ||
               (f.pm1a_event && f.pm1_event_length >= 4));
    FUZZ_CHECK(!f.hardware_reduced || !(f.pm1a_control | f.pm1a_event));
    for (unsigned i = 0; i < ACPI_GPE_BLOCKS; i++)
        FUZZ_CHECK(!f.gpe[i].length ||
                   (f.gpe[i].port && f.gpe[i].length % 2 == 0 &&
                    f.gpe[i].port + f.gpe[i].length <= 0x10000));
}

static void check_root(const uint8_t *t, size_t size, bool extended)
{
    size_t n = acpi_root_count(t, size, extended);

    FUZZ_CHECK(n <= size / (extended ? 8 : 4));
    for (size_t i = 0; i < n; i++)
        acpi_root_entry(t, size, extended, i);
    FUZZ_CHECK(acpi_root_entry(t, size, extended, n) == 0);
}

static void parse(enum kind kind, const uint8_t *t, size_t size)
{
    struct acpi_root root;
    struct acpi_s5 s5;
    phys_t base = 0;

    if (kind == RSDP && acpi_parse_rsdp(t, size, &root) == 0)
        FUZZ_CHECK(root.address);
    if (kind == RSDT || kind == XSDT)
        check_root(t, size, kind == XSDT);
    if (kind == MADT)
        check_madt(t, size);
    if (kind == MCFG)
        check_mcfg(t, size);
    if (kind == FADT)
        check_fadt(t, size);
    if (kind == HPET && acpi_parse_hpet(t, size, &base) == 0)
        FUZZ_CHECK(base && base % 1024 == 0 && base < UINT64_C(1) << 52);
    if (kind == S5 && acpi_find_s5(t, size, &s5) == 0)
        FUZZ_CHECK(s5.type_a <= 7 && s5.type_b <= 7);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum kind kind;
    uint8_t *copy;

    if (!size)
        return 0;
    kind = (enum kind)((data[0] & ~REPAIR) % KINDS);
    copy = fuzz_copy(data + 1, size - 1);
    if (data[0] & REPAIR)
        repair(kind, copy, size - 1);
    parse(kind, copy, size - 1);
    free(copy);
    return 0;
}
