/*
 * Messages between CPUs: reschedule, call a function everywhere, flush TLBs,
 * stop. Calls take no lock: the caller hangs a node into the list of every
 * other CPU and waits, with interrupts on, until the last has run it; so any
 * number of calls may cross, and two CPUs that call each other serve each
 * other while they wait.
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
#include <rayos/thread.h>

#define CR4_PGE (UINT64_C(1) << 7)
/* More pages than this are dropped by flushing all. */
#define FLUSH_PAGES_MAX 32

/* One call: on its caller's stack until `pending` is 0. */
struct call {
    void (*fn)(void *arg);
    void *arg;
    uint32_t pending; /* atomic: CPUs that still have to run it */
};

struct call_node {
    struct call_node *next;
    struct call *call;
};

static struct call_node *call_lists[MAX_CPUS]; /* atomic; newest first */

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

/* Takes the whole list. A node and its call are gone as soon as `pending` has
 * been counted down, so the next node is looked up first. */
static void call_interrupt(void *arg)
{
    struct call_node *node = __atomic_exchange_n(
        &call_lists[cpu_id()], (struct call_node *)NULL, __ATOMIC_ACQUIRE);

    (void)arg;
    while (node) {
        struct call_node *next = node->next;
        struct call *call = node->call;

        call->fn(call->arg);
        __atomic_fetch_sub(&call->pending, 1, __ATOMIC_RELEASE);
        node = next;
    }
}

/* Who finds the list empty interrupts the CPU; who does not knows that another
 * has done so, or is about to. */
static void call_post(uint32_t id, struct call_node *node, struct call *call)
{
    struct call_node *head = __atomic_load_n(&call_lists[id], __ATOMIC_RELAXED);

    node->call = call;
    do
        node->next = head;
    while (!__atomic_compare_exchange_n(&call_lists[id], &head, node, true,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    if (!head)
        lapic_send_ipi(cpu_get(id)->apic_id, VECTOR_CALL);
}

/* As if in an interrupt, with its way out: whom `fn` wakes here may be more
 * important than we are. */
static void call_self(const struct call *call)
{
    struct cpu *cpu = cpu_self();

    cpu->irq_depth++;
    call->fn(call->arg);
    cpu->irq_depth--;
    if (cpu->need_resched)
        sched_interrupt_exit();
}

void smp_call_all(void (*fn)(void *arg), void *arg)
{
    struct call_node nodes[MAX_CPUS];
    struct call call = {.fn = fn, .arg = arg};
    uint32_t n;

    KASSERT(arch_irq_enabled() && !in_interrupt());
    /* Off, so that "this CPU" and "the others" mean the same to the end. */
    arch_irq_disable();
    n = cpu_count();
    call.pending = n - 1;
    for (uint32_t i = 0; i < n; i++)
        if (i != cpu_id())
            call_post(i, &nodes[i], &call);
    call_self(&call);
    arch_irq_enable();
    while (__atomic_load_n(&call.pending, __ATOMIC_ACQUIRE))
        arch_pause();
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
