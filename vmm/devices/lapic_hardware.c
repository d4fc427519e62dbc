/*
 * What a CPU that runs a guest's local APIC itself, on the page of registers,
 * asks of us and tells us (Intel SDM 3C 29.1 to 29.5): see lapic.h. On the
 * vCPU's own thread.
 */
#include "vmm/devices/irqchip.h"
#include "vmm/devices/lapic.h"
#include "vmm/vcpu.h"

static uint8_t vector_or_zero(int vector)
{
    return vector < 0 ? 0 : (uint8_t)vector;
}

void lapic_guest_vectors(struct lapic *l, uint8_t *requested,
                         uint8_t *in_service)
{
    lapic_sync(l);
    *requested = 0;
    if (lapic_software_enabled(l))
        *requested = vector_or_zero(lapic_highest(l, LAPIC_IRR));
    *in_service = vector_or_zero(lapic_highest(l, LAPIC_ISR));
}

uint64_t lapic_level_vectors(const struct lapic *l, unsigned i)
{
    uint32_t at = LAPIC_TMR + i * 32;

    return lapic_get(l, at) | (uint64_t)lapic_get(l, at + 16) << 32;
}

/* The write is undone, and done as if it had come to us. */
void lapic_written(struct lapic *l, uint32_t offset)
{
    uint32_t value = lapic_get(l, offset);

    lapic_set(l, offset, l->set[offset / 16]);
    if (offset != LAPIC_SELF_IPI)
        lapic_write(l, offset, value);
    else /* what the CPU does not do itself: vectors below 16 */
        lapic_error(l, LAPIC_ERROR_SEND_VECTOR);
}

void lapic_ended(struct lapic *l, uint8_t vector)
{
    l->eois++;
    irqchip_eoi(l->vcpu->vm, vector);
}
