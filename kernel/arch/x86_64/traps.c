/*
 * Exceptions. One that a fix-up covers continues there; every other ends in a
 * panic that says what happened in words. Runs in the context of the fault,
 * with interrupts off; must not lock or allocate.
 */
#include <stddef.h>

#include <arch/cpu.h>
#include <arch/extable.h>
#include <arch/gdt.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/panic.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>

_Static_assert(offsetof(struct trap_frame, rip) == 136, "vectors.S");
_Static_assert(sizeof(struct trap_frame) == 176, "vectors.S keeps 16");

/* Nobody's address: a null pointer with an offset of a field or an index. */
#define NULL_ZONE (64 * 1024)

void trap_dispatch(struct trap_frame *frame);

static const char *const names[TRAP_COUNT] = {
    "#DE division by zero or overflow",
    "#DB debug",
    "NMI",
    "#BP breakpoint",
    "#OF overflow",
    "#BR bound range",
    "#UD invalid opcode",
    "#NM no FPU",
    "#DF double fault",
    "coprocessor segment overrun",
    "#TS invalid TSS",
    "#NP segment not present",
    "#SS stack segment",
    "#GP general protection",
    "#PF page fault",
    "reserved exception 15",
    "#MF x87 error",
    "#AC alignment check",
    "#MC machine check",
    "#XM SIMD floating point",
    "#VE virtualization",
    "#CP control protection",
    [28] = "#HV hypervisor injection",
    [29] = "#VC VMM communication",
    [30] = "#SX security",
};

const char *trap_name(uint64_t vector)
{
    if (vector >= TRAP_COUNT)
        return "interrupt";
    return names[vector] ? names[vector] : "reserved exception";
}

static bool trap_fix_up(struct trap_frame *frame)
{
    extern const struct extable_entry __start_rayos_extable[],
        __stop_rayos_extable[];

    for (const struct extable_entry *e = __start_rayos_extable;
         e < __stop_rayos_extable; e++) {
        if (e->fault_ip == frame->rip) {
            frame->rip = e->fixup_ip;
            return true;
        }
    }
    return false;
}

/* Is `addr` in the page below a stack that begins at `stack`. */
static bool below_stack(uintptr_t addr, uintptr_t stack)
{
    return stack && addr < stack && stack - addr <= PAGE_SIZE;
}

/* A fault at `addr` that is an overflow ends here. */
static void check_stack_overflow(const struct trap_frame *frame, uintptr_t addr)
{
    const struct cpu *cpu = cpu_self();
    const struct thread *t = cpu->current;

    if (t && below_stack(addr, (uintptr_t)t->stack))
        panic_trap(frame, "kernel stack overflow in thread %s (address %#lx)",
                   t->name, addr);
    if (below_stack(addr, cpu->irq_stack_top - IRQ_STACK_SZ))
        panic_trap(frame, "interrupt stack overflow (address %#lx)", addr);
}

/* What was tried, from the error code (Intel SDM 3A 4.7). */
static const char *page_fault_cause(uint64_t error)
{
    if (error & PF_RESERVED)
        return "reserved bit in a page table";
    if (error & PF_FETCH)
        return error & PF_PRESENT ? "execution of no-execute page"
                                  : "execution of unmapped address";
    if (error & PF_WRITE)
        return error & PF_PRESENT ? "write to read-only page"
                                  : "write to unmapped address";
    return error & PF_PRESENT ? "forbidden read" : "read of unmapped address";
}

static _Noreturn void trap_page_fault(const struct trap_frame *frame)
{
    uintptr_t addr = arch_read_cr2();
    const char *cause = page_fault_cause(frame->error);

    check_stack_overflow(frame, addr);
    if (addr < NULL_ZONE)
        panic_trap(frame, "null pointer dereference: %s, address %#lx", cause,
                   addr);
    panic_trap(frame, "page fault: %s, address %#lx (%s), error code %#lx",
               cause, addr, kspace_describe(addr), frame->error);
}

static _Noreturn void trap_double_fault(const struct trap_frame *frame)
{
    uintptr_t addr = arch_read_cr2();

    check_stack_overflow(frame, addr);
    check_stack_overflow(frame, frame->rsp);
    panic_trap(frame, "#DF double fault, CR2 %#lx (%s), RSP %#lx (%s)", addr,
               kspace_describe(addr), frame->rsp, kspace_describe(frame->rsp));
}

/* Selector error codes, Intel SDM 3A 6.13. */
static _Noreturn void trap_selector_fault(const struct trap_frame *frame)
{
    static const char *const table[] = {"GDT", "IDT", "LDT", "IDT"};

    if (!frame->error)
        panic_trap(frame, "%s", trap_name(frame->vector));
    panic_trap(frame, "%s, %s selector %#lx%s", trap_name(frame->vector),
               table[frame->error >> 1 & 3], frame->error & 0xfff8,
               frame->error & 1 ? ", external" : "");
}

/* Called by vectors.S. */
void trap_dispatch(struct trap_frame *frame)
{
    switch (frame->vector) {
    case TRAP_NMI:
        if (smp_stop_requested())
            panic_cpu_stopped(frame);
        panic_trap(frame, "unexpected NMI");
    case TRAP_DF:
        trap_double_fault(frame);
    case TRAP_PF:
        if (trap_fix_up(frame))
            return;
        trap_page_fault(frame);
    case TRAP_GP:
        if (trap_fix_up(frame))
            return;
        trap_selector_fault(frame);
    case TRAP_TS:
    case TRAP_NP:
    case TRAP_SS:
        trap_selector_fault(frame);
    default:
        panic_trap(frame, "%s", trap_name(frame->vector));
    }
}
