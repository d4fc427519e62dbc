/*
 * Entry from exceptions and interrupts: 256 stubs of 16 bytes that push the
 * vector and end in one of two common parts, which build struct trap_frame
 * (arch/trap.h) and call C.
 *
 * Both push {interrupted RBP, interrupted RIP} and point RBP at the pair, which
 * looks like a function's frame: a walk along RBP crosses into the interrupted
 * code, also from the interrupt stack.
 */
#define CPU_IRQ_DEPTH 20 /* struct cpu, checked in gdt.c */
#define CPU_IRQ_STACK 24
#define FRAME_RIP     136 /* struct trap_frame, checked in traps.c */

/* Exceptions for which the CPU pushes an error code: 8, 10 to 14, 17, 21, 29,
 * 30 (Intel SDM 3A table 6-1, AMD APM 2 table 8-1). */
#define ERROR_CODES 0x60227d00

    .macro save_registers
    pushq %rax
    pushq %rbx
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %rbp
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    cld
    movq %rsp, %rdi             /* struct trap_frame * */
    pushq FRAME_RIP(%rdi)
    pushq %rbp
    movq %rsp, %rbp
    unwind_info
    .endm

/* For debuggers (DWARF 5, 6.4.2): behind save_registers everything that was
 * interrupted lies at known distances from %rbp, its stack pointer, which is
 * the canonical frame address, too. The last two bytes are the distance as
 * SLEB128. */
    .macro unwind_register number, low, high
    .cfi_escape 0x10, \number, 3, 0x76, \low, \high
    .endm

    .macro unwind_info
    .cfi_escape 0x0f, 4, 0x76, 0xb0, 0x01, 0x06 /* *(%rbp + 176) */
    unwind_register 15, 0x90, 0x00              /* r15: %rbp + 16 */
    unwind_register 14, 0x98, 0x00
    unwind_register 13, 0xa0, 0x00
    unwind_register 12, 0xa8, 0x00
    unwind_register 11, 0xb0, 0x00
    unwind_register 10, 0xb8, 0x00
    unwind_register 9, 0xc0, 0x00
    unwind_register 8, 0xc8, 0x00
    unwind_register 6, 0xd0, 0x00               /* rbp: %rbp + 80 */
    unwind_register 5, 0xd8, 0x00               /* rdi */
    unwind_register 4, 0xe0, 0x00               /* rsi */
    unwind_register 1, 0xe8, 0x00               /* rdx */
    unwind_register 2, 0xf0, 0x00               /* rcx */
    unwind_register 3, 0xf8, 0x00               /* rbx: %rbp + 120 */
    unwind_register 0, 0x80, 0x01               /* rax */
    unwind_register 16, 0x98, 0x01              /* rip: %rbp + 152 */
    .endm

    .cfi_sections .debug_frame
    .text
    .balign 16
    .globl vector_stubs
    .type vector_stubs, @function
vector_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if vector >= 32
    pushq $0
    pushq $vector
    jmp interrupt_entry
    .elseif (ERROR_CODES >> vector) & 1
    pushq $vector
    jmp exception_entry
    .else
    pushq $0
    pushq $vector
    jmp exception_entry
    .endif
    .set vector, vector + 1
    .endr
    .balign 16
    .size vector_stubs, . - vector_stubs

/* Stays on the stack the CPU chose: the thread's, the interrupt's, or an IST
 * stack. */
    .type exception_entry, @function
exception_entry:
    .cfi_startproc
    .cfi_signal_frame
    save_registers
    call trap_dispatch
    jmp trap_return
    .cfi_endproc
    .size exception_entry, . - exception_entry

    .type interrupt_entry, @function
interrupt_entry:
    .cfi_startproc
    .cfi_signal_frame
    save_registers
    cmpl $0, %gs:CPU_IRQ_DEPTH
    jne 1f
    movq %gs:CPU_IRQ_STACK, %rsp
1:  incl %gs:CPU_IRQ_DEPTH
    call irq_dispatch
    movq %rbp, %rsp             /* back on the interrupted stack */
    decl %gs:CPU_IRQ_DEPTH
    jnz trap_return
    call irq_exit               /* may switch threads */
    .cfi_endproc
    .size interrupt_entry, . - interrupt_entry

    .type trap_return, @function
trap_return:
    addq $16, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    addq $16, %rsp              /* vector, error */
    iretq
    .size trap_return, . - trap_return

    .section .note.GNU-stack, "", @progbits
