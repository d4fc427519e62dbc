/* The local APIC: interprocessor interrupts to itself, priorities, windows, and
 * its timer in three modes. */
#include "irq64.inc"
    .set MSR_TSC_DEADLINE, 0x6e0

    irq_begin
    cli
    self_ipi 0x31
    movl 0x210(%rbx), %eax      /* IRR of vectors 32 to 63 */
    testl $1 << 17, %eax
    setz %al
    testb %al, %al
    is "an interrupt waits in IRR while IF is 0"
    nop
    count_is 0x31, 0, "and is not delivered"
    sti
    cli
    count_is 0x31, 0, "nor between STI and the next instruction"
    sti
    nop
    cli
    count_is 0x31, 1, "after that it is, once"
    self_ipi 0x31
    sti
    hlt
    cli
    count_is 0x31, 1, "HLT ends when one waits already"
    movw %ss, %ax
    self_ipi 0x31
    sti
    movw %ax, %ss
    cli
    /* STI's shadow covers MOV SS, and its own covers CLI. */
    nop
    sti
    nop
    cli
    count_is 0x31, 1, "a shadow after a shadow loses nothing"

    movq $0, irq_hook
    movl $0, order
    movq $note, irq_hook
    self_ipi 0x31
    self_ipi 0x42
    self_ipi 0x33
    sti
    nop
    nop
    nop
    cli
    cmpl $0x00423331, order
    is "the highest is served first"
    movq $0, irq_hook
    movl $0, counts + 4 * 0x31
    movl $0, counts + 4 * 0x33
    movl $0, counts + 4 * 0x42

    movl $0x40, APIC_TPR(%rbx)
    self_ipi 0x42
    sti
    nop
    cli
    count_is 0x42, 0, "TPR keeps its class back"
    movl $0x30, APIC_TPR(%rbx)
    sti
    nop
    cli
    count_is 0x42, 1, "until it is lowered"
    movl $5, %eax
    movq %rax, %cr8
    cmpl $0x50, APIC_TPR(%rbx)
    is "CR8 is TPR"
    self_ipi 0x42
    sti
    nop
    xorl %eax, %eax
    movq %rax, %cr8
    nop
    cli
    count_is 0x42, 1, "lowering CR8 lets one through"

    /* In service without an end: its class is kept back. */
    movl $0, end_by
    self_ipi 0x42
    sti
    nop
    cli
    movl $1, end_by
    self_ipi 0x41
    self_ipi 0x31
    sti
    nop
    nop
    cli
    count_is 0x41, 0, "one in service keeps its class back"
    movl $0, APIC_EOI(%rbx)
    sti
    nop
    nop
    cli
    count_is 0x41, 1, "its end lets it go"
    count_is 0x31, 1, "and the lower ones"
    movl $0, counts + 4 * 0x42

    movl $0xb, APIC_TIMER_DIVIDE(%rbx)
    movl $0x34, APIC_LVT_TIMER(%rbx)
    movl $100000, APIC_TIMER_INITIAL(%rbx)
    wait_irq 0x34, 1
    cmpl $0, APIC_TIMER_CURRENT(%rbx)
    is "the one-shot timer is at zero when it has fired"
    count_is 0x34, 1, "and fires once"
    movl $0x20035, APIC_LVT_TIMER(%rbx)
    movl $1000000, APIC_TIMER_INITIAL(%rbx)
    wait_irq 0x35, 5
    cmpl $5, counts + 4 * 0x35
    setb %al
    testb %al, %al
    is "the periodic timer goes on"
    movl $0x10035, APIC_LVT_TIMER(%rbx)
    movl $0, APIC_TIMER_INITIAL(%rbx)
    movl $0, counts + 4 * 0x35
    movl $0x10034, APIC_LVT_TIMER(%rbx)
    movl $100000000, APIC_TIMER_INITIAL(%rbx)
    movl APIC_TIMER_CURRENT(%rbx), %eax
    movl $10000, %ecx
1:
    loop 1b
    cmpl %eax, APIC_TIMER_CURRENT(%rbx)
    setae %al
    testb %al, %al
    is "its count goes down"
    movl $0, APIC_TIMER_INITIAL(%rbx)

    movl $0x40036, APIC_LVT_TIMER(%rbx)
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    addq $3000000, %rax
    movq %rax, %r12
    movq %rax, %rdx
    shrq $32, %rdx
    movl $MSR_TSC_DEADLINE, %ecx
    wrmsr
    wait_irq 0x36, 1
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    cmpq %r12, %rax
    setb %al
    testb %al, %al
    is "the TSC deadline is not early"
    count_is 0x36, 1, "and fires once"
    movl $MSR_TSC_DEADLINE, %ecx
    rdmsr
    orl %edx, %eax
    testl %eax, %eax
    is "and is disarmed then"

    movl $0x1b, %ecx            /* APIC base: x2APIC on */
    rdmsr
    orl $0xc00, %eax
    wrmsr
    movl $3, end_by
    movl $0x83f, %ecx
    movl $0x37, %eax
    xorl %edx, %edx
    wrmsr
    sti
    nop
    cli
    count_is 0x37, 1, "x2APIC: SELF IPI and EOI"
    movl $0x37, %eax
    wrmsr
    sti
    nop
    cli
    count_is 0x37, 1, "x2APIC: once more"
    cmpl $-1, 0x30(%rbx)
    is "x2APIC: nothing is at its address"
    movl $0x831, %ecx           /* the ICR is one register of 64 bits */
    fault 13, "x2APIC: no ICR_HIGH", rdmsr
    irq_finish

/* The vectors of 0x31, 0x33, 0x42 as bytes, the first one highest. */
note:
    shll $8, order
    orl %eax, order
    ret
order:
    .long 0
