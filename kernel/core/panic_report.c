/*
 * The panic report: cause, registers, backtrace of every CPU, the end of the
 * log. Called by the one CPU that panics, in any context; trusts no pointer.
 */
#include <string.h>

#include <arch/cpu.h>
#include <arch/trap.h>
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/symbols.h>
#include <rayos/thread.h>

#include "panic_internal.h"

#define LOG_LINES 20

/* The name of a thread whose structure may be broken. */
static const char *thread_name(const struct thread *t)
{
    static char name[THREAD_NAME_MAX];

    if (!t)
        return "none";
    if (!panic_can_read((uintptr_t)t, sizeof(*t)))
        return "(bad pointer)";
    for (size_t i = 0; i < sizeof(name) - 1; i++) {
        char c = t->name[i];

        name[i] = c == '\0' || (c >= ' ' && c < 0x7f) ? c : '?';
    }
    return name;
}

static void print_cause(const struct panic_cause *cause)
{
    panic_print("\nRayOS panic: %s\n", cause->text);
    panic_print("CPU %u, thread %s", cause->cpu,
                thread_name(cause->self->thread));
    if (clock_tsc_hz()) {
        nstime_t now = clock_now();

        panic_print(", %llu.%06llu s after start",
                    (unsigned long long)(now / NS_PER_SEC),
                    (unsigned long long)(now % NS_PER_SEC / NS_PER_US));
    }
    panic_print("\n\n");
}

static void print_registers(const struct trap_frame *f)
{
    panic_print("RIP %04lx:%016lx  RSP %04lx:%016lx  RFLAGS %08lx\n", f->cs,
                f->rip, f->ss, f->rsp, f->rflags);
    panic_print("RAX %016lx  RBX %016lx  RCX %016lx\n", f->rax, f->rbx, f->rcx);
    panic_print("RDX %016lx  RSI %016lx  RDI %016lx\n", f->rdx, f->rsi, f->rdi);
    panic_print("RBP %016lx  R8  %016lx  R9  %016lx\n", f->rbp, f->r8, f->r9);
    panic_print("R10 %016lx  R11 %016lx  R12 %016lx\n", f->r10, f->r11, f->r12);
    panic_print("R13 %016lx  R14 %016lx  R15 %016lx\n", f->r13, f->r14, f->r15);
    panic_print("%s, error code %#lx\n", trap_name(f->vector), f->error);
}

static void print_control_registers(const struct trap_frame *f)
{
    uint64_t cr0, cr4, cr2 = arch_read_cr2();

    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    panic_print("CR0 %016lx  CR2 %016lx\n", cr0, cr2);
    panic_print("CR3 %016lx  CR4 %016lx\n", arch_read_cr3(), cr4);
    if (f && (f->vector == TRAP_PF || f->vector == TRAP_DF))
        panic_print("Faulting address %#lx: %s\n", cr2, kspace_describe(cr2));
    panic_print("\n");
}

/* A return address may be the first of the next function, when the call does
 * not return: what counts is the call, before it. */
static void print_address(uintptr_t pc, bool is_return)
{
    uintptr_t offset;
    const char *name = symbol_lookup(pc - is_return, &offset);

    if (name)
        panic_print("  %016lx  %s+%#lx\n", pc, name, offset + is_return);
    else
        panic_print("  %016lx\n", pc);
}

/* `called`: c->rip is a return address too, that of the call of panic(). */
static void print_trace(const struct panic_cpu *c, bool called)
{
    print_address(c->rip, called);
    if (c->caller)
        print_address(c->caller, true);
    for (uint32_t i = 0; i < c->trace.depth; i++)
        print_address(c->trace.pc[i], true);
    if (c->trace.cut)
        panic_print("  ...\n");
}

static void print_other_cpus(uint32_t self)
{
    for (uint32_t id = 0; id < cpu_count(); id++) {
        const struct panic_cpu *c = panic_cpu_state(id);

        if (id == self)
            continue;
        if (!c) {
            panic_print("CPU %u did not stop.\n", id);
            continue;
        }
        panic_print("CPU %u, thread %s, RSP %016lx:\n", id,
                    thread_name(c->thread), c->rsp);
        print_trace(c, false);
    }
}

static void print_log(void)
{
    static struct log_record r;
    uint64_t newest = log_newest();
    uint64_t seq = newest > LOG_LINES ? newest - LOG_LINES + 1 : 1;

    panic_print("\nThe last lines of the log:\n");
    for (unsigned i = 0; i < LOG_LINES && log_read(&seq, &r); i++, seq++)
        panic_print("  %4llu.%06llu %u %-5s %s: %s\n",
                    (unsigned long long)(r.time / NS_PER_SEC),
                    (unsigned long long)(r.time % NS_PER_SEC / NS_PER_US),
                    r.cpu, log_level_name((enum log_level)r.level), r.module,
                    r.text);
}

void panic_report(const struct panic_cause *cause)
{
    print_cause(cause);
    if (cause->frame)
        print_registers(cause->frame);
    print_control_registers(cause->frame);
    panic_print("Backtrace of CPU %u:\n", cause->cpu);
    print_trace(cause->self, !cause->frame);
    print_other_cpus(cause->cpu);
    print_log();
}
