/*
 * The local APIC: by MSRs when the CPU has x2APIC, else by its page of
 * registers. Interrupts to other CPUs, end of interrupt, and the one-shot
 * timer. Functions act on the APIC of the CPU that calls; any context unless
 * said. Intel SDM 3A chapter 10.
 */
#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/trap.h>
#include <rayos/acpi.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/percpu.h>

#define MSR_APIC_BASE    0x1b
#define APIC_BASE_X2APIC (UINT64_C(1) << 10)
#define APIC_BASE_ENABLE (UINT64_C(1) << 11)
#define APIC_BASE_ADDR   UINT64_C(0x000ffffffffff000)
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800 /* + register offset / 16 */

/* Registers, SDM 3A table 10-1. */
#define REG_ID            0x20
#define REG_TPR           0x80
#define REG_EOI           0xb0
#define REG_SVR           0xf0
#define REG_ISR           0x100
#define REG_IRR           0x200
#define REG_ESR           0x280
#define REG_LVT_CMCI      0x2f0
#define REG_ICR           0x300
#define REG_ICR_HIGH      0x310
#define REG_LVT_TIMER     0x320
#define REG_LVT_THERMAL   0x330
#define REG_LVT_PERF      0x340
#define REG_LVT_LINT0     0x350
#define REG_LVT_LINT1     0x360
#define REG_LVT_ERROR     0x370
#define REG_TIMER_INITIAL 0x380
#define REG_TIMER_CURRENT 0x390
#define REG_TIMER_DIVIDE  0x3e0

#define SVR_ENABLE         0x100
#define LVT_MASKED         0x10000
#define LVT_NMI            0x400
#define LVT_EXTINT         0x700
#define LVT_TIMER_PERIODIC 0x20000
#define LVT_TIMER_DEADLINE 0x40000
#define DIVIDE_BY_1        0xb

/* ICR, SDM 3A 10.6.1. */
#define ICR_FIXED   0x000
#define ICR_NMI     0x400
#define ICR_INIT    0x500
#define ICR_STARTUP 0x600
#define ICR_PENDING 0x1000
#define ICR_ASSERT  0x4000

#define LAPIC_STANDARD_BASE UINT64_C(0xfee00000)
/* Reads of the ICR before we give up on a stuck delivery; each takes the bus
 * some 100 ns at least. */
#define ICR_WAIT_READS 100000

static bool x2apic;
static volatile uint32_t *registers;

static uint32_t lapic_read(unsigned reg)
{
    if (x2apic)
        return (uint32_t)arch_rdmsr(MSR_X2APIC + reg / 16);
    return registers[reg / 4];
}

static void lapic_write(unsigned reg, uint32_t value)
{
    if (x2apic)
        arch_wrmsr(MSR_X2APIC + reg / 16, value);
    else
        registers[reg / 4] = value;
}

uint32_t lapic_id(void)
{
    uint32_t id = lapic_read(REG_ID);

    return x2apic ? id : id >> 24;
}

void lapic_eoi(void)
{
    lapic_write(REG_EOI, 0);
}

bool lapic_in_service(uint8_t vector)
{
    return lapic_read(REG_ISR + vector / 32 * 16) >> vector % 32 & 1;
}

bool lapic_is_requested(uint8_t vector)
{
    return lapic_read(REG_IRR + vector / 32 * 16) >> vector % 32 & 1;
}

/* Switch it on, in the mode that all CPUs share. The way from xAPIC to x2APIC
 * is through both bits; there is no direct way back (SDM 3A 10.12.5). */
static void lapic_enable(void)
{
    uint64_t base = arch_rdmsr(MSR_APIC_BASE);

    if (!(base & APIC_BASE_ENABLE)) {
        base |= APIC_BASE_ENABLE;
        arch_wrmsr(MSR_APIC_BASE, base);
    }
    if (x2apic && !(base & APIC_BASE_X2APIC))
        arch_wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);
}

void lapic_init_cpu(void)
{
    lapic_enable();
    /* The firmware's periodic timer first. */
    lapic_write(REG_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
    lapic_write(REG_TIMER_INITIAL, 0);
    lapic_write(REG_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
    lapic_write(REG_LVT_LINT0, LVT_MASKED);
    /* LINT1 is the NMI line; one CPU is enough to report it. */
    lapic_write(REG_LVT_LINT1, cpu_id() == 0 ? LVT_NMI : LVT_MASKED);
    lapic_write(REG_LVT_ERROR, VECTOR_APIC_ERROR);
    lapic_write(REG_TPR, 0);
    lapic_write(REG_ESR, 0);
    lapic_write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
}

void lapic_init(void)
{
    uint64_t base = arch_rdmsr(MSR_APIC_BASE);
    phys_t phys = base & APIC_BASE_ADDR;

    x2apic = arch_cpu_info()->x2apic;
    if (!phys)
        phys = acpi_info()->lapic_base;
    if (!x2apic) {
        registers = kspace_map_phys(phys ? phys : LAPIC_STANDARD_BASE,
                                    PAGE_SIZE, KSPACE_RW, CACHE_UC);
        if (!registers)
            panic("no memory to map the local APIC");
    }
    lapic_init_cpu();
    cpu_self()->apic_id = lapic_id();
    log_info("lapic", "id %u, %s", cpu_self()->apic_id,
             x2apic ? "x2APIC" : "xAPIC");
}

void lapic_accept_pic(void)
{
    lapic_write(REG_LVT_LINT0, LVT_EXTINT);
}

/* The two halves of the ICR belong together: interrupts off between. x2APIC
 * takes both at once and has no pending bit, but does not order itself after
 * the stores that the interrupt's receiver shall see (SDM 3A 10.12.3). */
static void lapic_send(uint32_t apic_id, uint32_t command)
{
    uint64_t flags;

    if (x2apic) {
        __asm__ volatile("mfence; lfence" ::: "memory");
        arch_wrmsr(MSR_X2APIC + REG_ICR / 16,
                   (uint64_t)apic_id << 32 | command);
        return;
    }
    flags = arch_irq_save();
    for (int i = 0; i < ICR_WAIT_READS; i++) {
        if (!(lapic_read(REG_ICR) & ICR_PENDING))
            break;
        arch_pause();
    }
    lapic_write(REG_ICR_HIGH, apic_id << 24);
    lapic_write(REG_ICR, command);
    arch_irq_restore(flags);
}

void lapic_send_ipi(uint32_t apic_id, uint8_t vector)
{
    lapic_send(apic_id, ICR_FIXED | ICR_ASSERT | vector);
}

void lapic_send_nmi(uint32_t apic_id)
{
    lapic_send(apic_id, ICR_NMI | ICR_ASSERT);
}

void lapic_send_init(uint32_t apic_id)
{
    lapic_send(apic_id, ICR_INIT | ICR_ASSERT);
}

void lapic_send_startup(uint32_t apic_id, phys_t page)
{
    lapic_send(apic_id, ICR_STARTUP | ICR_ASSERT | (uint32_t)(page >> 12));
}

void lapic_timer_periodic(uint32_t count)
{
    lapic_write(REG_LVT_TIMER, LVT_TIMER_PERIODIC | VECTOR_TIMER);
    lapic_write(REG_TIMER_INITIAL, count);
}

void lapic_timer_oneshot_mode(void)
{
    lapic_write(REG_TIMER_INITIAL, 0);
    lapic_write(REG_LVT_TIMER, VECTOR_TIMER);
}

void lapic_timer_arm(uint32_t count)
{
    lapic_write(REG_TIMER_INITIAL, count);
}

uint32_t lapic_timer_count(void)
{
    return lapic_read(REG_TIMER_CURRENT);
}

void lapic_timer_deadline_mode(void)
{
    lapic_write(REG_TIMER_INITIAL, 0);
    lapic_write(REG_LVT_TIMER, LVT_TIMER_DEADLINE | VECTOR_TIMER);
    /* The write to memory-mapped registers must be seen before the first one
     * to the MSR (SDM 3A 10.5.4.1). */
    __asm__ volatile("mfence" ::: "memory");
}

void lapic_timer_arm_deadline(uint64_t tsc)
{
    arch_wrmsr(MSR_TSC_DEADLINE, tsc);
}
