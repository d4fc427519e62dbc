/*
 * Paging with PAE: a CPU reads the four top entries when paging is switched on
 * or changed, refuses reserved bits in them, and keeps them. One line each:
 * "paging"; "refused" or "taken" for a reserved bit; "kept" or "read" for an
 * entry that was changed in memory only; "loaded" once CR3 was written. Ends
 * with 0 when all else is well.
 */
    .set TOP, 0x200000      /* four entries */
    .set LOW, 0x201000      /* directory: 1 GiB by 2 MiB pages, as it is */
    .set OLD, 0x202000      /* directories of the second GiB: its start is */
    .set NEW, 0x203000      /* 4 MiB, and 6 MiB */
    .set OLD_DATA, 0x400000
    .set NEW_DATA, 0x600000
    .set SECOND, 0x40000000

    .macro say text
    movl $7701f, %esi
    movl $(7702f - 7701f), %ecx
    call say_it
    .pushsection .data
7701:
    .ascii "\text\n"
7702:
    .popsection
    .endm

    .code32
    .globl start
start:
    cld
    movl $stack, %esp
    lgdt gdtr
    ljmp $8, $1f
1:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $on_gp, %eax
    movw %ax, gate
    shrl $16, %eax
    movw %ax, gate + 6
    lidt idtr

    movl $TOP, %edi
    xorl %eax, %eax
    movl $0x1000, %ecx
    rep stosl               /* all four tables */
    movl $(LOW + 1), TOP
    movl $(OLD + 1), TOP + 8
    movl $LOW, %edi
    movl $0x83, %eax
    movl $512, %ecx
2:
    movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 2b
    movl $(OLD_DATA + 0x83), OLD
    movl $(OLD_DATA + 0x83), OLD + 8
    movl $(NEW_DATA + 0x83), NEW
    movl $(NEW_DATA + 0x83), NEW + 8
    movl $0x01d01d, OLD_DATA
    movl $0x0e3e3e, NEW_DATA

    movl %cr4, %eax
    orl $0x20, %eax         /* PAE */
    movl %eax, %cr4
    movl $TOP, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0
    say "paging"

    orl $2, TOP + 24        /* reserved, but not present: no harm */
    movl %cr4, %eax
    xorl $0x80, %eax        /* PGE */
    movl %eax, %cr4
    orl $1, TOP + 24
    movl $3f, resume
    movl %cr4, %eax
    movl %eax, %ebx
    xorl $0x80, %eax
    movl %eax, %cr4
    say "taken"
    jmp 4f
3:
    say "refused"
    movl %cr4, %eax
    cmpl %eax, %ebx         /* it has not changed */
    jne bad
4:
    movl $0, resume
    movl $0, TOP + 24

    movl $(NEW + 1), TOP + 8
    movl %dr6, %eax
    movl %eax, %dr6         /* with an exit that writes state */
    cmpl $0x01d01d, SECOND
    jne 5f
    say "kept"
    jmp 6f
5:
    say "read"
6:
    movl $TOP, %eax
    movl %eax, %cr3
    cmpl $0x0e3e3e, SECOND
    jne bad
    say "loaded"
    xorl %eax, %eax
    outb %al, $0xf4
bad:
    movb $1, %al
    outb %al, $0xf4
    hlt

say_it:
    movl $0xe9, %edx
    rep outsb
    ret

on_gp:
    addl $4, %esp           /* the error code */
    cmpl $0, resume
    je bad
    movl resume, %eax
    movl %eax, (%esp)
    iret

    .data
    .balign 8
gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
gdtr:
    .word . - gdt - 1
    .long gdt
    .balign 8
idt:
    .fill 13, 8, 0
gate:
    .word 0, 8, 0x8e00, 0   /* interrupt gate, present */
idtr:
    .word . - idt - 1
    .long idt
resume:
    .long 0
    .space 256
stack:
