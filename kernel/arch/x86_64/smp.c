/*
 * Start-up of the other CPUs: INIT, startup IPI, the trampoline page below
 * 1 MiB, then arch_ap_main on the CPU's idle stack. One CPU at a time, because
 * they share the page. Boot, thread context. Intel SDM 3A 8.4.4.
 */
#include <errno.h>
#include <string.h>

#include <arch/apic.h>
#include <arch/context.h>
#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/gdt.h>
#include <arch/paging.h>
#include <arch/smp.h>
#include <rayos/acpi.h>
#include <rayos/boot.h>
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/smp.h>
#include <rayos/thread.h>

#define INIT_WAIT    (10 * NS_PER_MS)
#define STARTUP_WAIT (1 * NS_PER_MS) /* then the second startup IPI */
#define ARRIVAL_WAIT (200 * NS_PER_MS)
#define POLL_WAIT    (200 * NS_PER_US)
#define ONLINE_WAIT  (5 * NS_PER_SEC)

#define EFER_LME (1u << 8)
#define EFER_NXE (1u << 11)

/* Filled into the trampoline page; layout known to trampoline.S. */
struct ap_params {
    uint64_t gdt[3];
    uint64_t stack;
    struct cpu *cpu;
    uintptr_t entry;
    uint32_t cr3, efer;
    uint32_t far_offset;
    uint16_t far_selector;
    uint16_t gdt_limit;
    uint32_t gdt_base;
} __attribute__((packed));

extern const uint8_t ap_trampoline[], ap_trampoline_long[],
    ap_trampoline_params[], ap_trampoline_end[];

enum ap_state { AP_STARTING, AP_ARRIVED, AP_ONLINE, AP_GIVEN_UP };

static uint32_t ap_state; /* atomic, enum ap_state: of the one that starts */

/* PML4, page directory pointers, page directory, page table. */
#define BOOT_TABLES 4

static phys_t tables[BOOT_TABLES];

static bool ap_move(enum ap_state from, enum ap_state to)
{
    uint32_t expected = from;

    return __atomic_compare_exchange_n(&ap_state, &expected, to, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static bool ap_is(enum ap_state s)
{
    return __atomic_load_n(&ap_state, __ATOMIC_SEQ_CST) == s;
}

/* First C code of another CPU; its own stack, interrupts off. */
static _Noreturn void arch_ap_main(struct cpu *cpu)
{
    arch_write_cr3(kspace_root());
    if (!cpu_features_check() || !ap_move(AP_STARTING, AP_ARRIVED)) {
        for (;;)
            arch_halt(); /* INIT follows */
    }
    arch_cpu_init(cpu);
    tsc_compare_follow();
    percpu_publish(cpu);
    smp_tlb_flush_self();
    ap_move(AP_ARRIVED, AP_ONLINE);
    sched_start_cpu();
}

static void tables_free(void)
{
    for (unsigned i = 0; i < BOOT_TABLES; i++) {
        if (tables[i])
            frame_free(tables[i], 0);
        tables[i] = 0;
    }
}

/* The page itself at its physical address, where the CPU is when paging comes
 * on, and the kernel's half. Below 4 GiB: CR3 is loaded with 32 bits. */
static int tables_build(phys_t page)
{
    uint64_t *pml4, *entry;
    const uint64_t *kernel = phys_to_virt(kspace_root());

    for (unsigned i = 0; i < BOOT_TABLES; i++) {
        phys_t frame = frame_alloc(0, FRAME_ZERO | FRAME_LOW32);

        if (frame == FRAME_NONE) {
            tables_free();
            return -ENOMEM;
        }
        tables[i] = frame;
    }
    pml4 = phys_to_virt(tables[0]);
    memcpy(pml4 + 256, kernel + 256, 256 * sizeof(*pml4));
    for (unsigned i = 0; i + 1 < BOOT_TABLES; i++) {
        entry = phys_to_virt(tables[i]);
        entry[0] = tables[i + 1] | PTE_P | PTE_W;
    }
    entry = phys_to_virt(tables[BOOT_TABLES - 1]);
    entry[page >> PAGE_SHIFT] = page | PTE_P | PTE_W;
    return 0;
}

static void trampoline_fill(phys_t page, struct cpu *cpu)
{
    uint8_t *code = phys_to_virt(page);
    size_t at = (size_t)(ap_trampoline_params - ap_trampoline);
    const struct thread *idle = cpu->current;
    struct ap_params p = {
        .gdt = {0, UINT64_C(0x00af9b000000ffff), UINT64_C(0x00cf93000000ffff)},
        .stack = ALIGN_DOWN((uintptr_t)idle->stack + idle->stack_size,
                            (uintptr_t)16),
        .cpu = cpu,
        .entry = (uintptr_t)arch_ap_main,
        .cr3 = (uint32_t)tables[0],
        .efer = EFER_LME | (arch_cpu_info()->nx ? EFER_NXE : 0),
        .far_offset = (uint32_t)page +
                      (uint32_t)(ap_trampoline_long - ap_trampoline),
        .far_selector = KERNEL_CS,
        .gdt_limit = sizeof(p.gdt) - 1,
        .gdt_base = (uint32_t)(page + at + offsetof(struct ap_params, gdt)),
    };

    memcpy(code, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
    memcpy(code + at, &p, sizeof(p));
}

static struct cpu *cpu_create(uint32_t apic_id)
{
    struct cpu *cpu = kzalloc(sizeof(*cpu));

    if (!cpu)
        return NULL;
    cpu->self = cpu;
    cpu->id = cpu_count();
    cpu->apic_id = apic_id;
    cpu->arch = kzalloc(sizeof(*cpu->arch));
    if (!cpu->arch || gdt_alloc_stacks(cpu) || sched_cpu_setup(cpu)) {
        kfree(cpu->arch);
        kfree(cpu);
        return NULL;
    }
    return cpu;
}

static bool ap_wait(enum ap_state while_in, nstime_t length)
{
    nstime_t end = clock_now() + length;

    while (ap_is(while_in) && clock_now() < end)
        thread_sleep(POLL_WAIT);
    return !ap_is(while_in);
}

/* INIT was sent to it before. false: it does not answer. */
static bool ap_start(struct cpu *cpu, phys_t page)
{
    uint64_t flags;

    trampoline_fill(page, cpu);
    __atomic_store_n(&ap_state, AP_STARTING, __ATOMIC_SEQ_CST);
    lapic_send_startup(cpu->apic_id, page);
    if (!ap_wait(AP_STARTING, STARTUP_WAIT)) {
        lapic_send_startup(cpu->apic_id, page);
        ap_wait(AP_STARTING, ARRIVAL_WAIT);
    }
    if (ap_move(AP_STARTING, AP_GIVEN_UP)) {
        /* It must not wake later with the next CPU's stack. What was made for
         * it stays allocated: nobody knows how far it came. */
        lapic_send_init(cpu->apic_id);
        return false;
    }
    flags = arch_irq_save();
    tsc_compare_lead(cpu->id);
    arch_irq_restore(flags);
    if (!ap_wait(AP_ARRIVED, ONLINE_WAIT))
        log_error("smp", "CPU with APIC id %u arrived, but hangs",
                  cpu->apic_id);
    return ap_is(AP_ONLINE);
}

static bool ap_wanted(uint32_t apic_id)
{
    return apic_id != cpu_self()->apic_id &&
           (arch_cpu_info()->x2apic || apic_id < 0xff);
}

static void start_others(const struct acpi_info *acpi, phys_t page)
{
    for (uint32_t i = 0; i < acpi->cpu_count; i++)
        if (ap_wanted(acpi->cpu_apic_id[i]))
            lapic_send_init(acpi->cpu_apic_id[i]);
    thread_sleep(INIT_WAIT);
    for (uint32_t i = 0; i < acpi->cpu_count; i++) {
        struct cpu *cpu;

        if (!ap_wanted(acpi->cpu_apic_id[i]) || cpu_count() == MAX_CPUS)
            continue;
        cpu = cpu_create(acpi->cpu_apic_id[i]);
        if (!cpu) {
            log_error("smp", "no memory for CPU %u", cpu_count());
            return;
        }
        if (!ap_start(cpu, page))
            log_error("smp", "CPU with APIC id %u does not start",
                      cpu->apic_id);
    }
}

void smp_start(void)
{
    const struct acpi_info *acpi = acpi_info();
    phys_t page = boot_info_get()->trampoline;

    if (acpi->cpu_count < 2)
        return;
    if (!page || page >= 0x100000 || page % PAGE_SIZE || tables_build(page)) {
        log_error("smp", "no memory below 1 MiB: one CPU only");
        return;
    }
    start_others(acpi, page);
    tables_free();
    log_info("smp", "%u of %u CPUs run", cpu_count(), acpi->cpu_count);
}
