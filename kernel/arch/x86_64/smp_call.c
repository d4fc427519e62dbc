/*
 * Messages between CPUs: reschedule, call a function everywhere, flush TLBs,
 * stop. One call-all is under way at a time; who waits for its turn does so
 * with interrupts on and so serves the one that is, hence two CPUs that call
 * each other do not wait in a circle.
 */
#include <arch/apic.h>
#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/irq.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <rayos/panic.h>
#include <rayos/percpu.h>
#include <rayos/smp.h>

#define CR4_PGE (UINT64_C(1) << 7)
/* More pages than this are dropped by flushing all. */
#define FLUSH_PAGES_MAX 32

static uint32_t call_busy; /* atomic: 1 while a call is under way */
static void (*call_fn)(void *arg);
static void *call_arg;
static uint32_t call_pending; /* atomic: CPUs that still have to run it */

static bool stop_requested; /* atomic */

struct flush_range {
    uintptr_t va;
    size_t size;
};

/* --- reschedule --- */

/* All the work is done by sched_interrupt_exit on the way out. */
static void reschedule_interrupt(void *arg)
{
    (void)arg;
}

void smp_send_reschedule(uint32_t id)
{
    lapic_send_ipi(cpu_get(id)->apic_id, VECTOR_RESCHEDULE);
}

/* --- call on all --- */

static void call_interrupt(void *arg)
{
    (void)arg;
    call_fn(call_arg);
    __atomic_fetch_sub(&call_pending, 1, __ATOMIC_RELEASE);
}

/* Interrupts are off from here to call_end: a holder that is preempted would
 * keep all others from their turn. */
static void call_begin(void)
{
    for (;;) {
        arch_irq_disable();
        if (!__atomic_exchange_n(&call_busy, 1, __ATOMIC_ACQUIRE))
            return;
        arch_irq_enable();
        while (__atomic_load_n(&call_busy, __ATOMIC_RELAXED))
            arch_pause();
    }
}

static void call_end(void)
{
    __atomic_store_n(&call_busy, 0, __ATOMIC_RELEASE);
    arch_irq_enable();
}

static void call_self(void (*fn)(void *arg), void *arg)
{
    struct cpu *cpu = cpu_self();

    cpu->irq_depth++;
    fn(arg);
    cpu->irq_depth--;
}

void smp_call_all(void (*fn)(void *arg), void *arg)
{
    uint32_t n;

    KASSERT(arch_irq_enabled() && !in_interrupt());
    call_begin();
    n = cpu_count();
    call_fn = fn;
    call_arg = arg;
    __atomic_store_n(&call_pending, n - 1, __ATOMIC_RELEASE);
    for (uint32_t i = 0; i < n; i++)
        if (i != cpu_id())
            lapic_send_ipi(cpu_get(i)->apic_id, VECTOR_CALL);
    call_self(fn, arg);
    while (__atomic_load_n(&call_pending, __ATOMIC_ACQUIRE))
        arch_pause();
    call_end();
}

/* --- TLB --- */

/* Switching global pages off and on drops everything (Intel SDM 3A 4.10.4.1);
 * without them, CR3 does. */
void smp_tlb_flush_self(void)
{
    uint64_t cr4, flags = arch_irq_save();

    if (arch_cpu_info()->pge) {
        __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
        __asm__ volatile("movq %0, %%cr4" ::"r"(cr4 & ~CR4_PGE) : "memory");
        __asm__ volatile("movq %0, %%cr4" ::"r"(cr4) : "memory");
    } else {
        arch_write_cr3(arch_read_cr3());
    }
    arch_irq_restore(flags);
}

static void flush_local(void *arg)
{
    const struct flush_range *r = arg;
    uintptr_t first = ALIGN_DOWN(r->va, PAGE_SIZE);
    size_t pages = (ALIGN_UP(r->va + r->size, PAGE_SIZE) - first) / PAGE_SIZE;

    if (pages > FLUSH_PAGES_MAX) {
        smp_tlb_flush_self();
        return;
    }
    for (size_t i = 0; i < pages; i++)
        arch_invlpg(first + i * PAGE_SIZE);
}

void smp_tlb_flush(uintptr_t va, size_t size)
{
    struct flush_range range = {.va = va, .size = size};

    /* A CPU that starts flushes its own after it has become visible. */
    if (cpu_count() == 1)
        flush_local(&range);
    else
        smp_call_all(flush_local, &range);
}

/* --- stop --- */

bool smp_stop_requested(void)
{
    return __atomic_load_n(&stop_requested, __ATOMIC_ACQUIRE);
}

void smp_stop_others(void)
{
    uint32_t n = cpu_count();

    __atomic_store_n(&stop_requested, true, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < n; i++)
        if (i != cpu_id())
            lapic_send_nmi(cpu_get(i)->apic_id);
}

void smp_call_init(void)
{
    irq_claim_system(VECTOR_RESCHEDULE, "reschedule", reschedule_interrupt);
    irq_claim_system(VECTOR_CALL, "call", call_interrupt);
}
