/* CPUID, MSRs, exceptions, control and debug registers. */
#include "guest64.inc"

    .set MSR_STAR, 0xc0000081
    .set MSR_LSTAR, 0xc0000082
    .set MSR_KERNEL_GS, 0xc0000102
    .set MSR_EFER, 0xc0000080

    begin

    /* CPUID */
    movl $1, %eax
    movq $-1, %rbx
    cpuid
    btl $31, %ecx
    sbbl %edi, %edi
    cmpl $-1, %edi
    is "CPUID says that a hypervisor is there"
    movq %rbx, %rdi
    shrq $32, %rdi
    is "CPUID clears the upper halves"
    btl $2, %ecx
    movl $0x80000001, %eax
    cpuid
    andl $4, %ecx
    is "CPUID offers no SVM"
    movl $0x7fffffff, %eax
    movl $0, %ecx
    cpuid
    orl %ebx, %eax
    is "an unknown leaf is empty"
    movl $0x80000000, %eax
    cpuid
    cmpl $0x80000008, %eax
    is "the highest extended leaf is 8"

    /* MSRs */
    movl $MSR_LSTAR, %ecx
    movl $0x89abcdef, %eax
    movl $0x1234, %edx
    wrmsr
    xorl %eax, %eax
    xorl %edx, %edx
    rdmsr
    shlq $32, %rdx
    orq %rax, %rdx
    movq $0x123489abcdef, %rdi
    cmpq %rdi, %rdx
    is "LSTAR keeps what is written"
    movl $MSR_KERNEL_GS, %ecx
    movl $0x5000, %eax
    xorl %edx, %edx
    wrmsr
    swapgs
    movl $0xc0000101, %ecx
    rdmsr
    cmpl $0x5000, %eax
    is "SWAPGS exchanges it with GS base"
    swapgs
    movl $MSR_LSTAR, %ecx
    movl $0x80000000, %edx
    fault 13, "an address that is not canonical gives #GP", wrmsr
    movl $0x12345, %ecx
    fault 13, "reading an unknown MSR gives #GP", rdmsr
    fault 13, "writing an unknown MSR gives #GP", wrmsr
    movl $MSR_EFER, %ecx
    rdmsr
    orl $1, %eax
    wrmsr
    rdmsr
    andl $0xfff, %eax
    cmpl $0x501, %eax
    is "EFER shows SCE, LME and LMA, and no SVME"
    orl $0x1000, %eax
    fault 13, "EFER.SVME cannot be set", wrmsr

    /* exceptions */
    fault 6, "UD2 raises #UD", ud2
    xorl %ecx, %ecx             /* else both would raise #GP first */
    movl $0x6000, %eax
    fault 6, "VMRUN raises #UD", vmrun
    fault 6, "MONITOR raises #UD", monitor
    xorl %ecx, %ecx
    fault 0, "division by zero raises #DE", divl %ecx
    movq $0x8000000000, %rdi
    fault 14, "an unmapped address raises #PF", movb (%rdi), %al
    movq %cr2, %rax
    cmpq %rdi, %rax
    is "CR2 holds it"
    fault 3, "INT3 raises #BP", int3

    /* CR4 */
    movq %cr4, %rax
    orq $(1 << 13), %rax
    fault 13, "CR4.VMXE cannot be set", movq %rax, %cr4
    movq %cr4, %rax
    orq $(1 << 7), %rax
    movq %rax, %cr4
    movq %cr4, %rbx
    cmpq %rax, %rbx
    is "CR4.PGE can be set"
    movq %rbx, %r9
    movq %r9, %cr4
    movq %cr4, %rax
    cmpq %rax, %r9
    is "CR4 is written from R9"

    /* debug registers */
    movq $0x1111, %r11
    movq %r11, %dr0
    movq $0x2222, %rax
    movq %rax, %dr3
    movq %dr0, %rbx
    cmpq $0x1111, %rbx
    is "DR0 keeps its value"
    movq %dr3, %r12
    cmpq $0x2222, %r12
    is "DR3 keeps its value"
    movq $1f, resume
    movl $-1, last_vector
    pushfq
    orq $0x100, (%rsp)          /* TF */
    popfq
    nop
    nop
1:
    cmpl $1, last_vector
    is "single step raises #DB"
    movq %dr6, %rax
    andl $0x4000, %eax
    cmpl $0x4000, %eax
    is "DR6 says so"
    movq $0xffff0ff0, %rax
    movq %rax, %dr6
    movq %dr6, %rbx
    cmpq %rax, %rbx
    is "and can be cleared"
    finish
