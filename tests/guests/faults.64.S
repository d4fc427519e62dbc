/* Faults in the middle of instructions on devices: the guest gets what its CPU
 * would have given it. */
#include "guest64.inc"
    .set LAPIC, 0xfee00000
    .set PD, 0x4000             /* vmm/load_flat.c */
    .set HOLE, 0x3fe00000       /* the last 2 MiB of the first GiB */
    .set TPR, 0x80

    begin
    movq $0x400083, PD + 510 * 8        /* before it, RAM */
    invlpg HOLE - 8
    movq $0, PD + 511 * 8
    invlpg HOLE
    movl $LAPIC, %ebx
    movl $0x20, TPR(%rbx)
    leal TPR(%rbx), %esi
    movl $HOLE, %edi
    cld
    fault 14, "MOVS from a device to what is not mapped", movsl
    cmpl $2, last_error
    is "its error code: not present, write"
    movq %cr2, %rax
    cmpq $HOLE, %rax
    is "its address is in CR2"
    cmpl $LAPIC + TPR, %esi
    is "RSI has not moved"
    movl $HOLE - 8, %edi
    movl $5, %ecx
    fault 14, "REP MOVS across the end of what is mapped", rep movsl
    cmpl $3, %ecx
    is "two elements are done"
    cmpl $HOLE, %edi
    is "RDI is at the page"
    cmpl $0x20, HOLE - 8
    is "the first element was copied"
    movq $0x8000000000000000, %rdi
    leal TPR(%rbx), %esi
    fault 13, "MOVS from a device to a non-canonical address", movsl
    movl $HOLE - 2, %edi
    leal TPR(%rbx), %esi
    fault 14, "a store across the end of what is mapped", movsl
    movq %cr2, %rax
    cmpq $HOLE, %rax
    is "the address is the second page's"
    movq $0x200081, PD + 511 * 8        /* read only */
    movq %cr0, %rax
    orl $0x10000, %eax                  /* WP */
    movq %rax, %cr0
    invlpg HOLE
    movl $HOLE, %edi
    leal TPR(%rbx), %esi
    fault 14, "MOVS from a device to read-only memory", movsl
    cmpl $3, last_error
    is "its error code: protection, write"
    xorl %eax, %eax
    pushfq
    orl $0x100, (%rsp)                  /* TF */
    movq $stepped, resume
    movl $-1, last_vector
    popfq
    movl TPR(%rbx), %eax                /* a trap behind this one */
    incl %edx
stepped:
    cmpl $1, last_vector
    is "single steps go on over emulated instructions"
    finish
