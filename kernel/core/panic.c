/*
 * The end of the machine. The first CPU to panic owns it: it stops the others,
 * reports, and halts or resets. Works in any context, from the kernel's first
 * instruction on; takes no lock and allocates nothing.
 */
#include <rayos/panic.h>

#include <stdarg.h>
#include <string.h>

#include <arch/cpu.h>
#include <arch/trap.h>
#include <rayos/clock.h>
#include <rayos/cmdline.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/power.h>
#include <rayos/smp.h>
#include <rayos/symbols.h>

#include "panic_internal.h"

#define MSR_GS_BASE 0xc0000101u

/* How long the others may take to stop. */
#define STOP_TIMEOUT_NS (200 * NS_PER_MS)
#define STOP_SPINS      10000000u /* when there is no clock yet */

#define OWNER_NONE 0 /* else the CPU's id + 1 */

extern char __text_start[], __text_end[], __kernel_end[]; /* kernel.ld */

static _Atomic uint32_t owner;
static unsigned depth;        /* panics inside the panic; the owner's */
static const char *first_fmt; /* what the panic was about; the owner's */
static struct panic_cpu states[MAX_CPUS];

/* This CPU's data; NULL before they are set up. */
static const struct cpu *self(void)
{
    return arch_rdmsr(MSR_GS_BASE) >= DIRECT_MAP_BASE ? cpu_self() : NULL;
}

static uint32_t self_id(void)
{
    const struct cpu *c = self();

    return c && c->id < MAX_CPUS ? c->id : 0;
}

static _Noreturn void halt(void)
{
    for (;;) {
        arch_irq_disable();
        arch_halt();
    }
}

bool panic_can_read(uintptr_t addr, size_t size)
{
    uintptr_t end = addr + size;
    enum kspace_prot prot;
    phys_t pa;

    if (!addr || !size || end < addr)
        return false;
    if (!kspace_root()) /* on the loader's tables, and the boot stack */
        return addr >= (uintptr_t)__text_start &&
               end <= (uintptr_t)__kernel_end;
    for (uintptr_t page = ALIGN_DOWN(addr, PAGE_SIZE); page < end;
         page += PAGE_SIZE)
        if (!kspace_lookup(page, &pa, &prot))
            return false;
    return true;
}

const struct panic_cpu *panic_cpu_state(uint32_t id)
{
    return id < MAX_CPUS && states[id].stopped ? &states[id] : NULL;
}

/* After a call of what is no code (a null pointer, data) the caller is known
 * only by the return address on top of the stack. */
static void caller_note(struct panic_cpu *s)
{
    const uintptr_t *top = (const uintptr_t *)s->rsp;

    if ((s->rip >= (uintptr_t)__text_start && s->rip < (uintptr_t)__text_end) ||
        s->rsp % sizeof(*top) || !panic_can_read(s->rsp, sizeof(*top)) ||
        *top < (uintptr_t)__text_start || *top >= (uintptr_t)__text_end)
        return;
    s->caller = *top;
}

/* Write down, once, where this CPU is. */
static const struct panic_cpu *state_note(uintptr_t rip, uintptr_t rsp,
                                          uintptr_t rbp)
{
    const struct cpu *c = self();
    struct panic_cpu *s = &states[self_id()];

    if (s->stopped)
        return s;
    s->rip = rip;
    s->rsp = rsp;
    s->thread = c ? c->current : NULL;
    caller_note(s);
    backtrace_walk(&s->trace, rbp, panic_can_read);
    s->stopped = true;
    return s;
}

_Noreturn void panic_cpu_stopped(const struct trap_frame *frame)
{
    state_note(frame->rip, frame->rsp, frame->rbp);
    halt();
}

static bool others_stopped(void)
{
    for (uint32_t id = 0; id < cpu_count(); id++)
        if (id != self_id() && !panic_cpu_state(id))
            return false;
    return true;
}

static void others_stop(void)
{
    bool clock = clock_tsc_hz() != 0;
    nstime_t deadline = clock ? clock_now() + STOP_TIMEOUT_NS : 0;

    if (cpu_count() < 2)
        return;
    smp_stop_others();
    for (unsigned i = 0; !others_stopped(); i++) {
        if (clock ? clock_now() > deadline : i > STOP_SPINS)
            return;
        arch_pause();
    }
}

static bool wants_reset(void)
{
    const char *choice = cmdline_get("panic");

    if (choice && strcmp(choice, "reset") == 0)
        return true;
    if (choice && strcmp(choice, "halt") == 0)
        return false;
    return cmdline_has("headless");
}

static _Noreturn void finish(void)
{
    panic_output_flush();
    if (wants_reset()) {
        panic_print("\nThe machine is reset.\n");
        panic_output_flush();
        power_now(POWER_RESET);
    }
    panic_print("\nThe machine is halted. The next boot shows this as "
                "sys.last_panic(), unless power is lost.\n");
    panic_output_flush();
    halt();
}

/* The panic itself failed: say so in a line, end. If that fails too, stop. */
static _Noreturn void panic_again(uintptr_t rip, const char *fmt, va_list ap)
{
    static char text[200], where[64];

    if (++depth > 1)
        halt();
    symbol_format(where, sizeof(where), rip);
    fmt_vsnprintf(text, sizeof(text), fmt, ap);
    panic_print("\nRayOS panic inside the panic \"%s\", at %s: %s\n", first_fmt,
                where, text);
    finish();
}

/* True for the one CPU that may go on; the panic's own panics too. */
static bool owner_claim(uint32_t id, bool *again)
{
    uint32_t expected = OWNER_NONE;

    *again = false;
    if (__atomic_compare_exchange_n((uint32_t *)&owner, &expected, id + 1,
                                    false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return true;
    *again = expected == id + 1;
    return *again;
}

static _Noreturn void panic_run(const struct trap_frame *frame, uintptr_t rip,
                                uintptr_t rsp, uintptr_t rbp, const char *fmt,
                                va_list ap)
{
    static char text[256];
    struct panic_cause cause = {.text = text, .frame = frame, .cpu = self_id()};
    bool again;

    arch_irq_disable();
    if (!owner_claim(cause.cpu, &again)) {
        /* Another CPU was first, and its report tells of us. */
        state_note(rip, rsp, rbp);
        halt();
    }
    if (again)
        panic_again(rip, fmt, ap);
    first_fmt = fmt;
    cause.self = state_note(rip, rsp, rbp);
    panic_output_begin();
    others_stop();
    fmt_vsnprintf(text, sizeof(text), fmt, ap); /* may fault */
    panic_report(&cause);
    finish();
}

_Noreturn void panic(const char *fmt, ...)
{
    const uintptr_t *frame = __builtin_frame_address(0);
    va_list ap;

    va_start(ap, fmt);
    panic_run(NULL, frame[1], (uintptr_t)(frame + 2), frame[0], fmt, ap);
}

_Noreturn void panic_trap(const struct trap_frame *frame, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    panic_run(frame, frame->rip, frame->rsp, frame->rbp, fmt, ap);
}
