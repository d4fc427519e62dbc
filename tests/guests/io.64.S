/* Ports of each size, string I/O in both directions. */
#include "guest64.inc"

    begin

    movq $-1, %rax
    inb $0xe9, %al
    movq $0xffffffffffffffe9, %rdi
    cmpq %rdi, %rax
    is "IN of a byte changes AL only"
    movl $0x1234, %edx
    xorl %eax, %eax
    inb %dx, %al
    cmpl $0xff, %eax
    is "no device answers ones, 1 byte"
    xorl %eax, %eax
    inw %dx, %ax
    cmpl $0xffff, %eax
    is "no device answers ones, 2 bytes"
    movq $-1, %rax
    inl %dx, %eax
    movl $-1, %edi
    cmpq %rdi, %rax
    is "no device answers ones, 4 bytes, and RAX is cleared above"
    movl $0xe9, %edx
    xorl %eax, %eax
    inl %dx, %eax
    cmpl $-1, %eax
    is "an access beyond the device's end answers ones"

    movl $0xe9, %edx
    leaq words(%rip), %rsi
    movq %rsi, %rbx
    movl $words_size, %ecx
    rep outsb
    testl %ecx, %ecx
    is "REP OUTSB counts RCX down"
    subq %rbx, %rsi
    cmpq $words_size, %rsi
    is "and moves RSI on"
    movl $0x200000, %edi
    movl $1000, %ecx
    rep insb
    cmpl $0x2003e8, %edi
    is "REP INSB moves RDI on, 1000 bytes"
    movb 0x2003e7, %al
    cmpb $0xe9, %al
    is "the last byte was stored"
    cmpb $0, 0x2003e8
    is "nothing behind it"
    std
    movl $0x200010, %edi
    movl $4, %ecx
    movl $0x1234, %edx
    rep insl
    cld
    cmpl $0x200000, %edi
    is "with DF set it runs backwards"
    cmpl $-1, 0x200004
    is "INSL stores 4 bytes"
    movl $0, %ecx
    movl $0x7000, %edi
    rep insb
    cmpl $0x7000, %edi
    is "a count of 0 does nothing"
    movl $1, %ecx
    movq $0x8000000000, %rdi
    fault 14, "INS to an unmapped page raises #PF", rep insb
    movq %cr2, %rax
    cmpq %rdi, %rax
    is "with its address"
    movl $0x300000, %esi
    movl $0xe9, %edx
    movabsq $0xffffffff00000000, %rdi
    movb $'#', 0x300000
    movb $'\n', 0x300001
    orq %rdi, %rsi
    movl $2, %ecx
    addr32 rep outsb
    cmpq $0x300002, %rsi
    is "a 32-bit address size takes the low half"
    finish
words:
    .ascii "# REP OUTSB speaks\n"
    .set words_size, . - words
