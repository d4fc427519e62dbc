/* A triple fault in protected mode: no IDT, then #UD. */
    .code32
    .globl start
start:
    lidt empty
    ud2
empty:
    .fill 6, 1, 0
