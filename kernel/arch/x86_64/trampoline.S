/*
 * What another CPU executes first. smp.c copies this page below 1 MiB and fills
 * in the parameters; the startup IPI starts it in real mode at offset 0 of the
 * page. It goes from there to 64-bit mode in one step (Intel SDM 3A 9.8.5: with
 * paging and EFER.LME set, the far jump to a 64-bit segment ends the
 * transition) on a temporary page table that maps this page and the kernel.
 */
#define MSR_EFER 0xc0000080

    .section .rodata.trampoline, "a", @progbits
    .balign 16
    .globl ap_trampoline
ap_trampoline:
    .code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    movl $(1 << 5), %eax        /* CR4.PAE */
    movl %eax, %cr4
    movl (param_cr3 - ap_trampoline), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl (param_efer - ap_trampoline), %eax
    wrmsr
    lgdtl (param_gdtr - ap_trampoline)
    movl $0x80000011, %eax      /* CR0: PG, ET, PE; caches on */
    movl %eax, %cr0
    ljmpl *(param_far - ap_trampoline)

    .code64
    .globl ap_trampoline_long
ap_trampoline_long:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    xorl %ebp, %ebp
    movq param_stack(%rip), %rsp
    movq param_cpu(%rip), %rdi
    movq param_entry(%rip), %rax
    pushq $0                    /* no return address: end of the frame chain */
    jmp *%rax

/* struct ap_params in smp.c. */
    .balign 8
    .globl ap_trampoline_params
ap_trampoline_params:
param_gdt:
    .quad 0, 0, 0
param_stack:
    .quad 0
param_cpu:
    .quad 0
param_entry:
    .quad 0
param_cr3:
    .long 0
param_efer:
    .long 0
param_far:
    .long 0
    .word 0
param_gdtr:
    .word 0
    .long 0

    .globl ap_trampoline_end
ap_trampoline_end:

    .section .note.GNU-stack, "", @progbits
