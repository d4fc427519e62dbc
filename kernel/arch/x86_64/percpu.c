/*
 * The table of CPUs, and the tables and features that each CPU loads when it
 * starts. CPU 0 lives in static memory, because it is needed before there is a
 * heap. Boot and CPU start only, but for cpu_count and cpu_get.
 */
#include <arch/apic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/gdt.h>
#include <arch/smp.h>
#include <rayos/boot.h>
#include <rayos/percpu.h>
#include <rayos/panic.h>

static struct arch_cpu boot_arch;
static struct cpu boot_cpu = {.arch = &boot_arch};
static struct cpu *cpus[MAX_CPUS] = {&boot_cpu};
static _Atomic uint32_t count = 1;

uint32_t cpu_count(void)
{
    return __atomic_load_n((uint32_t *)&count, __ATOMIC_ACQUIRE);
}

struct cpu *cpu_get(uint32_t id)
{
    KASSERT(id < cpu_count());
    return cpus[id];
}

void percpu_publish(struct cpu *cpu)
{
    KASSERT(cpu->id == cpu_count() && cpu->id < MAX_CPUS);
    cpus[cpu->id] = cpu;
    __atomic_store_n((bool *)&cpu->online, true, __ATOMIC_RELEASE);
    __atomic_store_n((uint32_t *)&count, cpu->id + 1, __ATOMIC_RELEASE);
}

void arch_early_init(void)
{
    clock_mark_entry();
    gdt_set_early_stacks(&boot_cpu);
    gdt_load(&boot_cpu);
    idt_init();
    idt_load();
    cpu_features_gather();
    cpu_features_enable();
    boot_cpu.online = true;
}

void arch_cpu_init(struct cpu *cpu)
{
    gdt_load(cpu);
    idt_load();
    cpu_features_enable();
    lapic_init_cpu();
    clock_event_init_cpu();
}
