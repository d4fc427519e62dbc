/* AMD's SVM: the table of the back end. */
#include "vmm/svm/svm.h"

static int svm_vm_create(struct vm *vm)
{
    (void)vm; /* all that SVM keeps is in the vCPUs */
    return 0;
}

static void svm_vm_destroy(struct vm *vm)
{
    (void)vm;
}

const struct vmm_backend svm_backend = {
    .name = "svm",
    .nested = NESTED_NPT,
    .probe = svm_probe,
    .cpu_enable = svm_cpu_enable,
    .cpu_disable = svm_cpu_disable,
    .vm_create = svm_vm_create,
    .vm_destroy = svm_vm_destroy,
    .vcpu_create = svm_vcpu_create,
    .vcpu_destroy = svm_vcpu_destroy,
    .enter = svm_enter,
    .get_state = svm_get_state,
    .set_state = svm_set_state,
    .inject = svm_inject,
    .irq_window = svm_irq_window,
    .nmi_window = svm_nmi_window,
    .can_take_irq = svm_can_take_irq,
    .can_take_nmi = svm_can_take_nmi,
    .skipped = svm_skipped,
    .flush_tlb = svm_flush_tlb,
    .set_tsc_offset = svm_set_tsc_offset,
    .dump = svm_dump,
};
