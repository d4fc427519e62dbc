/* SSE and AVX registers survive exits and the host's other threads. */
#include "guest64.inc"
    .set ROUNDS, 3000

    begin
    movq %cr0, %rax
    andq $~4, %rax              /* EM off */
    orq $2, %rax                /* MP */
    movq %rax, %cr0
    movq %cr4, %rax
    orq $(1 << 18 | 3 << 9), %rax
    movq %rax, %cr4
    movl $1, %eax
    xorl %ecx, %ecx
    cpuid
    andl $(1 << 27), %ecx
    cmpl $(1 << 27), %ecx
    is "OSXSAVE follows CR4"
    xorl %ecx, %ecx
    xgetbv
    cmpl $1, %eax
    is "XCR0 is 1 at first"
    movl $7, %eax
    xorl %edx, %edx
    xsetbv
    xgetbv
    cmpl $7, %eax
    is "x87, SSE and AVX can be switched on"

    fninit
    fldpi
    vmovdqu patterns, %ymm0
    vmovdqu patterns + 32, %ymm7
    vmovdqu patterns + 64, %ymm15
    movl $ROUNDS, %r8d
1:
    movl $1, %eax
    cpuid
    inb $0x80, %al
    vpxor patterns, %ymm0, %ymm1
    vptest %ymm1, %ymm1
    jnz 2f
    vpxor patterns + 32, %ymm7, %ymm1
    vptest %ymm1, %ymm1
    jnz 2f
    vpxor patterns + 64, %ymm15, %ymm1
    vptest %ymm1, %ymm1
    jnz 2f
    decl %r8d
    jnz 1b
2:
    testl %r8d, %r8d
    is "YMM registers keep their values over 6000 exits"
    fldpi
    fcomip
    is "so does the x87 stack"
    xorl %ecx, %ecx
    xgetbv
    cmpl $7, %eax
    is "and XCR0"
    finish
    .balign 32
patterns:
    .quad 0x0123456789abcdef, 0x1111111111111111, 0xfedcba9876543210, -1
    .quad 0x2222222222222222, 0x3333333333333333, 0x4444444444444444, 5
    .quad 0x6666666666666666, 0x7777777777777777, 0x8888888888888888, 9
