/* sources: drivers/acpi/check.c drivers/acpi/madt.c drivers/acpi/fadt.c
 * drivers/acpi/mcfg.c drivers/acpi/s5.c */
/*
 * The ACPI parsers: good tables are understood, hostile ones are refused, and
 * nothing is read outside the bytes given (each table is a heap block of its
 * exact size, so that the sanitizer sees).
 */
#include <errno.h>
#include <stdlib.h>

#include <rayos/irq.h>

#include "../../drivers/acpi/acpi_parse.h"
#include "check.h"

/* A table under construction. */
struct table {
    uint8_t *bytes;
    size_t size;
};

static void put(struct table *t, size_t at, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        t->bytes[at + i] = (uint8_t)(value >> 8 * i);
}

static void append(struct table *t, const void *data, size_t size)
{
    t->bytes = realloc(t->bytes, t->size + size);
    memcpy(t->bytes + t->size, data, size);
    t->size += size;
}

/* Set length and checksum. */
static void finish(struct table *t)
{
    uint8_t sum = 0;

    put(t, 4, t->size, 4);
    t->bytes[9] = 0;
    for (size_t i = 0; i < t->size; i++)
        sum = (uint8_t)(sum + t->bytes[i]);
    t->bytes[9] = (uint8_t)-sum;
}

static struct table begin(const char *signature, size_t size)
{
    struct table t = {calloc(1, size), size};

    memcpy(t.bytes, signature, 4);
    t.bytes[8] = 6;
    return t;
}

static const uint8_t lapic0[] = {0, 8, 0, 0, 1, 0, 0, 0};
static const uint8_t lapic1[] = {0, 8, 1, 1, 1, 0, 0, 0};
static const uint8_t lapic_off[] = {0, 8, 2, 2, 0, 0, 0, 0};
static const uint8_t ioapic[] = {1, 12, 7, 0, 0, 0, 0xc0, 0xfe, 0, 0, 0, 0};
static const uint8_t override0[] = {2, 10, 0, 0, 2, 0, 0, 0, 0, 0};
static const uint8_t override9[] = {2, 10, 0, 9, 9, 0, 0, 0, 0x0f, 0};

static struct table good_madt(void)
{
    struct table t = begin("APIC", 44);

    put(&t, 36, 0xfee00000, 4);
    put(&t, 40, 1, 4);
    append(&t, lapic0, sizeof(lapic0));
    append(&t, lapic1, sizeof(lapic1));
    append(&t, lapic_off, sizeof(lapic_off));
    append(&t, ioapic, sizeof(ioapic));
    append(&t, override0, sizeof(override0));
    append(&t, override9, sizeof(override9));
    finish(&t);
    return t;
}

TEST(a_good_madt_is_understood)
{
    struct table t = good_madt();
    struct acpi_info info = {0};

    CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), 0);
    CHECK_EQ(info.cpu_count, 2);
    CHECK_EQ(info.cpu_apic_id[1], 1);
    CHECK_EQ(info.lapic_base, 0xfee00000);
    CHECK(info.has_pic);
    CHECK_EQ(info.ioapic_count, 1);
    CHECK_EQ(info.ioapic[0].base, 0xfec00000);
    CHECK_EQ(info.ioapic[0].id, 7);
    CHECK_EQ(info.override_count, 2);
    CHECK_EQ(info.override[0].gsi, 2);
    CHECK_EQ(info.override[0].flags, 0);
    CHECK_EQ(info.override[1].flags, IRQ_LEVEL | IRQ_ACTIVE_LOW);
    free(t.bytes);
}

TEST(x2apic_entries_count_and_duplicates_do_not)
{
    static const uint8_t x2[] = {9, 16, 0, 0, 0x00, 1, 0, 0,
                                 1, 0,  0, 0, 0,    0, 0, 0};
    static const uint8_t same[] = {9, 16, 0, 0, 1, 0, 0, 0,
                                   1, 0,  0, 0, 0, 0, 0, 0};
    static const uint8_t address[] = {5, 12, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0};
    struct table t = good_madt();
    struct acpi_info info = {0};

    append(&t, x2, sizeof(x2));
    append(&t, same, sizeof(same));
    append(&t, address, sizeof(address));
    finish(&t);
    CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), 0);
    CHECK_EQ(info.cpu_count, 3);
    CHECK_EQ(info.cpu_apic_id[2], 256);
    CHECK_EQ(info.lapic_base, INT64_C(0x200000000));
    free(t.bytes);
}

TEST(a_bad_checksum_or_signature_is_refused)
{
    struct table t = good_madt();
    struct acpi_info info = {0};

    t.bytes[50]++;
    CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), -EINVAL);
    t.bytes[50]--;
    CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), 0);
    t.bytes[0]++;
    finish(&t);
    CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), -EINVAL);
    free(t.bytes);
}

TEST(every_truncation_of_a_madt_is_refused)
{
    struct table t = good_madt();

    for (size_t n = 0; n < t.size; n++) {
        uint8_t *cut = malloc(n ? n : 1);
        struct acpi_info info = {0};

        memcpy(cut, t.bytes, n);
        CHECK_EQ(acpi_parse_madt(cut, n, &info), -EINVAL);
        free(cut);
    }
    free(t.bytes);
}

/* The header's length cut too, checksum right: what is whole is kept. */
TEST(a_madt_that_ends_inside_an_entry_keeps_the_rest)
{
    for (size_t size = 44; size < 80; size++) {
        struct table t = good_madt();
        struct acpi_info info = {0};

        t.bytes = realloc(t.bytes, size);
        t.size = size;
        finish(&t);
        CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), 0);
        CHECK_EQ(info.cpu_count, size < 52 ? 0 : size < 60 ? 1 : 2);
        free(t.bytes);
    }
}

TEST(an_entry_of_length_zero_or_one_does_not_loop)
{
    for (uint8_t length = 0; length < 2; length++) {
        struct table t = good_madt();
        struct acpi_info info = {0};

        t.bytes[44 + 8 + 1] = length; /* the second CPU's */
        finish(&t);
        CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), 0);
        CHECK_EQ(info.cpu_count, 1);
        free(t.bytes);
    }
}

TEST(short_entries_are_left_out)
{
    static const uint8_t entries[] = {0, 4, 9, 9, 1, 2, 2, 2, 9, 2, 5, 2};
    struct table t = begin("APIC", 44);
    struct acpi_info info = {0};

    append(&t, entries, sizeof(entries));
    finish(&t);
    CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), 0);
    CHECK_EQ(info.cpu_count + info.ioapic_count + info.override_count, 0);
    free(t.bytes);
}

TEST(more_cpus_ioapics_and_overrides_than_fit_are_left_out)
{
    struct table t = begin("APIC", 44);
    struct acpi_info info = {0};

    for (unsigned i = 0; i < 200; i++) {
        uint8_t cpu[] = {0, 8, 0, (uint8_t)i, 1, 0, 0, 0};

        append(&t, cpu, sizeof(cpu));
        append(&t, ioapic, sizeof(ioapic));
        append(&t, override0, sizeof(override0));
    }
    finish(&t);
    CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), 0);
    CHECK_EQ(info.cpu_count, MAX_CPUS);
    CHECK_EQ(info.ioapic_count, ACPI_MAX_IOAPICS);
    CHECK_EQ(info.override_count, ACPI_MAX_OVERRIDES);
    free(t.bytes);
}

TEST(addresses_that_cannot_be_are_not_taken)
{
    static const uint8_t odd_ioapic[] = {1,    12,   7, 0, 1, 0,
                                         0xc0, 0xfe, 0, 0, 0, 0};
    static const uint8_t far[] = {5, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0xf0, 0xff};
    static const uint8_t none[] = {5, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    struct table t = good_madt();
    struct acpi_info info = {.lapic_base = 0x1234000};

    append(&t, odd_ioapic, sizeof(odd_ioapic));
    append(&t, far, sizeof(far));
    append(&t, none, sizeof(none));
    put(&t, 36, 0xfee00001, 4);
    finish(&t);
    CHECK_EQ(acpi_parse_madt(t.bytes, t.size, &info), 0);
    CHECK_EQ(info.lapic_base, 0x1234000);
    CHECK_EQ(info.ioapic_count, 1);
    free(t.bytes);
}

static void rsdp_fill(uint8_t p[36], uint8_t revision)
{
    uint8_t sum = 0;

    memset(p, 0, 36);
    memcpy(p, "RSD PTR ", 8);
    p[15] = revision;
    memcpy(p + 16, "\x00\x00\x10\x00", 4);
    p[20] = 36;
    memcpy(p + 24, "\x00\x00\x20\x00", 4);
    for (int i = 0; i < 20; i++)
        sum = (uint8_t)(sum + p[i]);
    p[8] = (uint8_t)-sum;
    sum = 0;
    for (int i = 0; i < 36; i++)
        sum = (uint8_t)(sum + p[i]);
    p[32] = (uint8_t)-sum;
}

TEST(the_rsdp_gives_the_xsdt_or_falls_back_to_the_rsdt)
{
    uint8_t p[36];
    struct acpi_root root;

    rsdp_fill(p, 2);
    CHECK_EQ(acpi_parse_rsdp(p, 36, &root), 0);
    CHECK(root.extended);
    CHECK_EQ(root.address, 0x200000);
    CHECK_EQ(acpi_parse_rsdp(p, 20, &root), 0);
    CHECK(!root.extended);
    p[33]++; /* only the extended checksum is wrong */
    CHECK_EQ(acpi_parse_rsdp(p, 36, &root), 0);
    CHECK_EQ(root.address, 0x100000);
    rsdp_fill(p, 0);
    CHECK_EQ(acpi_parse_rsdp(p, 36, &root), 0);
    CHECK(!root.extended);
    p[9]++;
    CHECK_EQ(acpi_parse_rsdp(p, 36, &root), -EINVAL);
    CHECK_EQ(acpi_parse_rsdp(p, 19, &root), -EINVAL);
}

TEST(the_root_table_lists_whole_entries_only)
{
    struct table t = begin("XSDT", 36 + 8 + 8 + 5);

    put(&t, 36, UINT64_C(0x1234567890), 8);
    put(&t, 44, 42, 8);
    finish(&t);
    CHECK_EQ(acpi_root_count(t.bytes, t.size, true), 2);
    CHECK_EQ(acpi_root_entry(t.bytes, t.size, true, 0), INT64_C(0x1234567890));
    CHECK_EQ(acpi_root_entry(t.bytes, t.size, true, 1), 42);
    CHECK_EQ(acpi_root_entry(t.bytes, t.size, true, 2), 0);
    CHECK_EQ(acpi_root_count(t.bytes, t.size, false), 0);
    free(t.bytes);
}

static struct table good_fadt(size_t size)
{
    struct table t = begin("FACP", 276);

    t.bytes[8] = 5;
    put(&t, 40, 0x7000, 4);
    put(&t, 46, 9, 2);
    put(&t, 48, 0xb2, 4);
    put(&t, 52, 2, 1);
    put(&t, 56, 0x600, 4);
    put(&t, 64, 0x604, 4);
    put(&t, 76, 0x608, 4);
    put(&t, 80, 0x620, 4);
    put(&t, 88, 4, 1);
    put(&t, 91, 4, 1);
    put(&t, 92, 16, 1);
    put(&t, 108, 0x32, 1);
    put(&t, 109, 2, 2);
    put(&t, 112, 1u << 8 | 1u << 10, 4);
    put(&t, 116, 1, 1);
    put(&t, 120, 0xcf9, 8);
    put(&t, 128, 0x0f, 1);
    t.bytes = realloc(t.bytes, size);
    t.size = size;
    finish(&t);
    return t;
}

TEST(a_good_fadt_is_understood)
{
    struct table t = good_fadt(276);
    struct acpi_fadt f;

    CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
    CHECK_EQ(f.dsdt, 0x7000);
    CHECK_EQ(f.smi_command, 0xb2);
    CHECK_EQ(f.acpi_enable, 2);
    CHECK_EQ(f.pm1a_control, 0x604);
    CHECK_EQ(f.pm1b_control, 0);
    CHECK_EQ(f.pm_timer, 0x608);
    CHECK(f.pm_timer_32bit);
    CHECK(f.has_i8042);
    CHECK_EQ(f.reset.space, ACPI_SPACE_IO);
    CHECK_EQ(f.reset.address, 0xcf9);
    CHECK_EQ(f.reset_value, 0x0f);
    free(t.bytes);
}

TEST(the_fixed_events_of_a_fadt_are_understood)
{
    struct table t = good_fadt(276);
    struct acpi_fadt f;

    CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
    CHECK(!f.hardware_reduced);
    CHECK_EQ(f.sci, 9);
    CHECK_EQ(f.pm1a_event, 0x600);
    CHECK_EQ(f.pm1b_event, 0);
    CHECK_EQ(f.pm1_event_length, 4);
    CHECK_EQ(f.gpe[0].port, 0x620);
    CHECK_EQ(f.gpe[0].length, 16);
    CHECK_EQ(f.gpe[1].length, 0);
    CHECK_EQ(f.rtc_century, 0x32);
    CHECK(f.has_rtc);
    CHECK(f.fixed_power_button);
    put(&t, 112, 1u << 4, 4); /* the button is in AML */
    put(&t, 109, 1u << 5, 2); /* no CMOS clock */
    put(&t, 108, 0x85, 1);    /* not in the first bank */
    finish(&t);
    CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
    CHECK(!f.fixed_power_button);
    CHECK(!f.has_rtc);
    CHECK_EQ(f.rtc_century, 0);
    free(t.bytes);
}

TEST(event_blocks_without_two_halves_are_left_alone)
{
    static const uint8_t lengths[] = {0, 2, 3, 5, 255};

    for (unsigned i = 0; i < sizeof(lengths); i++) {
        struct table t = good_fadt(276);
        struct acpi_fadt f;

        put(&t, 88, lengths[i], 1);
        put(&t, 92, lengths[i] | 1, 1);
        finish(&t);
        CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
        CHECK_EQ(f.pm1a_event, 0);
        CHECK_EQ(f.gpe[0].length, 0);
        CHECK(!f.fixed_power_button);
        free(t.bytes);
    }
}

TEST(a_gpe_block_past_the_last_port_is_left_alone)
{
    struct table t = good_fadt(276);
    struct acpi_fadt f;

    put(&t, 80, 0xfff8, 4);
    finish(&t);
    CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
    CHECK_EQ(f.gpe[0].length, 0);
    free(t.bytes);
}

/* ACPI 6.4, 4.1: such a machine has none of the fixed registers, whatever the
 * fields say; the reset register it may have. */
TEST(hardware_reduced_acpi_has_no_fixed_registers)
{
    struct table t = good_fadt(276);
    struct acpi_fadt f;

    put(&t, 112, 1u << 20 | 1u << 10, 4);
    finish(&t);
    CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
    CHECK(f.hardware_reduced);
    CHECK_EQ(f.pm1a_control | f.pm1a_event | f.smi_command | f.pm_timer, 0);
    CHECK_EQ(f.gpe[0].length, 0);
    CHECK(!f.fixed_power_button);
    CHECK_EQ(f.reset.address, 0xcf9);
    t.bytes[8] = 4; /* the flag was reserved then */
    finish(&t);
    CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
    CHECK(!f.hardware_reduced);
    CHECK_EQ(f.pm1a_control, 0x604);
    free(t.bytes);
}

TEST(the_extended_fields_of_a_fadt_win)
{
    struct table t = good_fadt(276);
    struct acpi_fadt f;

    put(&t, 140, UINT64_C(0x123456789), 8);
    put(&t, 172, 1, 1);
    put(&t, 176, 0x1804, 8);
    put(&t, 208, 0, 1); /* PM timer in memory: the port stays */
    put(&t, 212, 0xfed00000, 8);
    finish(&t);
    CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
    CHECK_EQ(f.dsdt, INT64_C(0x123456789));
    CHECK_EQ(f.pm1a_control, 0x1804);
    CHECK_EQ(f.pm_timer, 0x608);
    free(t.bytes);
}

TEST(a_fadt_of_acpi_1_has_no_reset_register_and_an_i8042)
{
    struct table t = good_fadt(116);
    struct acpi_fadt f;

    t.bytes[8] = 1;
    put(&t, 109, 0, 2);
    finish(&t);
    CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f), 0);
    CHECK_EQ(f.reset.space, ACPI_SPACE_NONE);
    CHECK(f.has_i8042);
    free(t.bytes);
}

TEST(a_fadt_of_any_length_is_read_within_its_bounds)
{
    for (size_t size = 36; size <= 276; size++) {
        struct table t = good_fadt(size);
        struct acpi_fadt f;

        CHECK_EQ(acpi_parse_fadt(t.bytes, t.size, &f),
                 size < 116 ? -EINVAL : 0);
        free(t.bytes);
    }
}

TEST(the_hpet_must_be_in_memory)
{
    struct table t = begin("HPET", 56);
    phys_t base = 0;

    put(&t, 44, 0xfed00000, 8);
    finish(&t);
    CHECK_EQ(acpi_parse_hpet(t.bytes, t.size, &base), 0);
    CHECK_EQ(base, 0xfed00000);
    put(&t, 40, 1, 1);
    finish(&t);
    CHECK_EQ(acpi_parse_hpet(t.bytes, t.size, &base), -ENODEV);
    t.bytes = realloc(t.bytes, 45);
    t.size = 45;
    finish(&t);
    CHECK_EQ(acpi_parse_hpet(t.bytes, t.size, &base), -ENODEV);
    free(t.bytes);
}

TEST(an_hpet_at_an_impossible_place_is_refused)
{
    static const uint64_t places[] = {0, 0xfed00001, 0xfed00200,
                                      UINT64_C(1) << 52, UINT64_MAX - 1023};

    for (unsigned i = 0; i < 5; i++) {
        struct table t = begin("HPET", 56);
        phys_t base = 77;

        put(&t, 44, places[i], 8);
        finish(&t);
        CHECK_EQ(acpi_parse_hpet(t.bytes, t.size, &base), -ENODEV);
        CHECK_EQ(base, 77);
        free(t.bytes);
    }
}

TEST(every_truncation_of_an_hpet_table_is_refused)
{
    for (size_t size = 36; size < 56; size++) {
        struct table t = begin("HPET", 56);
        phys_t base = 0;
        int expected = size < 52 ? -ENODEV : 0;

        put(&t, 44, 0xfed00000, 8);
        t.bytes = realloc(t.bytes, size);
        t.size = size;
        finish(&t);
        CHECK_EQ(acpi_parse_hpet(t.bytes, t.size, &base), expected);
        CHECK_EQ(acpi_parse_hpet(t.bytes, t.size - 1, &base), -EINVAL);
        free(t.bytes);
    }
}

/* The block in a heap block of its size. */
static int s5(const void *aml, size_t size, struct acpi_s5 *out)
{
    uint8_t *copy = malloc(size);
    int err;

    memcpy(copy, aml, size);
    err = acpi_find_s5(copy, size, out);
    free(copy);
    return err;
}

#define S5(bytes, out) s5("" bytes, sizeof(bytes) - 1, out)

TEST(s5_is_found_in_its_usual_spellings)
{
    struct acpi_s5 v;

    CHECK_EQ(S5("\x08_S5_\x12\x06\x04\x00\x00\x00\x00", &v), 0);
    CHECK_EQ(v.type_a, 0);
    CHECK_EQ(S5("junk\x08\\_S5_\x12\x08\x04\x0a\x05\x0a\x06\x00\x00", &v), 0);
    CHECK_EQ(v.type_a, 5);
    CHECK_EQ(v.type_b, 6);
    CHECK_EQ(S5("\x08_S5_\x12\x06\x02\x0b\x07\x00\x01", &v), 0);
    CHECK_EQ(v.type_a, 7);
    CHECK_EQ(v.type_b, 1);
    CHECK_EQ(S5("\x08_S5_\x12\x47\x00\x02\x0a\x03\x0a\x04", &v), 0);
    CHECK_EQ(v.type_a, 3);
    CHECK_EQ(v.type_b, 4);
    CHECK_EQ(S5("\x08_S5_\x12\x04\x01\x0a\x05", &v), 0);
    CHECK_EQ(v.type_b, 5);
}

TEST(a_mention_of_s5_that_is_no_package_is_passed_over)
{
    struct acpi_s5 v;

    CHECK_EQ(S5("_S5_\x12\x06\x04\x00\x00\x00\x00", &v), -ENOENT);
    CHECK_EQ(S5("\x10_S5_\x12\x06\x04\x00\x00\x00\x00", &v), -ENOENT);
    CHECK_EQ(S5("\x08_S5_\x0a\x05", &v), -ENOENT);
    CHECK_EQ(S5("\x08_S5_\x12\x05\x02\x0a\x09\x00", &v), -ENOENT);
    CHECK_EQ(S5("\x08_S5_\x12\x03\x00\x00", &v), -ENOENT);
    CHECK_EQ(S5("\x10_S5_\x08_S5_\x12\x05\x02\x0a\x03\x01", &v), 0);
    CHECK_EQ(v.type_a, 3);
}

TEST(a_package_that_sticks_out_is_refused)
{
    struct acpi_s5 v;
    static const char whole[] = "\x08_S5_\x12\x08\x04\x0a\x05\x0a\x06\x00\x00";

    for (size_t n = 1; n < sizeof(whole) - 1; n++)
        CHECK_EQ(s5(whole, n, &v), -ENOENT);
    CHECK_EQ(S5("\x08_S5_\x12\xcf\xff\xff\xff\x02\x00\x00", &v), -ENOENT);
    CHECK_EQ(S5("\x08_S5_\x12\x00\x02\x00\x00", &v), -ENOENT);
    CHECK_EQ(S5("\x08_S5_\x12\x03\x02\x0a\x05", &v), -ENOENT);
}

/* An entry of the MCFG table. */
static void put_ecam(struct table *t, unsigned i, uint64_t base,
                     unsigned segment, unsigned first, unsigned last)
{
    put(t, 44 + 16 * i, base, 8);
    put(t, 52 + 16 * i, segment, 2);
    put(t, 54 + 16 * i, first, 1);
    put(t, 55 + 16 * i, last, 1);
}

TEST(a_good_mcfg_is_understood)
{
    struct table t = begin("MCFG", 76);
    struct acpi_info info = {0};

    put_ecam(&t, 0, 0xb0000000, 0, 0, 255);
    put_ecam(&t, 1, UINT64_C(0x400000000), 1, 0x40, 0x7f);
    finish(&t);
    CHECK_EQ(acpi_parse_mcfg(t.bytes, t.size, &info), 0);
    CHECK_EQ(info.ecam_count, 2);
    CHECK_EQ(info.ecam[0].base, 0xb0000000);
    CHECK_EQ(info.ecam[0].last_bus, 255);
    CHECK_EQ(info.ecam[1].base, INT64_C(0x400000000));
    CHECK_EQ(info.ecam[1].segment, 1);
    CHECK_EQ(info.ecam[1].first_bus, 0x40);
    t.bytes[60]++; /* and the checksum tells */
    info.ecam_count = 0;
    CHECK_EQ(acpi_parse_mcfg(t.bytes, t.size, &info), -EINVAL);
    CHECK_EQ(info.ecam_count, 0);
    free(t.bytes);
}

TEST(entries_of_a_mcfg_that_make_no_sense_are_left_out)
{
    static const struct {
        uint64_t base;
        unsigned segment, first, last;
    } bad[] = {
        {0, 0, 0, 255},                            /* nowhere */
        {0xb0000800, 0, 0, 255},                   /* askew */
        {0xb0000000, 0, 9, 8},                     /* backwards */
        {UINT64_C(0xfffffffff0000000), 0, 0, 255}, /* past the end */
        {UINT64_C(0xffffff0100000), 0, 0, 255},    /* ends past 52 bits */
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct table t = begin("MCFG", 76);
        struct acpi_info info = {0};

        put_ecam(&t, 0, bad[i].base, bad[i].segment, bad[i].first, bad[i].last);
        put_ecam(&t, 1, 0xc0000000, 0, 0, 15);
        finish(&t);
        CHECK_EQ(acpi_parse_mcfg(t.bytes, t.size, &info), 0);
        CHECK_EQ(info.ecam_count, 1);
        CHECK_EQ(info.ecam[0].base, 0xc0000000);
        free(t.bytes);
    }
}

TEST(a_mcfg_gives_each_bus_once_and_no_more_than_fit)
{
    struct table t = begin("MCFG", 44 + 16 * 20);
    struct acpi_info info = {0};

    put_ecam(&t, 0, 0xb0000000, 0, 0, 255);
    put_ecam(&t, 1, 0xc0000000, 0, 10, 20); /* the same buses again */
    for (unsigned i = 2; i < 20; i++)
        put_ecam(&t, i, 0xd0000000, i, 0, 0);
    finish(&t);
    CHECK_EQ(acpi_parse_mcfg(t.bytes, t.size, &info), 0);
    CHECK_EQ(info.ecam_count, ACPI_MAX_ECAMS);
    CHECK_EQ(info.ecam[1].segment, 2);
    free(t.bytes);
}

TEST(a_mcfg_of_any_length_is_read_within_its_bounds)
{
    for (size_t size = 36; size < 80; size++) {
        struct table t = begin("MCFG", size);
        struct acpi_info info = {0};

        for (size_t at = 44; at < size; at++)
            t.bytes[at] = 0x10;
        finish(&t);
        acpi_parse_mcfg(t.bytes, t.size, &info);
        CHECK(info.ecam_count <= (size >= 44 ? (size - 44) / 16 : 0));
        free(t.bytes);
    }
}

CHECK_MAIN
