/*
 * What an exit costs: a letter and the ticks of ROUNDS rounds in hexadecimal,
 * "c" for CPUID and "o" for OUT to the index register of the CMOS, which RayOS
 * answers in its kernel. It asks nothing else of who runs it but port 0xe9, so
 * that Linux' KVM runs it too (tests/bench/peer_vm.c).
 */
    .set ROUNDS, 10000
    .code16

    .macro measure letter, insn:vararg
    movl $ROUNDS, %esi
    rdtsc
    movl %eax, %edi
1:
    xorl %eax, %eax
    \insn
    decl %esi
    jnz 1b
    rdtsc
    subl %edi, %eax
    movb $\letter, %bl
    call report
    .endm

    .globl start
start:
    xorw %ax, %ax
    movw %ax, %ds
    measure 'c', cpuid
    measure 'o', outb %al, $0x70
    outb %al, $0xf4
2:
    hlt
    jmp 2b

/* BL: letter; EAX: number. */
report:
    movl %eax, %edx
    movb %bl, %al
    outb %al, $0xe9
    movw $8, %cx
3:
    roll $4, %edx
    movb %dl, %al
    andb $15, %al
    addb $'0', %al
    cmpb $'9', %al
    jbe 4f
    addb $('a' - '0' - 10), %al
4:
    outb %al, $0xe9
    loop 3b
    movb $'\n', %al
    outb %al, $0xe9
    ret
