/* Starts its watchdog with 100 ms, answers it three times, says so, and then
 * hangs. */
    .globl start
start:
    cli
    movw $0x620, %dx
    movl $100, %eax
    outl %eax, %dx
    movw $0x624, %dx
    movl $1, %eax
    outl %eax, %dx
    movl $3, %ecx
1:
    movw $0x628, %dx
    outl %eax, %dx
    decl %ecx
    jnz 1b
    movb $'w', %al
    outb %al, $0xe9
2:
    pause
    jmp 2b
