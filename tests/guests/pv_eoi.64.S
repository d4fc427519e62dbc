/* KVM's end of interrupt by a flag in memory, in place of a write to the APIC. */
#include "irq64.inc"
    .set KVM_FEATURES, 0x40000001
    .set FEATURE_PV_EOI, 6
    .set MSR_PV_EOI, 0x4b564d04

    irq_begin
    cli
    movl $KVM_FEATURES, %eax
    movq %rbx, %r12
    cpuid
    movq %r12, %rbx
    btl $FEATURE_PV_EOI, %eax
    setnc %al
    testb %al, %al
    is "the CPU says that it knows the flag"
    movl $MSR_PV_EOI, %ecx
    xorl %edx, %edx
    movl $flag + 2 + 1, %eax
    fault 13, "an address with a reserved bit is refused", wrmsr
    movl $0xff, %edx
    movl $flag + 1, %eax
    fault 13, "as is one where there is no memory", wrmsr

    movl $0, end_by
    movq $end_it, irq_hook
    self_ipi 0x31
    sti
    nop
    cli
    cmpl $0x0001, ends
    is "while it is off, the APIC is told"

    xorl %edx, %edx
    movl $flag + 1, %eax
    wrmsr
    movl $0, ends
    self_ipi 0x31
    sti
    nop
    cli
    cmpl $0x0100, ends
    is "the flag is the end of an interrupt"
    movl APIC_IRR - 0x100 + 0x10(%rbx), %eax /* ISR of vectors 32 to 63 */
    testl %eax, %eax
    is "which is not in service any more"
    movl $0, ends
    self_ipi 0x31
    sti
    nop
    cli
    cmpl $0x0100, ends
    is "so that the next one comes"

    movl $0, ends
    self_ipi 0x31
    self_ipi 0x42
    sti
    nop
    nop
    cli
    cmpl $0x0101, ends
    is "no flag while another one waits"
    testl $1, flag
    is "nor is it left behind"

    xorl %edx, %edx
    xorl %eax, %eax
    movl $MSR_PV_EOI, %ecx
    wrmsr
    movl $0, ends
    self_ipi 0x31
    sti
    nop
    cli
    cmpl $0x0001, ends
    is "and it can be switched off"
    irq_finish

end_it:
    lock btrl $0, flag
    jc 1f
    incb ends                   /* by a write */
    movl $LAPIC, %eax
    movl $0, APIC_EOI(%rax)
    ret
1:
    incb ends + 1
    ret
    .balign 8
flag:
    .long 0
ends:
    .long 0
