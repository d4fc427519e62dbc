/*
 * The stack switch. RBX, RBP, R12..R15 are all that the System V ABI lets a
 * callee keep; the x87/SSE/AVX state is context.c's.
 */
    .text

/* struct thread *arch_switch(struct thread *prev, struct thread *next): saves
 * to prev->sp, continues at next->sp, returns prev there. `sp` is the first
 * field of struct thread. */
    .globl arch_switch
    .type arch_switch, @function
arch_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    movq %rdi, %rax
    ret
    .size arch_switch, . - arch_switch

/* Where the first switch to a new thread returns to (arch_context_init). */
    .globl arch_thread_start
    .type arch_thread_start, @function
arch_thread_start:
    xorl %ebp, %ebp
    movq %rax, %rdi
    call sched_thread_begin
    ud2
    .size arch_thread_start, . - arch_thread_start

    .section .note.GNU-stack, "", @progbits
