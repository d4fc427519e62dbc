/* What an exit costs: ticks of the TSC for each CPUID and each IN of a byte
 * from a device in the kernel, printed as "cpuid N" and "pio N". */
#include "guest64.inc"
    .set ROUNDS, 2000

    .macro measure name, insn:vararg
    movl $ROUNDS, %r8d
    rdtsc
    movl %eax, %r10d
7704:
    \insn
    decl %r8d
    jnz 7704b
    rdtsc
    subl %r10d, %eax
    xorl %edx, %edx
    movl $ROUNDS, %ecx
    divl %ecx
    leaq 7705f(%rip), %rsi
    call print
    call print_long
    jmp 7706f
7705:
    .asciz "\name "
7706:
    .endm

    begin
    xorl %eax, %eax
    measure "cpuid", cpuid
    measure "pio", inb $0xe9, %al
    finish

/* EAX, and a line's end. */
print_long:
    movl $10, %ecx
    pushq $-1
1:
    xorl %edx, %edx
    divl %ecx
    pushq %rdx
    testl %eax, %eax
    jnz 1b
2:
    popq %rax
    cmpq $-1, %rax
    je 3f
    addb $'0', %al
    outb %al, $0xe9
    jmp 2b
3:
    movb $'\n', %al
    outb %al, $0xe9
    ret
