/* Waits for a non-maskable interrupt, says so, and ends with 7. */
    .globl start
start:
    jmp begin
    .balign 8
gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:
    .word . - gdt - 1
    .quad gdt
idtr:
    .word 3 * 16 - 1
    .quad idt
    .balign 16
idt:
    .fill 3 * 16, 1, 0
begin:
    movl $nmi, %eax
    movl $idt + 2 * 16, %edi
    movw %ax, (%rdi)
    movw $0x10, 2(%rdi)
    movw $0x8e00, 4(%rdi)
    shrl $16, %eax
    movw %ax, 6(%rdi)
    lgdt gdtr
    lidt idtr
    movb $'r', %al
    outb %al, $0xe9
1:
    pause
    jmp 1b
nmi:
    movb $'n', %al
    outb %al, $0xe9
    movl $7, %eax
    outl %eax, $0xf4
2:
    hlt
    jmp 2b
