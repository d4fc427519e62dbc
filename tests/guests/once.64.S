/* Each interrupt comes once, and not while interrupts are off, however often
 * the host is interrupted meanwhile: the handler takes its time. */
#include "irq64.inc"
    .set ROUNDS, 200
    .set SPIN, 200000

    irq_begin
    movq $on_interrupt, irq_hook
    movl $ROUNDS, %r12d
1:
    cli
    self_ipi 0x31
    sti
    nop
    decl %r12d
    jnz 1b
    cli
    movq $0, irq_hook
    count_is 0x31, ROUNDS, "each interrupt comes once"
    cmpl $0, nested
    is "none comes while interrupts are off"
    irq_finish

on_interrupt:
    testl $0x200, 56(%rsp)      /* RFLAGS of what was interrupted */
    jnz 2f
    incl nested
    ret
2:
    movl $SPIN, %ecx
3:
    decl %ecx
    jnz 3b
    ret
nested:
    .long 0
