/*
 * The local APIC's registers as the guest reads and writes them: by MMIO, or in
 * x2APIC mode by MSR (Intel SDM 3A 11.12). On the vCPU's own thread.
 */
#include "vmm/devices/irqchip.h"
#include "vmm/devices/lapic.h"
#include "vmm/vcpu.h"

#define SVR_WRITABLE 0x1ffu /* enable, vector; focus checking is gone */
#define ICR_STATUS   (1u << 12)
#define ICR_WRITABLE 0x000ccfffu
#define DFR_WRITABLE 0xf0000000u
#define ID_SHIFT     24

/* What may be written to an LVT entry: mode, vector, polarity, trigger, mask.
 */
static uint32_t lvt_writable(uint32_t offset)
{
    switch (offset) {
    case LAPIC_LVT_TIMER:
        return 0x000700ffu & ~(1u << 19);
    case LAPIC_LVT_LINT0:
    case LAPIC_LVT_LINT1:
        return 0x0001a7ffu;
    case LAPIC_LVT_ERROR:
        return 0x000100ffu;
    default:
        return 0x000107ffu;
    }
}

static bool is_lvt(uint32_t offset)
{
    return offset == LAPIC_LVT_CMCI ||
           (offset >= LAPIC_LVT_TIMER && offset <= LAPIC_LVT_ERROR);
}

static bool is_readable(uint32_t offset)
{
    switch (offset) {
    case LAPIC_ID:
    case LAPIC_VERSION:
    case LAPIC_TPR:
    case LAPIC_APR:
    case LAPIC_PPR:
    case LAPIC_LDR:
    case LAPIC_DFR:
    case LAPIC_SVR:
    case LAPIC_ESR:
    case LAPIC_ICR:
    case LAPIC_ICR_HIGH:
    case LAPIC_TIMER_INITIAL:
    case LAPIC_TIMER_CURRENT:
    case LAPIC_TIMER_DIVIDE:
        return true;
    default:
        return is_lvt(offset) || (offset >= LAPIC_ISR && offset < LAPIC_ESR);
    }
}

uint32_t lapic_read(struct lapic *l, uint32_t offset)
{
    if (!is_readable(offset)) {
        lapic_error(l, LAPIC_ERROR_REGISTER);
        return 0;
    }
    if (offset == LAPIC_TIMER_CURRENT)
        return lapic_timer_current(l);
    lapic_sync(l);
    return lapic_get(l, offset);
}

/* --- writes --- */

static void write_svr(struct lapic *l, uint32_t value)
{
    lapic_set(l, LAPIC_SVR, value & SVR_WRITABLE);
    if (value & 1u << 8)
        return;
    /* Software disable masks the whole table (11.4.7.2). */
    for (uint32_t at = LAPIC_LVT_TIMER; at <= LAPIC_LVT_ERROR; at += 16)
        lapic_set(l, at, lapic_get(l, at) | LVT_MASKED);
    lapic_set(l, LAPIC_LVT_CMCI, lapic_get(l, LAPIC_LVT_CMCI) | LVT_MASKED);
}

static void write_lvt(struct lapic *l, uint32_t offset, uint32_t value)
{
    value &= lvt_writable(offset);
    if (!(lapic_get(l, LAPIC_SVR) & 1u << 8))
        value |= LVT_MASKED;
    if (offset == LAPIC_LVT_TIMER)
        lapic_timer_set_mode(l, value);
    lapic_set(l, offset, value);
    /* The 8259s may have been waiting for this. */
    if (offset == LAPIC_LVT_LINT0)
        vcpu_kick(l->vcpu, VCPU_REQ_INTERRUPT);
}

static void write_common(struct lapic *l, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case LAPIC_TPR:
        lapic_set_tpr(l, (uint8_t)value);
        break;
    case LAPIC_EOI:
        lapic_eoi(l);
        break;
    case LAPIC_SVR:
        write_svr(l, value);
        break;
    case LAPIC_ESR: /* a write latches what has come together */
        lapic_set(l, LAPIC_ESR,
                  __atomic_exchange_n(&l->errors, 0, __ATOMIC_RELAXED));
        break;
    case LAPIC_TIMER_INITIAL:
        lapic_timer_set_initial(l, value);
        break;
    case LAPIC_TIMER_DIVIDE:
        lapic_timer_set_divide(l, value);
        break;
    default:
        if (is_lvt(offset))
            write_lvt(l, offset, value);
        else
            lapic_error(l, LAPIC_ERROR_REGISTER);
    }
}

void lapic_write(struct lapic *l, uint32_t offset, uint32_t value)
{
    switch (offset) {
    case LAPIC_ID: /* ours are fixed: MADT and CPUID have told them */
        break;
    case LAPIC_LDR:
        lapic_set(l, LAPIC_LDR, value & 0xffu << ID_SHIFT);
        break;
    case LAPIC_DFR:
        lapic_set(l, LAPIC_DFR, value | ~DFR_WRITABLE);
        break;
    case LAPIC_ICR_HIGH:
        lapic_set(l, LAPIC_ICR_HIGH, value & 0xffu << ID_SHIFT);
        break;
    case LAPIC_ICR:
        lapic_set(l, LAPIC_ICR, value & ICR_WRITABLE & ~ICR_STATUS);
        lapic_send(l, value, lapic_get(l, LAPIC_ICR_HIGH) >> ID_SHIFT);
        break;
    default:
        write_common(l, offset, value);
    }
}

/* --- MSRs --- */

/* In x2APIC mode the logical id follows from the id (11.12.10.2). */
static void enter_x2apic(struct lapic *l)
{
    lapic_set(l, LAPIC_ID, l->id);
    lapic_set(l, LAPIC_LDR, (l->id >> 4) << 16 | 1u << (l->id & 15));
}

/* Modes go from off to xAPIC to x2APIC, and from both to off (11.12.5). The
 * base stays where it is. */
static bool write_base(struct lapic *l, uint64_t value)
{
    uint64_t modes = APIC_BASE_ENABLE | APIC_BASE_X2APIC;
    uint64_t from = l->base & modes, to = value & modes;

    if ((value & ~(modes | APIC_BASE_BSP)) != LAPIC_BASE)
        return false;
    if (to == APIC_BASE_X2APIC)
        return false;
    if (from == modes && to == APIC_BASE_ENABLE)
        return false;
    if (!from && to == modes)
        return false;
    if (from && !to) {
        uint64_t bsp = l->base & APIC_BASE_BSP;

        lapic_reset(l);
        l->base = LAPIC_BASE | bsp;
        return true;
    }
    l->base = LAPIC_BASE | to | (l->base & APIC_BASE_BSP);
    if (from != modes && to == modes)
        enter_x2apic(l);
    return true;
}

static bool x2apic_writable(uint32_t offset)
{
    return offset == LAPIC_TPR || offset == LAPIC_EOI || offset == LAPIC_SVR ||
           offset == LAPIC_ESR || offset == LAPIC_TIMER_INITIAL ||
           offset == LAPIC_TIMER_DIVIDE || is_lvt(offset);
}

static bool x2apic_write(struct lapic *l, uint32_t offset, uint64_t value)
{
    if (offset == LAPIC_ICR) {
        lapic_set(l, LAPIC_ICR, (uint32_t)value & ICR_WRITABLE & ~ICR_STATUS);
        lapic_set(l, LAPIC_ICR_HIGH, (uint32_t)(value >> 32));
        lapic_send(l, (uint32_t)value, (uint32_t)(value >> 32));
        return true;
    }
    if (value >> 32)
        return false;
    if (offset == LAPIC_SELF_IPI) {
        if (value > 0xff)
            return false;
        if (value < 16)
            lapic_error(l, LAPIC_ERROR_SEND_VECTOR);
        else
            lapic_post(l, (uint8_t)value, false);
        return true;
    }
    if (!x2apic_writable(offset))
        return false;
    if ((offset == LAPIC_EOI || offset == LAPIC_ESR) && value)
        return false;
    write_common(l, offset, (uint32_t)value);
    return true;
}

static bool x2apic_read(struct lapic *l, uint32_t offset, uint64_t *value)
{
    /* ICR is one register here, and there is no DFR. */
    if (!is_readable(offset) || offset == LAPIC_DFR || offset == LAPIC_APR ||
        offset == LAPIC_ICR_HIGH)
        return false;
    *value = lapic_read(l, offset);
    if (offset == LAPIC_ICR)
        *value |= (uint64_t)lapic_get(l, LAPIC_ICR_HIGH) << 32;
    return true;
}

bool lapic_read_msr(struct lapic *l, uint32_t msr, uint64_t *value)
{
    if (msr == MSR_APIC_BASE) {
        *value = l->base;
        return true;
    }
    if (msr == MSR_TSC_DEADLINE) {
        *value = l->tsc_deadline;
        return true;
    }
    if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST || !lapic_is_x2apic(l))
        return false;
    return x2apic_read(l, (msr - MSR_X2APIC_FIRST) * 16, value);
}

bool lapic_write_msr(struct lapic *l, uint32_t msr, uint64_t value)
{
    if (msr == MSR_APIC_BASE)
        return write_base(l, value);
    if (msr == MSR_TSC_DEADLINE) {
        lapic_timer_set_deadline(l, value);
        return true;
    }
    if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST || !lapic_is_x2apic(l))
        return false;
    return x2apic_write(l, (msr - MSR_X2APIC_FIRST) * 16, value);
}
