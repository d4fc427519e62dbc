/* The guest's page tables: see walk.h. */
#include "vmm/walk.h"

#include <errno.h>

#include <arch/features.h>

#include "vmm/vm.h"

/* Intel SDM 3A 2.5, 4.5, 4.7 */
#define CR0_WP         (UINT64_C(1) << 16)
#define CR0_PG         (UINT64_C(1) << 31)
#define CR4_PSE        (UINT64_C(1) << 4)
#define CR4_PAE        (UINT64_C(1) << 5)
#define CR4_LA57       (UINT64_C(1) << 12)
#define CR4_SMEP       (UINT64_C(1) << 20)
#define CR4_SMAP       (UINT64_C(1) << 21)
#define EFER_LMA       (UINT64_C(1) << 10)
#define EFER_NXE       (UINT64_C(1) << 11)
#define RFLAGS_AC      (UINT64_C(1) << 18)
#define ENTRY_P        (UINT64_C(1) << 0)
#define ENTRY_W        (UINT64_C(1) << 1)
#define ENTRY_U        (UINT64_C(1) << 2)
#define ENTRY_A        (UINT64_C(1) << 5)
#define ENTRY_D        (UINT64_C(1) << 6)
#define ENTRY_PS       (UINT64_C(1) << 7)
#define ENTRY_NX       (UINT64_C(1) << 63)
#define ADDRESS        UINT64_C(0x000ffffffffff000)
#define ERROR_P        1u
#define ERROR_W        2u
#define ERROR_U        4u
#define ERROR_RSVD     8u
#define ERROR_FETCH    16u
#define VECTOR_PF      14
#define VECTOR_GP      13
#define LINEAR_32      UINT64_C(0xffffffff)
#define CR3_PAE        UINT64_C(0xffffffe0)
#define PDPTE_RESERVED UINT64_C(0x1e6)
#define PSE36_HIGH(e)  (((e) >> 13 & 0xff) << 32)

/* How a paging mode cuts an address. */
struct shape {
    unsigned levels, bits; /* bits of index for each level */
    unsigned entry;        /* bytes */
    bool large[6];         /* may level n (1: last) map directly? */
};

struct walk {
    struct vcpu *v;
    const struct vcpu_state *s;
    unsigned access;
    uint64_t rights; /* of all levels, by AND: W, U; NX by OR */
    struct guest_fault *fault;
};

static struct shape shape_of(const struct vcpu_state *s)
{
    struct shape shape = {.levels = 2, .bits = 10, .entry = 4};

    if (!(s->cr4 & CR4_PAE)) {
        shape.large[2] = s->cr4 & CR4_PSE;
        return shape;
    }
    shape = (struct shape){.levels = 3, .bits = 9, .entry = 8};
    shape.large[2] = true;
    if (s->efer & EFER_LMA) {
        shape.levels = s->cr4 & CR4_LA57 ? 5 : 4;
        shape.large[3] = true;
    }
    return shape;
}

static int fault(struct walk *w, uint64_t va, uint32_t present)
{
    bool fetch_bit = (w->s->efer & EFER_NXE) || (w->s->cr4 & CR4_SMEP);

    *w->fault = (struct guest_fault){
        .vector = VECTOR_PF,
        .error = present | (w->access & WALK_WRITE ? ERROR_W : 0) |
                 (w->access & WALK_USER ? ERROR_U : 0) |
                 (w->access & WALK_FETCH && fetch_bit ? ERROR_FETCH : 0),
        .address = va,
    };
    return -EFAULT;
}

/* Intel SDM 3A 4.6.1 */
static bool allowed(const struct walk *w)
{
    const struct vcpu_state *s = w->s;
    bool user_page = w->rights & ENTRY_U, writable = w->rights & ENTRY_W;

    if (w->access & WALK_PEEK)
        return true;
    if ((w->access & WALK_FETCH) && (w->rights & ENTRY_NX) &&
        (s->efer & EFER_NXE))
        return false;
    if (w->access & WALK_USER)
        return user_page && (writable || !(w->access & WALK_WRITE));
    if (user_page && (w->access & WALK_FETCH))
        return !(s->cr4 & CR4_SMEP);
    if (user_page && (s->cr4 & CR4_SMAP) && !(w->v->regs.rflags & RFLAGS_AC))
        return false;
    return !(w->access & WALK_WRITE) || writable || !(s->cr0 & CR0_WP);
}

/* 4.4.2, 4.5.4: bits that must be 0, of what the CPU would report as such;
 * addresses beyond its own width lead outside of the RAM. */
static bool reserved(const struct walk *w, const struct shape *shape,
                     unsigned level, uint64_t entry)
{
    unsigned shift = PAGE_SHIFT + shape->bits * (level - 1);
    uint64_t none = w->s->efer & EFER_NXE ? 0 : ENTRY_NX;
    bool large = level > 1 && (entry & ENTRY_PS);

    if (shape->entry == 4 || (shape->levels == 3 && level == 3))
        return false; /* the latter are checked when CR3 is loaded */
    if (large && !shape->large[level])
        return true;
    if (large) /* bit 12 is PAT's */
        none |= ((UINT64_C(1) << shift) - 1) & ADDRESS & ~(UINT64_C(1) << 12);
    return entry & none;
}

static int entry_read(struct walk *w, gpa_t at, unsigned size, uint64_t *out)
{
    *out = 0;
    return guest_read(w->v->vm->memory, at, out, size) ? -EIO : 0;
}

/* The guest's CPU sets these bits with a locked access; so do we, on the entry
 * that we read: if it has changed, the guest sees to it. */
static void entry_mark(struct walk *w, gpa_t at, uint64_t entry, bool leaf)
{
    uint64_t bits = ENTRY_A | (leaf && (w->access & WALK_WRITE) ? ENTRY_D : 0);
    size_t got;
    uint32_t *word, old = (uint32_t)entry;

    if ((entry & bits) == bits || (w->access & WALK_PEEK))
        return;
    word = guest_span(w->v->vm->memory, at, sizeof(*word), &got);
    if (word && got == sizeof(*word))
        __atomic_compare_exchange_n(word, &old, old | (uint32_t)bits, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

static gpa_t leaf_address(const struct shape *shape, uint64_t entry,
                          uint64_t va, uint64_t size)
{
    gpa_t base = entry & ADDRESS & ~(size - 1);

    if (shape->entry == 4 && size > PAGE_SIZE)
        base |= PSE36_HIGH(entry);
    return base | (va & (size - 1));
}

static int walk(struct walk *w, uint64_t va, gpa_t *gpa)
{
    struct shape shape = shape_of(w->s);
    gpa_t table = w->s->cr3 & ADDRESS;

    if (shape.entry == 8 && shape.levels == 3)
        table = w->s->cr3 & CR3_PAE;
    for (unsigned level = shape.levels;; level--) {
        unsigned shift = PAGE_SHIFT + shape.bits * (level - 1);
        gpa_t at = table +
                   (va >> shift & ((1u << shape.bits) - 1)) * shape.entry;
        /* The four entries of PAE's top level hold no rights. */
        bool top = shape.levels == 3 && level == 3;
        uint64_t entry;
        bool leaf;
        int err = entry_read(w, at, shape.entry, &entry);

        if (err)
            return err;
        if (!(entry & ENTRY_P))
            return fault(w, va, 0);
        if (reserved(w, &shape, level, entry))
            return fault(w, va, ERROR_P | ERROR_RSVD);
        if (!top)
            w->rights = (w->rights & entry & (ENTRY_W | ENTRY_U)) |
                        ((w->rights | entry) & ENTRY_NX);
        leaf = level == 1 || (shape.large[level] && (entry & ENTRY_PS));
        if (leaf && !allowed(w))
            return fault(w, va, ERROR_P);
        if (!top)
            entry_mark(w, at, entry, leaf);
        if (leaf) {
            *gpa = leaf_address(&shape, entry, va, UINT64_C(1) << shift);
            return 0;
        }
        table = entry & ADDRESS;
    }
}

int walk_translate(struct vcpu *v, const struct vcpu_state *s, uint64_t va,
                   unsigned access, gpa_t *gpa, struct guest_fault *out)
{
    struct walk w = {
        .v = v,
        .s = s,
        .access = access,
        .rights = ENTRY_W | ENTRY_U,
        .fault = out,
    };

    if (!(s->efer & EFER_LMA))
        va &= LINEAR_32;
    if (!(s->cr0 & CR0_PG)) {
        *gpa = va;
        return 0;
    }
    if ((s->efer & EFER_LMA) && !(s->cr4 & CR4_LA57) &&
        (uint64_t)((int64_t)(va << 16) >> 16) != va) {
        *out = (struct guest_fault){.vector = VECTOR_GP};
        return -EFAULT;
    }
    return walk(&w, va, gpa);
}

unsigned walk_access(const struct vcpu_state *s, bool write)
{
    unsigned cpl = s->segment[SEGMENT_SS].attributes >> 5 & 3;

    return (write ? WALK_WRITE : 0) | (cpl == 3 ? WALK_USER : 0);
}

bool walk_pdptes_read(struct vcpu *v, const struct vcpu_state *s,
                      uint64_t entries[WALK_PDPTES])
{
    if (!(s->cr0 & CR0_PG) || !(s->cr4 & CR4_PAE) || (s->efer & EFER_LMA))
        return false;
    return guest_read(v->vm->memory, s->cr3 & CR3_PAE, entries,
                      WALK_PDPTES * sizeof(*entries)) == 0;
}

bool walk_pdptes_valid(const uint64_t entries[WALK_PDPTES])
{
    uint64_t none = PDPTE_RESERVED | UINT64_MAX << arch_cpu_info()->phys_bits;

    for (unsigned i = 0; i < WALK_PDPTES; i++)
        if ((entries[i] & ENTRY_P) && (entries[i] & none))
            return false;
    return true;
}

/* Bytes from va to the end of its page, n at most. */
static size_t in_page(uint64_t va, size_t n)
{
    size_t room = PAGE_SIZE - va % PAGE_SIZE;

    return n < room ? n : room;
}

int walk_read(struct vcpu *v, const struct vcpu_state *s, uint64_t va,
              void *out, size_t n, unsigned access, struct guest_fault *f)
{
    uint8_t *to = out;

    for (size_t k; n; n -= k, va += k, to += k) {
        gpa_t gpa;
        int err = walk_translate(v, s, va, access, &gpa, f);

        if (err)
            return err;
        k = in_page(va, n);
        if (guest_read(v->vm->memory, gpa, to, k))
            return -EIO;
    }
    return 0;
}

int walk_write(struct vcpu *v, const struct vcpu_state *s, uint64_t va,
               const void *data, size_t n, unsigned access,
               struct guest_fault *f)
{
    const uint8_t *from = data;

    for (size_t k; n; n -= k, va += k, from += k) {
        gpa_t gpa;
        int err = walk_translate(v, s, va, access | WALK_WRITE, &gpa, f);

        if (err)
            return err;
        k = in_page(va, n);
        if (guest_write(v->vm->memory, gpa, from, k))
            return -EIO;
    }
    return 0;
}

size_t walk_fetch(struct vcpu *v, const struct vcpu_state *s, uint8_t *bytes,
                  size_t max)
{
    uint64_t va = s->segment[SEGMENT_CS].base + v->regs.rip;
    size_t first = in_page(va, max);
    struct guest_fault f;

    if (walk_read(v, s, va, bytes, first, WALK_FETCH | WALK_PEEK, &f))
        return 0;
    if (first < max && walk_read(v, s, va + first, bytes + first, max - first,
                                 WALK_FETCH | WALK_PEEK, &f) == 0)
        return max;
    return first;
}

void walk_deliver_fault(struct vcpu *v, const struct guest_fault *f)
{
    if (f->vector == VECTOR_PF) {
        struct vcpu_state s;

        vmm_backend()->get_state(v, &s);
        s.cr2 = f->address;
        vmm_backend()->set_state(v, &s);
    }
    vcpu_fault(v, f->vector, true, f->error);
}
