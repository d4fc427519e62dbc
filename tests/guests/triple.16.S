/* A triple fault in real mode: no vector table, then INT3. */
    .code16
    .globl start
start:
    lidtw %cs:empty
    int3
empty:
    .fill 6, 1, 0
