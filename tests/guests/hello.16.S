/* Real mode: text, and the end. */
    .code16
    .globl start
start:
    xorw %ax, %ax
    movw %ax, %ds
    movw $text, %si
1:
    lodsb
    testb %al, %al
    jz 2f
    outb %al, $0xe9
    jmp 1b
2:
    movb $42, %al
    outb %al, $0xf4
3:
    hlt
    jmp 3b
text:
    .asciz "hello from real mode\n"
