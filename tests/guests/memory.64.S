/* Page tables of the guest's own, INVLPG, code that changes itself. */
#include "guest64.inc"
    .set PD, 0x4000             /* vmm/load_flat.c */
    .set VIRTUAL, 0x3fe00000    /* the last 2 MiB of the first GiB */

    begin

    movl $0x11111111, 0x200000
    movl $0x22222222, 0x400000
    movq $0x200083, PD + 511 * 8
    invlpg VIRTUAL
    cmpl $0x11111111, VIRTUAL
    is "a mapping of its own is used"
    movq $0x400083, PD + 511 * 8
    invlpg VIRTUAL
    cmpl $0x22222222, VIRTUAL
    is "INVLPG makes a change seen"
    movq $0x200083, PD + 511 * 8
    movq %cr3, %rax
    movq %rax, %cr3
    cmpl $0x11111111, VIRTUAL
    is "so does loading CR3"
    movq %cr4, %rbx
    orq $0x80, %rbx
    movq %rbx, %cr4
    movq $0x400183, PD + 511 * 8
    invlpg VIRTUAL
    cmpl $0x22222222, VIRTUAL
    is "a global page"
    movq $0x200183, PD + 511 * 8
    xorq $0x80, %rbx
    movq %rbx, %cr4
    cmpl $0x11111111, VIRTUAL
    is "leaves the TLB when CR4.PGE changes"
    movq PD + 511 * 8, %rax
    andl $0x20, %eax
    cmpl $0x20, %eax
    is "the accessed bit was set"
    movl $1, VIRTUAL
    movq PD + 511 * 8, %rax
    andl $0x40, %eax
    cmpl $0x40, %eax
    is "the dirty bit was set"
    movq $0, PD + 511 * 8
    invlpg VIRTUAL
    fault 14, "what is unmapped faults", movl VIRTUAL, %eax
    cmpl $0, last_error
    is "the error code says: not present, read"

    movb $0xb8, 0x300000        /* movl $N, %eax; ret */
    movb $0xc3, 0x300005
    movl $0x300000, %edi
    movl $1000, %ecx
1:
    movl %ecx, 1(%rdi)
    call *%rdi
    cmpl %ecx, %eax
    jne 2f
    decl %ecx
    jnz 1b
2:
    testl %ecx, %ecx
    is "changed code is run as changed, 1000 times"
    wbinvd
    invd
    cmpl $0, last_error
    is "WBINVD and INVD are passed over"
    finish
