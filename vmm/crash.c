/* The dump of a vCPU: see crash.h. */
#include "vmm/crash.h"

#include <stdarg.h>

#include <rayos/clock.h>
#include <rayos/fmt.h>
#include <rayos/mm.h>

#include "vmm/walk.h"

#define CODE_BYTES  32
#define STACK_WORDS 8

struct dump {
    char *text;
    size_t used;
};

typedef unsigned long long ull;

static void put(struct dump *d, const char *format, ...) FMT_PRINTF(2, 3);

static void put(struct dump *d, const char *format, ...)
{
    size_t room = CRASH_TEXT_MAX - d->used;
    va_list ap;
    int n;

    va_start(ap, format);
    n = fmt_vsnprintf(d->text + d->used, room, format, ap);
    va_end(ap);
    if (n > 0)
        d->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void put_line(void *arg, const char *text)
{
    put(arg, "%s\n", text);
}

static void put_general(struct dump *d, const struct vcpu_registers *r)
{
    static const char *const names[GPR_COUNT] = {
        "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
        "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15"};

    for (unsigned i = 0; i < GPR_COUNT; i++)
        put(d, "%-3s %016llx%s", names[i], (ull)r->gpr[i],
            i % 4 == 3 ? "\n" : "  ");
    put(d, "RIP %016llx  RFLAGS %llx\n", (ull)r->rip, (ull)r->rflags);
}

static void put_state(struct dump *d, const struct vcpu_state *s)
{
    static const char *const names[SEGMENT_COUNT] = {"ES", "CS", "SS",   "DS",
                                                     "FS", "GS", "LDTR", "TR"};

    for (unsigned i = 0; i < SEGMENT_COUNT; i++) {
        const struct segment *g = &s->segment[i];

        put(d, "%-4s %04x base %016llx limit %08x attributes %04x\n", names[i],
            g->selector, (ull)g->base, g->limit, g->attributes);
    }
    put(d, "GDT %016llx %04x  IDT %016llx %04x\n", (ull)s->gdtr.base,
        s->gdtr.limit, (ull)s->idtr.base, s->idtr.limit);
    put(d, "CR0 %llx CR2 %llx CR3 %llx CR4 %llx EFER %llx DR6 %llx DR7 %llx\n",
        (ull)s->cr0, (ull)s->cr2, (ull)s->cr3, (ull)s->cr4, (ull)s->efer,
        (ull)s->dr6, (ull)s->dr7);
}

static void put_code(struct dump *d, struct vcpu *v, const struct vcpu_state *s)
{
    uint8_t bytes[CODE_BYTES];
    size_t n = walk_fetch(v, s, bytes, sizeof(bytes));

    put(d, "code at RIP:");
    for (size_t i = 0; i < n; i++)
        put(d, " %02x", bytes[i]);
    put(d, n ? "\n" : " not readable\n");
}

static void put_walk(struct dump *d, struct vcpu *v, const struct vcpu_state *s,
                     const char *what, uint64_t va)
{
    struct guest_fault f;
    gpa_t gpa;
    int err = walk_translate(v, s, va, WALK_PEEK, &gpa, &f);

    if (err)
        put(d, "%s %llx is not mapped\n", what, (ull)va);
    else
        put(d, "%s %llx is guest-physical %llx%s\n", what, (ull)va, (ull)gpa,
            guest_read(v->vm->memory, gpa, &(uint8_t){0}, 1) ? ", not RAM"
                                                             : "");
}

static void put_stack(struct dump *d, struct vcpu *v,
                      const struct vcpu_state *s)
{
    uint64_t at = s->segment[SEGMENT_SS].base + v->regs.gpr[GPR_RSP];
    struct guest_fault f;

    put(d, "stack:");
    for (unsigned i = 0; i < STACK_WORDS; i++) {
        uint64_t word;

        if (walk_read(v, s, at + 8 * i, &word, sizeof(word), WALK_PEEK, &f))
            break;
        put(d, " %016llx", (ull)word);
    }
    put(d, "\n");
}

static void put_history(struct dump *d, const struct vcpu *v)
{
    uint32_t n = v->history_next < VCPU_HISTORY ? v->history_next
                                                : VCPU_HISTORY;

    put(d, "last %u exits, the newest first:\n", n);
    for (uint32_t i = 0; i < n; i++) {
        const struct vcpu_exit_record *r =
            &v->history[(v->history_next - 1 - i) % VCPU_HISTORY];

        put(d, "%12llu us  %-12s %#x rip %llx %llx %llx\n",
            (ull)(clock_from_tsc(r->tsc) / NS_PER_US),
            exit_reason_name(r->reason), r->code, (ull)r->rip, (ull)r->info1,
            (ull)r->info2);
    }
}

char *crash_describe(struct vcpu *v, const char *why)
{
    struct dump d = {.text = kalloc(CRASH_TEXT_MAX)};
    struct vcpu_state s;

    if (!d.text)
        return NULL;
    vmm_backend()->get_state(v, &s);
    put(&d, "VM \"%s\" CPU %u: %s\n", v->vm->config.name, v->index, why);
    put_general(&d, &v->regs);
    put_state(&d, &s);
    put_walk(&d, v, &s, "RIP", s.segment[SEGMENT_CS].base + v->regs.rip);
    put_walk(&d, v, &s, "CR2", s.cr2);
    put_code(&d, v, &s);
    put_stack(&d, v, &s);
    vmm_backend()->dump(v, put_line, &d);
    put_history(&d, v);
    return d.text;
}
