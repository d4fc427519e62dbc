/* Interrupts to all CPUs, itself among them, as fast as it can, without end. */
#include "irq64.inc"
    .set ICR_ALL, 0x80000

    irq_begin
    movq $again, irq_hook
    movl $ICR_ALL | 0x31, APIC_ICR(%rbx)
    sti
1:
    hlt
    jmp 1b

again:
    movl $ICR_ALL | 0x31, APIC_ICR(%rbx)
    ret
    irq_finish
