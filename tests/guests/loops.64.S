/* Page tables that lead to themselves: what a CPU sees in them, our walk of
 * them sees too. */
#include "guest64.inc"
    .set PML4, 0x2000
    .set PML4_LAST, PML4 + 511 * 8
    .set UNUSED, PML4 + 256 * 8
    .set PORT, 0x80             /* takes everything */
    .set DEBUG_PORT, 0xe9       /* gives its number */
    .set LOOP, 0xfffffffffffff000       /* entry 511 at every level */

    begin
    movq $(PML4 + 3), PML4_LAST
    movq $LOOP, %rbp
    movq 511 * 8(%rbp), %rax
    andq $~0x60, %rax           /* accessed, dirty */
    cmpq $(PML4 + 3), %rax
    is "the CPU finds the table in itself"
    movq %rbp, %rsi
    movl $16, %ecx
    movl $PORT, %edx
    cld
    rep outsb
    leaq 16(%rbp), %rax
    cmpq %rax, %rsi
    is "string output reads through the loop"
    leaq 256 * 8(%rbp), %rdi
    movl $4, %ecx
    movl $DEBUG_PORT, %edx
    rep insb
    cmpl $0xe9e9e9e9, UNUSED
    is "string input writes through the loop"
    movq $0, UNUSED
    /* Not present at the last level, where the walk has come by the loop. */
    movq $LOOP - 0x1000, %rsi
    movl $1, %ecx
    movl $PORT, %edx
    fault 14, "what the loop does not map is a fault", rep outsb
    movq %cr2, %rax
    movq $LOOP - 0x1000, %rcx
    cmpq %rcx, %rax
    is "its address is told"
    finish
