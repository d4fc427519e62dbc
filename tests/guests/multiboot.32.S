/* A Multiboot kernel by the addresses in its header: checks what its loader has
 * left it, says so, and ends with 0. */
    .code32
    .set BASE, 0x200000
    .globl start
start:
    jmp entry
    .balign 4
header:
    .long 0x1badb002
    .long 0x00010003
    .long -(0x1badb002 + 0x00010003)
    .long BASE + (header - start)
    .long BASE
    .long 0
    .long 0
    .long BASE + (entry - start)
entry:
    movl %eax, %edx
    movb $2, %al
    cmpl $0x2badb002, %edx
    jne end
    movb $4, %al
    testl $0x40, (%ebx)
    jz end
    movl $BASE + (text - start), %esi
1:
    lodsb
    testb %al, %al
    jz end
    outb %al, $0xe9
    jmp 1b
    xorl %eax, %eax
end:
    outb %al, $0xf4
    hlt
    jmp end
text:
    .asciz "ok 1 - the loader keeps to Multiboot\n1..1\n"
