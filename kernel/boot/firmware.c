/*
 * What the firmware knows and the kernel cannot ask any more: where the ACPI
 * and SMBIOS tables are, which CPUs there are, the time, and how often booting
 * failed. Each may be missing; none of it is worth failing for. Boot services.
 */
#include "kernel/boot/loader.h"

#include <string.h>

#include <arch/cpu.h>
#include <rayos/boot_variable.h>

#include "kernel/boot/date.h"

/* PI 1.7, volume 2, 13.4: EFI_MP_SERVICES_PROTOCOL, as far as it is called. */
#define MP_SERVICES_GUID                                   \
    {                                                      \
        0x3fdda605, 0xa76e, 0x4f46,                        \
        {                                                  \
            0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08 \
        }                                                  \
    }
#define MP_CPU_ENABLED UINT32_C(2) /* StatusFlag, bit 1 */

struct mp_processor {
    uint64_t id; /* APIC id */
    uint32_t status;
    uint32_t package, core, thread;
    uint32_t extended[6]; /* written by newer firmware when asked for */
};

struct mp_services {
    EFI_STATUS(EFIAPI *get_count)
    (struct mp_services *self, UINTN *count, UINTN *enabled);
    EFI_STATUS(EFIAPI *get_info)
    (struct mp_services *self, UINTN number, struct mp_processor *out);
};

static const EFI_GUID acpi_2_guid = ACPI_20_TABLE_GUID;
static const EFI_GUID acpi_1_guid = ACPI_TABLE_GUID;
static const EFI_GUID smbios_3_guid = SMBIOS3_TABLE_GUID;
static const EFI_GUID smbios_guid = SMBIOS_TABLE_GUID;

/* Address of a table in the configuration table; 0 when there is none. */
static uint64_t table_find(const EFI_GUID *guid)
{
    for (UINTN i = 0; i < loader_system->NumberOfTableEntries; i++) {
        const EFI_CONFIGURATION_TABLE *t =
            &loader_system->ConfigurationTable[i];

        if (memcmp(&t->VendorGuid, guid, sizeof(*guid)) == 0)
            return (uint64_t)t->VendorTable;
    }
    return 0;
}

static uint64_t table_find_either(const EFI_GUID *first, const EFI_GUID *second)
{
    uint64_t address = table_find(first);

    return address ? address : table_find(second);
}

static void cpus_collect(struct boot_info *info)
{
    EFI_GUID guid = MP_SERVICES_GUID;
    struct mp_services *services = NULL;
    UINTN count = 0, enabled = 0;

    if (EFI_ERROR(loader_system->BootServices->LocateProtocol(
            &guid, NULL, (void **)&services)) ||
        EFI_ERROR(services->get_count(services, &count, &enabled)))
        return;
    for (UINTN i = 0; i < count && info->cpu_count < BOOT_MAX_CPUS; i++) {
        struct mp_processor cpu = {0};

        if (!EFI_ERROR(services->get_info(services, i, &cpu)) &&
            (cpu.status & MP_CPU_ENABLED))
            info->cpu_apic_id[info->cpu_count++] = (uint32_t)cpu.id;
    }
}

static void time_collect(struct boot_info *info)
{
    EFI_TIME t = {0};
    struct date date;

    if (EFI_ERROR(loader_system->RuntimeServices->GetTime(&t, NULL)))
        return;
    info->wall_clock_tsc = arch_tsc();
    date = (struct date){.year = t.Year,
                         .month = t.Month,
                         .day = t.Day,
                         .hour = t.Hour,
                         .minute = t.Minute,
                         .second = t.Second,
                         .zone = t.TimeZone};
    info->wall_clock = date_to_unix(&date);
}

static uint32_t failed_boots_read(void)
{
    EFI_GUID guid = BOOT_VARIABLE_GUID;
    uint32_t count = 0;
    UINTN size = sizeof(count);
    EFI_STATUS status = loader_system->RuntimeServices->GetVariable(
        (CHAR16 *)BOOT_VARIABLE_NAME, &guid, NULL, &size, &count);

    return EFI_ERROR(status) || size != sizeof(count) ? 0 : count;
}

void firmware_collect(struct boot_info *info)
{
    info->rsdp = table_find_either(&acpi_2_guid, &acpi_1_guid);
    info->smbios = table_find_either(&smbios_3_guid, &smbios_guid);
    info->efi_system_table = (uint64_t)loader_system;
    cpus_collect(info);
    time_collect(info);
    info->failed_boots = failed_boots_read();
}

void firmware_count_boot(const struct boot_info *info)
{
    EFI_GUID guid = BOOT_VARIABLE_GUID;
    uint32_t count = info->failed_boots;

    if (count < UINT32_MAX)
        count++;
    /* Read-only or full variable storage only costs the count. */
    loader_system->RuntimeServices->SetVariable((CHAR16 *)BOOT_VARIABLE_NAME,
                                                &guid, BOOT_VARIABLE_ATTRIBUTES,
                                                sizeof(count), &count);
}
