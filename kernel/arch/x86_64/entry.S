/*
 * The first instructions of the kernel. The loader jumps here with interrupts
 * off, on its page tables (identity map, direct map, kernel image), with the
 * address of struct boot_info in RDI.
 */
    .section .text.entry, "ax", @progbits
    .globl kernel_entry
    .type kernel_entry, @function
kernel_entry:
    cli
    cld
    movq $boot_stack_top, %rsp
    xorl %ebp, %ebp             /* the frame chain ends here */
    call kernel_main
    ud2
    .size kernel_entry, . - kernel_entry

/* The stack of the boot CPU's first thread. */
    .section .bss.boot_stack, "aw", @nobits
    .balign 4096
    .globl boot_stack
    .type boot_stack, @object
boot_stack:
    .skip 16384
    .size boot_stack, . - boot_stack
    .globl boot_stack_top
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
