/*
 * The world switch of VMX: see vmx.h. The VMCS exchanges RSP, RIP, RFLAGS, all
 * segments, control and table registers; the rest is done here.
 */
    .set RAX, 0
    .set RCX, 8
    .set RDX, 16
    .set RBX, 24
    .set RBP, 40
    .set RSI, 48
    .set RDI, 56
    .set R8, 64
    .set R9, 72
    .set R10, 80
    .set R11, 88
    .set R12, 96
    .set R13, 104
    .set R14, 112
    .set R15, 120

    .set VMCS_HOST_RSP, 0x6c14
    .set VMCS_HOST_RIP, 0x6c16

    .text
/* bool vmx_run(uint64_t *gpr, bool resume) */
    .globl vmx_run
    .type vmx_run, @function
vmx_run:
    pushq %rbp
    movq %rsp, %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdi                  /* gpr */
    subq $8, %rsp               /* the guest's RDI, for a moment */
    movl $VMCS_HOST_RSP, %eax
    vmwrite %rsp, %rax
    movl $VMCS_HOST_RIP, %eax
    leaq .Lexit(%rip), %rcx
    vmwrite %rcx, %rax
    testb %sil, %sil            /* no move changes the flags */
    movq RAX(%rdi), %rax
    movq RCX(%rdi), %rcx
    movq RDX(%rdi), %rdx
    movq RBX(%rdi), %rbx
    movq RBP(%rdi), %rbp
    movq RSI(%rdi), %rsi
    movq R8(%rdi), %r8
    movq R9(%rdi), %r9
    movq R10(%rdi), %r10
    movq R11(%rdi), %r11
    movq R12(%rdi), %r12
    movq R13(%rdi), %r13
    movq R14(%rdi), %r14
    movq R15(%rdi), %r15
    movq RDI(%rdi), %rdi
    jnz 1f
    vmlaunch
    jmp .Lfailed
1:  vmresume
.Lfailed:                       /* the registers are still as they were given */
    xorl %eax, %eax
    jmp .Lreturn

.Lexit:
    movq %rdi, (%rsp)
    movq 8(%rsp), %rdi
    movq %rax, RAX(%rdi)
    movq %rcx, RCX(%rdi)
    movq %rdx, RDX(%rdi)
    movq %rbx, RBX(%rdi)
    movq %rbp, RBP(%rdi)
    movq %rsi, RSI(%rdi)
    movq %r8, R8(%rdi)
    movq %r9, R9(%rdi)
    movq %r10, R10(%rdi)
    movq %r11, R11(%rdi)
    movq %r12, R12(%rdi)
    movq %r13, R13(%rdi)
    movq %r14, R14(%rdi)
    movq %r15, R15(%rdi)
    movq (%rsp), %rax
    movq %rax, RDI(%rdi)
    movl $1, %eax
.Lreturn:
    /* No guest value stays for mispredicted code of ours to use. */
    xorl %ecx, %ecx
    xorl %edx, %edx
    xorl %esi, %esi
    xorl %edi, %edi
    xorl %r8d, %r8d
    xorl %r9d, %r9d
    xorl %r10d, %r10d
    xorl %r11d, %r11d
    addq $16, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size vmx_run, . - vmx_run

    .section .note.GNU-stack, "", @progbits
