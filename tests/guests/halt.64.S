/* Halts with interrupts off: nothing will ever happen. */
    .globl start
start:
    cli
    hlt
    jmp start
