/* Runs where there is no RAM. */
    .globl start
start:
    movl $0x3f000000, %eax
    jmp *%rax
