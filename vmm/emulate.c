/*
 * Emulation against a VM's devices and memory, through the guest's own page
 * tables: see emulate.h. The vCPU's thread.
 */
#include "vmm/emulate.h"

#include <errno.h>

#include <rayos/fmt.h>

#include "vmm/emulate_core.h"
#include "vmm/mmio.h"

#define CR0_PE    UINT64_C(1)
#define RFLAGS_TF (UINT64_C(1) << 8)
#define DR6_BS    (UINT64_C(1) << 14)
#define VECTOR_DB 1
#define VECTOR_PF 14

/* vmm/vector_registers.S */
void vector_store(unsigned i, void *to);
void vector_load(unsigned i, const void *from);

struct guest_emulation {
    struct emulation m;
    struct vcpu *v;
};

/* A linear range in at most two pages. */
struct pieces {
    gpa_t gpa[2];
    unsigned n[2];
};

static struct vcpu *vcpu_of(struct emulation *m)
{
    return container_of(m, struct guest_emulation, m)->v;
}

/* All of it, before any part is touched. */
static int translate(struct emulation *m, uint64_t va, unsigned n, bool write,
                     struct pieces *p)
{
    unsigned access = walk_access(m->state, write);
    uint64_t room = PAGE_SIZE - va % PAGE_SIZE;
    int err;

    p->n[0] = n < room ? n : (unsigned)room;
    p->n[1] = n - p->n[0];
    err = walk_translate(vcpu_of(m), m->state, va, access, &p->gpa[0],
                         &m->fault);
    if (!err && p->n[1])
        err = walk_translate(vcpu_of(m), m->state,
                             linear_after(m->state, va, p->n[0]), access,
                             &p->gpa[1], &m->fault);
    return err;
}

static int guest_check(struct emulation *m, uint64_t linear, unsigned n,
                       bool write)
{
    struct pieces p;

    return translate(m, linear, n, write, &p);
}

static int linear_read(struct emulation *m, uint64_t linear, void *out,
                       unsigned n)
{
    struct pieces p;
    int err = translate(m, linear, n, false, &p);

    if (err)
        return err;
    mmio_read(vcpu_of(m), p.gpa[0], out, p.n[0]);
    if (p.n[1])
        mmio_read(vcpu_of(m), p.gpa[1], (uint8_t *)out + p.n[0], p.n[1]);
    return 0;
}

static int linear_write(struct emulation *m, uint64_t linear, const void *data,
                        unsigned n)
{
    struct pieces p;
    int err = translate(m, linear, n, true, &p);

    if (err)
        return err;
    mmio_write(vcpu_of(m), p.gpa[0], data, p.n[0]);
    if (p.n[1])
        mmio_write(vcpu_of(m), p.gpa[1], (const uint8_t *)data + p.n[0],
                   p.n[1]);
    return 0;
}

static void guest_vector_get(struct emulation *m, unsigned i, uint64_t value[2])
{
    (void)m;
    vector_store(i, value);
}

static void guest_vector_set(struct emulation *m, unsigned i,
                             const uint64_t value[2])
{
    (void)m;
    vector_load(i, value);
}

static const struct emulate_ops ops = {
    .check = guest_check,
    .read = linear_read,
    .write = linear_write,
    .vector_get = guest_vector_get,
    .vector_set = guest_vector_set,
};

/* In real mode exceptions have no error code. */
static void deliver(struct vcpu *v, const struct vcpu_state *s,
                    const struct guest_fault *f)
{
    if (f->vector == VECTOR_PF)
        walk_deliver_fault(v, f);
    else
        vcpu_fault(v, f->vector, s->cr0 & CR0_PE, f->error);
}

/* The trap after each instruction that TF asks for. */
static void single_step(struct vcpu *v, struct vcpu_state *s)
{
    s->dr6 |= DR6_BS;
    vmm_backend()->set_state(v, s);
    vcpu_fault(v, VECTOR_DB, false, 0);
}

int emulate_mmio(struct vcpu *v, const struct vm_exit *e)
{
    struct guest_emulation g;
    struct vcpu_state state;
    uint8_t bytes[INSTRUCTION_MAX];
    bool trap = v->regs.rflags & RFLAGS_TF;
    size_t n;
    int err;

    (void)e; /* the instruction itself says it, and all of its accesses */
    vmm_backend()->get_state(v, &state);
    n = walk_fetch(v, &state, bytes, sizeof(bytes));
    g.m.regs = v->regs;
    g.m.state = &state;
    g.m.ops = &ops;
    g.v = v;
    err = emulate_run(&g.m, bytes, n);
    if (err == -EFAULT) {
        v->regs = g.m.regs; /* elements of a REP that are done */
        deliver(v, &state, &g.m.fault);
        return 0;
    }
    /* Cut off, or changed since: the guest meets it again. */
    if (err == -ENODATA)
        return 0;
    if (err < 0)
        return err;
    v->regs = g.m.regs;
    vmm_backend()->skipped(v);
    if (trap)
        single_step(v, &state);
    return 0;
}
