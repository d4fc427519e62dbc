/* Instructions on devices: the local APIC and the I/O APIC by all the forms
 * that drivers use. */
#include "guest64.inc"
    .set LAPIC, 0xfee00000
    .set TPR, 0x80
    .set SVR, 0xf0
    .set ICR_HIGH, 0x310
    .set IOAPIC, 0xfec00000

    begin
    movl $LAPIC, %ebx
    movl 0x30(%rbx), %eax
    movzbl %al, %ecx
    cmpl $0x14, %ecx
    is "the local APIC's version is read"
    movl $0x20, TPR(%rbx)
    movl TPR(%rbx), %eax
    cmpl $0x20, %eax
    is "an immediate is written"
    movl $0x50, %r9d
    movl %r9d, TPR(%rbx)
    movq $-1, %rdx
    movl TPR(%rbx), %edx
    cmpq $0x50, %rdx
    is "a read of 32 bits clears the upper half"
    movl $TPR / 4, %ecx
    movl $0x30, (%rbx, %rcx, 4)
    cmpl $0x30, TPR(%rbx)
    is "index and scale, and a comparison"
    orl $0x40, TPR(%rbx)
    cmpl $0x70, TPR(%rbx)
    is "or"
    andl $~0x20, TPR(%rbx)
    testl $0x20, TPR(%rbx)
    is "and, test"
    btsl $5, TPR(%rbx)
    jc 1f
    btl $5, TPR(%rbx)
1:
    setnc %al
    testb %al, %al
    is "a bit set and tested"
    movl $0x11, %eax
    xchgl %eax, TPR(%rbx)
    cmpl $0x70, %eax
    is "exchanged: the old value"
    cmpl $0x11, TPR(%rbx)
    is "exchanged: the new value"
    movabsl LAPIC + TPR, %eax
    cmpl $0x11, %eax
    is "an address of 64 bits"
    movzwl TPR(%rbx), %eax
    cmpl $0x11, %eax
    is "a word is widened"

    movl $LAPIC + TPR, %esi
    movl $buffer, %edi
    movl $4, %ecx
    cld
    rep movsl
    testl %ecx, %ecx
    is "a string is copied: count"
    cmpl $0x11, buffer
    is "a string is copied: first word"
    cmpl $LAPIC + TPR + 16, %esi
    is "a string is copied: source"
    movq %cr4, %rax
    orl $0x600, %eax            /* OSFXSR, OSXMMEXCPT */
    movq %rax, %cr4
    movdqu TPR(%rbx), %xmm3
    movd %xmm3, %eax
    cmpl $0x11, %eax
    is "sixteen bytes at once"

    movl $IOAPIC, %edi
    movl $0, (%rdi)
    movl $0x05000000, 16(%rdi)
    movl 16(%rdi), %eax
    cmpl $0x05000000, %eax
    is "the I/O APIC's index and window"
    movl $1, (%rdi)
    movzbl 18(%rdi), %eax
    cmpl $23, %eax
    is "a byte in the middle of a register"
    movl $0xe0000000, %esi
    cmpl $-1, (%rsi)
    is "what is not there reads all ones"
    movq (%rsi), %rax
    cmpq $-1, %rax
    is "of 64 bits too"
    movl $5, (%rsi)
    cmpl %eax, %eax
    is "writes there go nowhere"
    movb %ah, (%rsi)
    lock incl (%rsi)
    jns 2f
2:
    cmpl %eax, %eax
    is "locked instructions"
    finish
    .balign 16
buffer:
    .fill 16, 1, 0
