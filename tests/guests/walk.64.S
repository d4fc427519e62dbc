/* Page tables among the registers of a device. */
    .set PML4, 0x2000
    .globl start
start:
    movl $0xfee00003, PML4 + 8  /* the upper half is 0 */
    movabsq $0x8000000000, %rsi
    movb (%rsi), %al
    hlt
