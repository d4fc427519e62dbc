/* Says so at each start, and resets itself in the way that is typed:
 * keyboard controller, port 0x92 (a20), reset register. */
    .code16
    .globl start
start:
    movb $'.', %al
    outb %al, $0xe9
wait:
    movw $0x3fd, %dx /* line status: a byte is there */
    inb %dx, %al
    testb $1, %al
    jz wait
    movw $0x3f8, %dx
    inb %dx, %al
    cmpb $'k', %al
    je keyboard
    cmpb $'a', %al
    je a20
    cmpb $'r', %al
    jne wait
    movw $0xcf9, %dx
    movb $6, %al
    outb %al, %dx
    jmp wait
keyboard:
    movb $0xfe, %al
    outb %al, $0x64
    jmp wait
a20:
    movb $1, %al
    outb %al, $0x92
    jmp wait
