/*
 * The guest's XMM registers, which are the thread's own: nothing between two
 * entries uses them.
 *
 * void vector_store(unsigned i, void *to), void vector_load(unsigned i,
 * const void *from): 16 bytes, i below 16.
 */
    .text
    .macro each name, operation:vararg
    .globl \name
    .type \name, @function
\name:
    leaq 1f(%rip), %rax
    andl $15, %edi
    shll $4, %edi
    addq %rdi, %rax
    jmp *%rax
    .balign 16
1:
    .irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .balign 16
    \operation \i
    ret
    .endr
    .size \name, . - \name
    .endm

    .macro store i
    movdqu %xmm\i, (%rsi)
    .endm
    .macro load i
    movdqu (%rsi), %xmm\i
    .endm

    each vector_store, store
    each vector_load, load

    .section .note.GNU-stack, "", @progbits
