/*
 * The world switch of SVM: see svm.h. VMRUN itself exchanges RIP, RSP, RAX,
 * RFLAGS, CS, SS, DS, ES, the control registers, GDTR and IDTR; VMLOAD and
 * VMSAVE the rest of the segments and the system call MSRs. The host's part of
 * those never changes while it runs (no user mode), so it is saved once and
 * only loaded here.
 */
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

    .text
/* void svm_run(uint64_t *gpr, phys_t guest, phys_t host) */
    .globl svm_run
    .type svm_run, @function
svm_run:
    pushq %rbp
    movq %rsp, %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    pushq %rdx                  /* host */
    pushq %rdi                  /* gpr */
    movq %rsi, %rax
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
    sti                         /* GIF is 0: nothing is taken before VMRUN */
    vmload %rax
    vmrun %rax
    vmsave %rax                 /* RAX is the host's again: the VMCB */
    movq (%rsp), %rax
    movq %rcx, RCX(%rax)
    movq %rdx, RDX(%rax)
    movq %rbx, RBX(%rax)
    movq %rbp, RBP(%rax)
    movq %rsi, RSI(%rax)
    movq %rdi, RDI(%rax)
    movq %r8, R8(%rax)
    movq %r9, R9(%rax)
    movq %r10, R10(%rax)
    movq %r11, R11(%rax)
    movq %r12, R12(%rax)
    movq %r13, R13(%rax)
    movq %r14, R14(%rax)
    movq %r15, R15(%rax)
    movq 8(%rsp), %rax
    vmload %rax
    cld
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
    .size svm_run, . - svm_run

    .section .note.GNU-stack, "", @progbits
