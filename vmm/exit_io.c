/*
 * Port I/O: the bus of a VM's ports, and INS and OUTS, whose other side is the
 * guest's memory through its own page tables. The vCPU's thread.
 */
#include <errno.h>
#include <stdatomic.h>

#include "vmm/vm.h"
#include "vmm/walk.h"

#define RFLAGS_DF (UINT64_C(1) << 10)
#define INSN_MAX  15
/* Elements of one REP that are done before others get the vCPU's attention. */
#define REP_CHUNK   256
#define SEG_DEFAULT SEGMENT_COUNT

static const struct vm_region *port_find(struct vcpu *v, uint16_t port)
{
    const struct vm_region *last = v->last_port;

    if (last && port - last->base < last->size && port >= last->base)
        return last;
    list_for_each (n, &v->vm->ports) {
        const struct vm_region *r = container_of(n, struct vm_region, node);

        if (port >= r->base && port - r->base < r->size) {
            v->last_port = r;
            return r;
        }
    }
    return NULL;
}

static void unknown(struct vcpu *v)
{
    atomic_fetch_add_explicit(&v->vm->unknown_ports, 1, memory_order_relaxed);
}

static uint64_t port_in(struct vcpu *v, uint16_t port, unsigned size)
{
    const struct vm_region *r = port_find(v, port);
    uint64_t value = UINT64_MAX;

    if (!r || port - r->base + size > r->size) {
        unknown(v);
        return value;
    }
    ((struct vm_region *)r)->reads++;
    if (!r->read ||
        r->read(v, r->device, port - r->base, size, &value) != MMIO_HANDLED)
        value = UINT64_MAX;
    return value;
}

static void port_out(struct vcpu *v, uint16_t port, unsigned size,
                     uint64_t value)
{
    const struct vm_region *r = port_find(v, port);

    if (!r || port - r->base + size > r->size) {
        unknown(v);
        return;
    }
    ((struct vm_region *)r)->writes++;
    if (r->write)
        r->write(v, r->device, port - r->base, size, value);
}

/* Low `size` bytes of RAX; 32-bit results clear the upper half. */
static void rax_set(struct vcpu *v, unsigned size, uint64_t value)
{
    uint64_t *rax = &v->regs.gpr[GPR_RAX];

    if (size == 4)
        *rax = (uint32_t)value;
    else if (size == 2)
        *rax = (*rax & ~UINT64_C(0xffff)) | (uint16_t)value;
    else
        *rax = (*rax & ~UINT64_C(0xff)) | (uint8_t)value;
}

/* --- INS and OUTS --- */

struct string_io {
    uint64_t mask;    /* of the address size */
    unsigned segment; /* SEG_DEFAULT: DS */
    bool long_mode;
};

static void prefix_read(uint8_t byte, struct string_io *io, bool *other_size)
{
    static const struct {
        uint8_t byte;
        enum segment_register segment;
    } overrides[] = {
        {0x26, SEGMENT_ES}, {0x2e, SEGMENT_CS}, {0x36, SEGMENT_SS},
        {0x3e, SEGMENT_DS}, {0x64, SEGMENT_FS}, {0x65, SEGMENT_GS},
    };

    if (byte == 0x67)
        *other_size = true;
    for (size_t i = 0; i < ARRAY_SIZE(overrides); i++)
        if (overrides[i].byte == byte)
            io->segment = overrides[i].segment;
}

/* Address size and segment stand in the prefixes, which no CPU without decode
 * assists tells us. Bytes after the opcode are not looked at. */
static void string_decode(struct vcpu *v, const struct vcpu_state *s,
                          struct string_io *io)
{
    uint16_t cs = s->segment[SEGMENT_CS].attributes;
    uint8_t bytes[INSN_MAX];
    size_t n = walk_fetch(v, s, bytes, sizeof(bytes));
    bool other_size = false;

    *io = (struct string_io){.segment = SEG_DEFAULT};
    io->long_mode = (s->efer >> 10 & 1) && (cs & SEGMENT_LONG);
    for (size_t i = 0; i < n && (bytes[i] & 0xfc) != 0x6c; i++)
        prefix_read(bytes[i], io, &other_size);
    if (io->long_mode)
        io->mask = other_size ? UINT32_MAX : UINT64_MAX;
    else if (!(cs & SEGMENT_BIG) == other_size)
        io->mask = UINT32_MAX;
    else
        io->mask = UINT16_MAX;
}

static uint64_t linear(const struct vcpu_state *s, const struct string_io *io,
                       unsigned segment, uint64_t offset)
{
    offset &= io->mask;
    if (io->long_mode && segment != SEGMENT_FS && segment != SEGMENT_GS)
        return offset;
    offset += s->segment[segment].base;
    return io->long_mode ? offset : (uint32_t)offset;
}

static void advance(struct vcpu *v, const struct string_io *io, enum gpr r,
                    int64_t by)
{
    uint64_t *reg = &v->regs.gpr[r];
    uint64_t next = (*reg + (uint64_t)by) & io->mask;

    /* 16-bit addressing keeps the upper part, 32-bit clears it. */
    *reg = io->mask == UINT16_MAX ? (*reg & ~io->mask) | next : next;
}

/* One element. 0, or walk_*'s error. */
static int string_step(struct vcpu *v, const struct vcpu_state *s,
                       const struct vm_exit *e, const struct string_io *io,
                       struct guest_fault *f)
{
    unsigned size = e->io.size;
    int64_t by = v->regs.rflags & RFLAGS_DF ? -(int64_t)size : (int64_t)size;
    uint64_t value = 0;
    gpa_t gpa;
    int err;

    if (e->io.in) {
        uint64_t va = linear(s, io, SEGMENT_ES, v->regs.gpr[GPR_RDI]);

        /* Before the port is read: that cannot be undone. */
        err = walk_translate(v, s, va, walk_access(s, true), &gpa, f);
        if (err)
            return err;
        value = port_in(v, e->io.port, size);
        err = walk_write(v, s, va, &value, size, walk_access(s, true), f);
    } else {
        unsigned seg = io->segment == SEG_DEFAULT ? SEGMENT_DS : io->segment;
        uint64_t va = linear(s, io, seg, v->regs.gpr[GPR_RSI]);

        err = walk_read(v, s, va, &value, size, walk_access(s, false), f);
        if (!err)
            port_out(v, e->io.port, size, value);
    }
    if (!err)
        advance(v, io, e->io.in ? GPR_RDI : GPR_RSI, by);
    return err;
}

/* A long REP is left before its end, RIP unchanged, as an interrupt would leave
 * it: the instruction is met again and goes on. */
static void string_io(struct vcpu *v, const struct vm_exit *e)
{
    struct vcpu_state s;
    struct string_io io;
    struct guest_fault f;
    uint64_t count = 1;
    int err = 0;

    vmm_backend()->get_state(v, &s);
    string_decode(v, &s, &io);
    if (e->io.rep)
        count = v->regs.gpr[GPR_RCX] & io.mask;
    for (unsigned i = 0; count && i < REP_CHUNK && !err; i++) {
        err = string_step(v, &s, e, &io, &f);
        if (err)
            break;
        count--;
        if (e->io.rep)
            advance(v, &io, GPR_RCX, -1);
    }
    if (err == -EFAULT)
        walk_deliver_fault(v, &f);
    else if (err)
        vm_crash(v, "string I/O at port %#x to what is not RAM", e->io.port);
    else if (!count)
        vcpu_skip(v, e);
}

void exit_io(struct vcpu *v, const struct vm_exit *e)
{
    unsigned size = e->io.size;

    if (e->io.string) {
        string_io(v, e);
        return;
    }
    if (e->io.in)
        rax_set(v, size, port_in(v, e->io.port, size));
    else
        port_out(v, e->io.port, size,
                 v->regs.gpr[GPR_RAX] & (UINT64_MAX >> (64 - 8 * size)));
    vcpu_skip(v, e);
}
