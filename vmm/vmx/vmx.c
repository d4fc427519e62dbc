/* Intel's VMX: the table of the back end. */
#include "vmm/vmx/vmx.h"

const struct vmm_backend vmx_backend = {
    .name = "vmx",
    .nested = NESTED_EPT,
    .probe = vmx_probe,
    .cpu_enable = vmx_cpu_enable,
    .cpu_disable = vmx_cpu_disable,
    .vm_create = vmx_vm_create,
    .vm_destroy = vmx_vm_destroy,
    .vcpu_create = vmx_vcpu_create,
    .vcpu_destroy = vmx_vcpu_destroy,
    .enter = vmx_enter,
    .get_state = vmx_get_state,
    .set_state = vmx_set_state,
    .inject = vmx_inject,
    .irq_window = vmx_irq_window,
    .nmi_window = vmx_nmi_window,
    .can_take_irq = vmx_can_take_irq,
    .can_take_nmi = vmx_can_take_nmi,
    .skipped = vmx_skipped,
    .flush_tlb = vmx_flush_tlb,
    .set_tsc_offset = vmx_set_tsc_offset,
    .dump = vmx_dump,
};
