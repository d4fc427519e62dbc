/* Random ports (but its own exit), MSRs and CPUID leaves, 20000 of each; all
 * faults are taken and gone on from. */
#include "guest64.inc"
    .set ROUNDS, 20000

    begin
    movl $ROUNDS, %r8d
    movq $88172645463325252, %r9
next:
    movq %r9, %rax              /* xorshift */
    shlq $13, %rax
    xorq %rax, %r9
    movq %r9, %rax
    shrq $7, %rax
    xorq %rax, %r9
    movq %r9, %rax
    shlq $17, %rax
    xorq %rax, %r9
    movl %r9d, %eax
    movl %r8d, %ecx
    cpuid
    movl %r9d, %eax
    movq %r9, %rcx
    shrq $20, %rcx
    cpuid
    movl %r9d, %ecx
    testl $1, %r8d
    jz 1f
    andl $0x1fff, %ecx          /* half of them where MSRs are */
    orl $0xc0000000, %ecx
1:
    movl %ecx, %edi
    andl $~0x7, %edi            /* leave EFER.. and the bases of segments */
    cmpl $0xc0000080, %edi
    je 3f
    movq $2f, resume
    rdmsr
2:
    movq $3f, resume
    movl %r9d, %eax
    movl %r8d, %edx
    wrmsr
3:
    movl %r9d, %edx
    shrl $3, %edx
    andl $0xffff, %edx
    cmpl $0xf0, %edx
    jb 4f
    cmpl $0xf8, %edx
    jb 5f
4:
    inb %dx, %al
    inl %dx, %eax
    cmpl $0xe6, %edx
    jb 6f
    cmpl $0xea, %edx
    jb 5f
6:
    outb %al, %dx
    outw %ax, %dx
5:
    decl %r8d
    jnz next
    cmpl $0, %r8d
    is "still here"
    finish
