/*
 * Finds the ACPI tables, maps those that pass the checks for good, and gathers
 * what the kernel wants of them. acpi_init: boot; acpi_find, acpi_info: any
 * context.
 */
#include <string.h>

#include <rayos/boot_info.h>
#include <rayos/log.h>
#include <rayos/mm.h>

#include "acpi_parse.h"
#include "acpi_power.h"

#define TABLES_MAX        64
#define RTC_CENTURY_USUAL 0x32
#define TABLE_SIZE_MAX    (16u << 20) /* a DSDT has some 100 KiB */

static const struct acpi_header *tables[TABLES_MAX];
static unsigned table_count;

/* The PC's standard, for a machine without tables. */
static struct acpi_info info = {
    .lapic_base = 0xfee00000,
    .has_pic = true,
    .has_i8042 = true,
    .has_rtc = true,
    .rtc_century = RTC_CENTURY_USUAL,
};

const struct acpi_info *acpi_info(void)
{
    return &info;
}

const struct acpi_header *acpi_find(const char signature[4], unsigned n)
{
    for (unsigned i = 0; i < table_count; i++)
        if (memcmp(tables[i]->signature, signature, 4) == 0 && n-- == 0)
            return tables[i];
    return NULL;
}

/* Map a table, once its header tells a length that can be; NULL. The checksum
 * is the caller's to look at. */
static const struct acpi_header *table_map(phys_t at)
{
    const struct acpi_header *h;
    uint32_t length;

    h = kspace_map_phys(at, sizeof(*h), KSPACE_R, CACHE_WB);
    if (!h)
        return NULL;
    length = h->length;
    kspace_unmap_phys((void *)(uintptr_t)h);
    if (length < sizeof(*h) || length > TABLE_SIZE_MAX) {
        log_warn("acpi", "table at %#lx tells a length of %u", at, length);
        return NULL;
    }
    h = kspace_map_phys(at, length, KSPACE_R, CACHE_WB);
    /* It is ordinary memory that nobody else writes, but look again. */
    if (h && h->length != length) {
        kspace_unmap_phys((void *)(uintptr_t)h);
        return NULL;
    }
    return h;
}

static void table_add(phys_t at)
{
    const struct acpi_header *h;

    if (!at || table_count == TABLES_MAX)
        return;
    h = table_map(at);
    if (!h)
        return;
    if (!acpi_checksum_ok(h, h->length)) {
        log_warn("acpi", "table %.4s at %#lx: bad checksum", h->signature, at);
        kspace_unmap_phys((void *)(uintptr_t)h);
        return;
    }
    tables[table_count++] = h;
}

static bool root_find(phys_t rsdp, struct acpi_root *root)
{
    const void *p = kspace_map_phys(rsdp, ACPI_RSDP_SIZE_MAX, KSPACE_R,
                                    CACHE_WB);
    bool ok;

    if (!p)
        return false;
    ok = acpi_parse_rsdp(p, ACPI_RSDP_SIZE_MAX, root) == 0;
    kspace_unmap_phys((void *)(uintptr_t)p);
    return ok;
}

static void tables_add(const struct acpi_root *root)
{
    const struct acpi_header *h = table_map(root->address);
    size_t n;

    if (!h)
        return;
    n = acpi_root_count(h, h->length, root->extended);
    if (!n)
        log_warn("acpi", "the root table is damaged or empty");
    for (size_t i = 0; i < n; i++)
        table_add(acpi_root_entry(h, h->length, root->extended, i));
    kspace_unmap_phys((void *)(uintptr_t)h);
}

static void read_fadt(void)
{
    const struct acpi_header *h = acpi_find("FACP", 0);
    struct acpi_fadt fadt;

    if (!h || acpi_parse_fadt(h, h->length, &fadt))
        return;
    info.pm_timer_port = fadt.pm_timer;
    info.pm_timer_32bit = fadt.pm_timer_32bit;
    info.has_i8042 = fadt.has_i8042;
    info.has_rtc = fadt.has_rtc;
    info.rtc_century = fadt.rtc_century;
    table_add(fadt.dsdt);
    acpi_power_init(&fadt);
}

/* Without a MADT the loader's list, which the firmware's MP services gave. */
static void read_cpus(const struct boot_info *boot)
{
    const struct acpi_header *h = acpi_find("APIC", 0);
    uint32_t n = boot->cpu_count;

    if (h && acpi_parse_madt(h, h->length, &info) == 0 && info.cpu_count) {
        info.present = true;
        return;
    }
    if (n > BOOT_MAX_CPUS)
        n = BOOT_MAX_CPUS;
    if (n > MAX_CPUS)
        n = MAX_CPUS;
    memcpy(info.cpu_apic_id, boot->cpu_apic_id, n * sizeof(uint32_t));
    info.cpu_count = n;
}

void acpi_init(const struct boot_info *boot)
{
    const struct acpi_header *hpet, *mcfg;
    struct acpi_root root;

    if (boot->rsdp && root_find(boot->rsdp, &root))
        tables_add(&root);
    read_cpus(boot);
    read_fadt();
    hpet = acpi_find("HPET", 0);
    if (hpet && acpi_parse_hpet(hpet, hpet->length, &info.hpet_base))
        info.hpet_base = 0;
    mcfg = acpi_find("MCFG", 0);
    if (mcfg && acpi_parse_mcfg(mcfg, mcfg->length, &info))
        log_warn("acpi", "the MCFG table is damaged or empty");
    log_info("acpi", "%u tables, %u CPUs, %u I/O APICs%s", table_count,
             info.cpu_count, info.ioapic_count,
             info.present ? "" : " (no MADT: the PC's standard)");
}
