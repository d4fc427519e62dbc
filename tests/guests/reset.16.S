/* Counts its starts in memory, which a reset clears: always the first. */
    .code16
    .globl start
start:
    xorw %ax, %ax
    movw %ax, %ds
    incb count
    movb count, %al
    addb $'0', %al
    outb %al, $0xe9
1:
    hlt
    jmp 1b
count:
    .byte 0
