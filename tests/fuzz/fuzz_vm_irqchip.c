/* sources: vmm/devices/lapic.c vmm/devices/lapic_register.c
   vmm/devices/lapic_timer.c vmm/devices/lapic_ipi.c vmm/devices/irqchip.c
   vmm/devices/pic.c vmm/devices/ioapic.c */
/*
 * Local APICs, I/O APIC and 8259s under a guest that writes any register, sends
 * any message, ends what has not begun, and lines that rise and fall. What is
 * taken is a vector, one that is in service blocks lesser ones, no timer runs
 * for ever in no time, and what was taken can be ended.
 */
#include "tests/fuzz/fuzz.h"

#include "tests/unit/irqchip_host.h"

enum step { MMIO, MSR, IOAPIC, PORT, LINE, TAKE, END, TIME, RESET, STEPS };

static void mmio_access(struct fuzz_input *in, struct lapic *l)
{
    uint32_t offset = fuzz_byte(in) * 16u, value = 0;

    fuzz_take(in, &value, sizeof(value));
    if (offset & 0x800)
        lapic_read(l, offset & 0x7f0);
    else
        lapic_write(l, offset, value);
}

static void msr_access(struct fuzz_input *in, struct lapic *l)
{
    uint64_t value = 0;
    uint32_t msr = 0x800u + fuzz_byte(in) % 0x40;
    bool read = fuzz_byte(in) & 1;

    fuzz_take(in, &value, sizeof(value));
    if (fuzz_byte(in) % 8 == 0)
        msr = 0x1b; /* the base: enables, and x2APIC */
    if (read)
        lapic_read_msr(l, msr, &value);
    else
        lapic_write_msr(l, msr, value);
}

/* As the exit handlers do: the region's own size and alignment. */
static void region_access(struct fuzz_input *in, struct vcpu *v)
{
    struct vm_region *r = mmio[0];
    uint32_t value = 0;
    uint64_t got;

    fuzz_take(in, &value, sizeof(value));
    if (fuzz_byte(in) % 4 == 0)
        r->read(v, r->device, 0x10, 4, &got);
    else
        r->write(v, r->device, fuzz_byte(in) % 4 ? 0x10 : 0, 4, value);
}

static void port_access(struct fuzz_input *in, struct vcpu *v)
{
    struct vm_region *r = ports[fuzz_byte(in) % port_count];
    uint8_t value = fuzz_byte(in);
    uint64_t got;

    if (fuzz_byte(in) & 1)
        r->read(v, r->device, value % r->size, 1, &got);
    else
        r->write(v, r->device, fuzz_byte(in) % r->size, 1, value);
}

static void take(struct vcpu *v)
{
    bool has = irqchip_has_irq(v);
    int vector = irqchip_take_irq(v);

    FUZZ_CHECK(vector >= -1 && vector < 256);
    FUZZ_CHECK(has == (vector >= 0));
}

/* No guest's timer goes faster than 20 us, for the host's sake. */
static void pass_time(uint8_t microseconds)
{
    unsigned before = fired;

    advance(microseconds * UINT64_C(1000));
    FUZZ_CHECK(fired - before <= CPUS * (microseconds / 20 + 2u));
}

static void take_step(struct fuzz_input *in)
{
    struct vcpu *v = &vcpus[fuzz_byte(in) % CPUS];
    uint16_t line = 0;

    switch ((enum step)(fuzz_byte(in) % STEPS)) {
    case MMIO:
        mmio_access(in, v->lapic);
        break;
    case MSR:
        msr_access(in, v->lapic);
        break;
    case IOAPIC:
        region_access(in, v);
        break;
    case PORT:
        port_access(in, v);
        break;
    case LINE:
        fuzz_take(in, &line, sizeof(line));
        vm_set_irq(&vm, line % IOAPIC_PINS, line >> 8 & 1);
        break;
    case TAKE:
        take(v);
        break;
    case END:
        lapic_eoi(v->lapic);
        break;
    case TIME:
        pass_time(fuzz_byte(in));
        break;
    case RESET:
        irqchip_reset_vcpu(v);
        break;
    case STEPS:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};

    begin();
    while (in.left)
        take_step(&in);
    return 0;
}
