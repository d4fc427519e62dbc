/* Never exits by itself: only the host's interrupts end it. */
    .globl start
start:
    cli
1:
    incq %rbx
    jmp 1b
