/* A triple fault: no IDT, then #UD. */
    .globl start
start:
    lidt empty
    movq $0xabcd, %rbx
    ud2
empty:
    .fill 10, 1, 0
