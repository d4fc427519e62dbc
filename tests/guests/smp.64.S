/* A second CPU: INIT, SIPI, interrupts and NMIs between CPUs. Needs two. */
#include "irq64.inc"
    .set START, 0x8000          /* the second CPU's code, in real mode */
    .set ICR_INIT, 0x4500
    .set ICR_SIPI, 0x4600 | START >> 12
    .set ICR_NMI, 0x4400
    .set STARTED, 0x7000        /* words that it counts in */
    .set INTERRUPTED, 0x7004
    .set HIT, 0x7008
    .set APIC_ID, 0x700c

    .macro to_other low
    movl $1 << 24, APIC_ICR_HIGH(%rbx)
    movl $\low, APIC_ICR(%rbx)
    .endm
    /* Until the word has that value, for some seconds. */
    .macro until address, value, text
    movl $30000000, %ecx
1:
    cmpl $\value, \address
    je 2f
    pause
    decl %ecx
    jnz 1b
2:
    cmpl $\value, \address
    is "\text"
    .endm

    irq_begin
    cli
    movl $ap_code, %esi
    movl $START, %edi
    movl $ap_end - ap_code, %ecx
    cld
    rep movsb
    movw $irq - ap_code, 0x40 * 4   /* its vectors 0x40, 2 */
    movw $START >> 4, 0x40 * 4 + 2
    movw $nmi - ap_code, 2 * 4
    movw $START >> 4, 2 * 4 + 2
    cmpl $0, STARTED
    is "it waits for its start"
    to_other ICR_SIPI
    until STARTED, 1, "a SIPI starts it"
    cmpl $1, APIC_ID
    is "its APIC id is 1"
    to_other 0x4040
    until INTERRUPTED, 1, "an interrupt reaches it in HLT"
    to_other 0x4040
    until INTERRUPTED, 2, "and another one"
    to_other ICR_NMI
    until HIT, 1, "an NMI reaches it"
    to_other ICR_NMI
    until HIT, 2, "and another one"
    to_other ICR_SIPI
    to_other 0x4040
    until INTERRUPTED, 3, "a SIPI to one that runs changes nothing"
    cmpl $1, STARTED
    is "it was not started again"
    to_other ICR_INIT
    to_other ICR_SIPI
    until STARTED, 2, "INIT and SIPI start it again"
    movl $0xc4040, APIC_ICR(%rbx)       /* all but self */
    until INTERRUPTED, 4, "an interrupt to all but self"
    sti
    nop
    cli
    count_is 0x40, 0, "does not come here"
    to_other ICR_INIT
    irq_finish

    .code16
ap_code:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x6000, %sp
    movl $0x1b, %ecx            /* x2APIC: real mode reaches it by MSR */
    rdmsr
    orw $0xc00, %ax
    wrmsr
    movl $0x80f, %ecx
    movl $0x1ff, %eax
    xorl %edx, %edx
    wrmsr
    movl $0x802, %ecx
    rdmsr
    movl %eax, APIC_ID
    lock incl STARTED
1:
    sti
    hlt
    jmp 1b
irq:
    lock incl INTERRUPTED
    movl $0x80b, %ecx
    xorl %eax, %eax
    xorl %edx, %edx
    wrmsr
    iretw
nmi:
    lock incl HIT
    iretw
ap_end:
    .code64
