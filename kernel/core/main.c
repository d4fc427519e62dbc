/*
 * The kernel's start: brings up, in order, what units need to be units (memory,
 * interrupts, clock, scheduler, the other CPUs), then starts the units. Runs
 * once, on the boot CPU.
 */
#include <rayos/acpi.h>
#include <rayos/boot.h>
#include <rayos/cmdline.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/smp.h>
#include <rayos/symbols.h>
#include <rayos/thread.h>
#include <rayos/unit.h>

#define BOOT_STACK_SIZE (64 * 1024)

static struct boot_info boot_info;

const struct boot_info *boot_info_get(void)
{
    return &boot_info;
}

/* A loader of another build must not be half believed. */
static void boot_info_check(const struct boot_info *info)
{
    if (info->magic != BOOT_INFO_MAGIC || info->version != BOOT_INFO_VERSION ||
        info->size != sizeof(*info))
        panic("the loader on the ESP is of another build (boot_info version "
              "%u, size %u; expected %u, %zu): install BOOTX64.EFI and "
              "kernel.elf together",
              info->version, info->size, BOOT_INFO_VERSION, sizeof(*info));
}

/* Units start on a stack of their own, which has guard pages. */
static void boot_thread(void *arg)
{
    (void)arg;
    units_start();
    frame_reclaim_loader();
    log_info("boot", "all units started");
}

_Noreturn void kernel_main(const struct boot_info *info)
{
    static const struct thread_attr boot = {
        .name = "boot",
        .entry = boot_thread,
        .priority = PRIO_SHELL,
        .affinity = CPU_ANY,
        .stack_size = BOOT_STACK_SIZE,
    };

    arch_early_init();
    boot_info_check(info);
    boot_info = *info;
    boot_info.cmdline[BOOT_CMDLINE_MAX - 1] = '\0';
    cmdline_init(boot_info.cmdline);
    log_sink_init();
    frame_init(&boot_info);
    kspace_init(&boot_info);
    kheap_init();
    symbols_init(&boot_info);
    panic_record_init();
    acpi_init(&boot_info);
    irq_init();
    clock_init();
    sched_init();
    smp_start();
    log_info("boot", "%u CPUs, scheduler running", cpu_count());
    if (thread_spawn(&boot))
        panic("no memory for the boot thread");
    thread_exit();
}
