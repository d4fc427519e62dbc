/* Random accesses of every size all over the devices' pages, the interrupt
 * controllers' included. How it ends is its own affair. */
#include "guest64.inc"
    .set ROUNDS, 20000

    /* RAX: the next random number. */
    .macro next
    movabsq $6364136223846793005, %rcx
    imulq %rcx, %r8
    addq $1442695, %r8
    movq %r8, %rax
    shrq $33, %rax
    .endm

    begin
    movq $again, resume
    movl $ROUNDS, %r9d
    movq $12345, %r8
again:
    movq $again, resume
    decl %r9d
    js 9f
    next
    movl %eax, %ebx
    andl $7, %ebx
    movl bases(, %rbx, 4), %ebx
    shrl $3, %eax
    andl $0xfff, %eax
    addl %eax, %ebx
    next
    movl %eax, %edx
    andl $7, %eax
    jmp *forms(, %rax, 8)
f0: movb %dl, (%rbx)
    jmp again
f1: movw %dx, (%rbx)
    jmp again
f2: movl %edx, (%rbx)
    jmp again
f3: movq %r8, (%rbx)
    jmp again
f4: movb (%rbx), %al
    jmp again
f5: movl (%rbx), %eax
    jmp again
f6: lock xaddl %eax, (%rbx)
    jmp again
f7: movl %ebx, %esi
    movl %ebx, %edi
    movl $5, %ecx
    rep movsw
    jmp again
9:
    xorl %eax, %eax
    is "it came to its end"
    finish
    .balign 8
forms:
    .quad f0, f1, f2, f3, f4, f5, f6, f7
bases: /* I/O APIC, HPET, local APIC, virtio windows, nothing, the top */
    .long 0xfec00000, 0xfed00000, 0xfee00000, 0xd0000000
    .long 0xfebf0000, 0xc0000000, 0xe0000000, 0xfffff000
