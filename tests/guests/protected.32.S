/* Protected mode without paging, then with 4 MiB pages: string I/O by 32-bit
 * addresses. Ends with 0 when all is well. */
    .code32
    .globl start
start:
    movl $text, %esi
    movl $text_size, %ecx
    movl $0xe9, %edx
    rep outsb
    testl %ecx, %ecx
    jnz bad
    /* Identity map of 4 GiB by 4 MiB pages at 2 MiB. */
    movl $0x200000, %edi
    movl $0x83, %eax
    movl $1024, %ecx
1:
    stosl
    addl $0x400000, %eax
    decl %ecx
    jnz 1b
    movl %cr4, %eax
    orl $0x10, %eax
    movl %eax, %cr4
    movl $0x200000, %eax
    movl %eax, %cr3
    movl %cr0, %eax
    orl $0x80000000, %eax
    movl %eax, %cr0
    movl $paged, %esi
    movl $paged_size, %ecx
    rep outsb
    movl $0x300000, %edi
    movl $16, %ecx
    rep insb
    cmpl $0x300010, %edi
    jne bad
    cmpl $0xe9e9e9e9, 0x30000c
    jne bad
    xorl %eax, %eax
    outb %al, $0xf4
bad:
    movb $1, %al
    outb %al, $0xf4
    hlt
text:
    .ascii "protected mode\n"
    .set text_size, . - text
paged:
    .ascii "with paging\n"
    .set paged_size, . - paged
