/* What interrupts cost: a thousand to itself with TPR and EOI, by the local
 * APIC's registers in memory and then by its MSRs. It prints the ticks of the
 * TSC that each took. */
#include "irq64.inc"
    .set ROUNDS, 1000
    .set X2APIC_TPR, 0x808
    .set X2APIC_SELF_IPI, 0x83f

    .macro x2apic register, value
    movl $\register, %ecx
    movl $\value, %eax
    xorl %edx, %edx
    wrmsr
    .endm

    .macro measure text, body:vararg
    rdtsc
    movl %eax, %r13d
    movl $ROUNDS, %r12d
7720:
    \body
    decl %r12d
    jnz 7720b
    rdtsc
    subl %r13d, %eax
    xorl %edx, %edx
    movl $ROUNDS, %ecx
    divl %ecx
    leaq 7721f(%rip), %rsi
    pushq %rax
    call print
    popq %rax
    call print_number
    movb $'\n', %al
    outb %al, $0xe9
    jmp 7722f
7721:
    .asciz "\text "
7722:
    .endm

    .macro by_mmio
    movl $0x20, APIC_TPR(%rbx)
    self_ipi 0x31
    movl $0, APIC_TPR(%rbx)
    .endm

    .macro by_msr
    x2apic X2APIC_TPR, 0x20
    x2apic X2APIC_SELF_IPI, 0x32
    x2apic X2APIC_TPR, 0
    .endm

    irq_begin
    sti
    measure "mmio", by_mmio
    count_is 0x31, ROUNDS, "each came, by MMIO"
    movl $0x1b, %ecx
    rdmsr
    orl $0xc00, %eax
    wrmsr
    movl $3, end_by
    measure "msr", by_msr
    count_is 0x32, ROUNDS, "each came, by MSR"
    irq_finish
