/*
 * Interprocessor interrupts: what a write of the ICR sends (Intel SDM
 * 3A 11.6.1). On the sender's thread.
 */
#include "vmm/devices/irqchip.h"
#include "vmm/devices/lapic.h"
#include "vmm/vm.h"

#define ICR_LOGICAL         (1u << 11)
#define ICR_ASSERT          (1u << 14)
#define ICR_LEVEL           (1u << 15)
#define ICR_SHORTHAND_SHIFT 18

enum shorthand { TO_DESTINATION, TO_SELF, TO_ALL, TO_OTHERS };

static void send_to_all(struct lapic *l, const struct apic_message *m,
                        bool self)
{
    struct vm *vm = l->vcpu->vm;

    for (uint32_t i = 0; i < vm->vcpu_count; i++)
        if (self || vm->vcpus[i] != l->vcpu)
            lapic_deliver(vm->vcpus[i]->lapic, m);
}

void lapic_send(struct lapic *l, uint32_t low, uint32_t destination)
{
    const struct apic_message m = {
        .destination = destination,
        .logical = low & ICR_LOGICAL,
        .mode = (enum apic_mode)(low >> LVT_MODE_SHIFT & 7),
        .vector = (uint8_t)low,
    };

    l->ipis++;
    /* INIT level de-assert means nothing on any processor since long. */
    if (m.mode == APIC_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT))
        return;
    if (m.mode <= APIC_LOWEST && m.vector < 16) {
        lapic_error(l, LAPIC_ERROR_SEND_VECTOR);
        return;
    }
    switch ((enum shorthand)(low >> ICR_SHORTHAND_SHIFT & 3)) {
    case TO_SELF:
        lapic_deliver(l, &m);
        break;
    case TO_ALL:
    case TO_OTHERS:
        send_to_all(l, &m, (low >> ICR_SHORTHAND_SHIFT & 3) == TO_ALL);
        break;
    case TO_DESTINATION:
        irqchip_deliver(l->vcpu->vm, &m);
        break;
    }
}
