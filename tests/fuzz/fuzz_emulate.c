/* sources: vmm/emulate_core.c vmm/emulate_alu.c vmm/emulate_operand.c
   vmm/emulate_string.c vmm/emulate_vector.c */
/* libraries: zydis */
/*
 * Any bytes in any state: the emulator asks for 1 to 8 bytes at a time, ends in
 * a bounded number of accesses with one of its answers, and a fault leaves RIP
 * where it was.
 */
#include "fuzz.h"

#include <errno.h>

#include "../../vmm/emulate_core.h"

static struct fuzz_input in;
static unsigned accesses;

static int answer(struct emulation *m, uint64_t linear, unsigned n)
{
    FUZZ_CHECK(n >= 1 && n <= 8);
    FUZZ_CHECK(emulate_is_long(m->state) || linear <= UINT32_MAX);
    FUZZ_CHECK(++accesses <= 4 * EMULATE_CHUNK);
    switch (fuzz_byte(&in)) {
    case 0xfe:
        m->fault = (struct guest_fault){14, 0, linear};
        return -EFAULT;
    case 0xff:
        return -EIO;
    default:
        return 0;
    }
}

static int fuzz_check(struct emulation *m, uint64_t linear, unsigned n,
                      bool write)
{
    (void)write;
    return answer(m, linear, n);
}

static int fuzz_read(struct emulation *m, uint64_t linear, void *out,
                     unsigned n)
{
    fuzz_take(&in, out, n);
    return answer(m, linear, n);
}

static int fuzz_write(struct emulation *m, uint64_t linear, const void *data,
                      unsigned n)
{
    uint8_t copy[8];

    FUZZ_CHECK(n <= sizeof(copy));
    memcpy(copy, data, n);
    return answer(m, linear, n);
}

static void fuzz_vector_get(struct emulation *m, unsigned i, uint64_t v[2])
{
    (void)m;
    FUZZ_CHECK(i < 16);
    fuzz_take(&in, v, 16);
}

static void fuzz_vector_set(struct emulation *m, unsigned i,
                            const uint64_t v[2])
{
    (void)m;
    (void)v;
    FUZZ_CHECK(i < 16);
}

static const struct emulate_ops ops = {
    .check = fuzz_check,
    .read = fuzz_read,
    .write = fuzz_write,
    .vector_get = fuzz_vector_get,
    .vector_set = fuzz_vector_set,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct vcpu_state s = {0};
    struct emulation m = {.state = &s, .ops = &ops};
    uint8_t code[INSTRUCTION_MAX], n;
    uint8_t *exact;
    uint64_t rip;
    int err;

    in = (struct fuzz_input){bytes, size};
    accesses = 0;
    n = fuzz_byte(&in) % (INSTRUCTION_MAX + 1);
    fuzz_take(&in, code, n);
    fuzz_take(&in, &s.cr0, 1);
    fuzz_take(&in, &s.cr4, 2);
    fuzz_take(&in, &s.efer, 2);
    fuzz_take(&in, s.segment, sizeof(s.segment[0]) * (SEGMENT_GS + 1));
    fuzz_take(&in, &m.regs, sizeof(m.regs));
    rip = m.regs.rip;
    exact = fuzz_copy(code, n);
    err = emulate_run(&m, exact, n);
    free(exact);
    FUZZ_CHECK(err == 0 || err == EMULATE_AGAIN || err == -EFAULT ||
               err == -EIO || err == -ENODATA || err == -ENOTSUP ||
               err == -EILSEQ);
    if (err)
        FUZZ_CHECK(m.regs.rip == rip);
    else
        FUZZ_CHECK(m.regs.rip != rip);
    return 0;
}
