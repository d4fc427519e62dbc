/*
 * A driver that breaks every rule, on every virtio device that the machine has:
 * each attack is a fresh start of the device with rings that cannot be right,
 * and a notification of all queues. The device must ask for a reset once at
 * least, and be as new after it.
 */
#include "guest64.inc"

    .set WINDOWS, 0xd0000000
    .set WINDOW, 0x1000
    .set COUNT, 16
    .set MAGIC, 0x74726976
    .set RINGS, 0x400000        /* 64 KiB for each queue */
    .set ATTACKS, 8
    /* registers of virtio 1.2 4.2.2 */
    .set FEATURES, 0x10
    .set FEATURES_SEL, 0x14
    .set DRIVER_FEATURES, 0x20
    .set DRIVER_SEL, 0x24
    .set QUEUE_SEL, 0x30
    .set QUEUE_MAX, 0x34
    .set QUEUE_SIZE, 0x38
    .set QUEUE_READY, 0x44
    .set NOTIFY, 0x50
    .set ACK, 0x64
    .set STATUS, 0x70
    .set DESCRIPTORS, 0x80
    .set DRIVER_AREA, 0x90
    .set DEVICE_AREA, 0xa0
    .set NEEDS_RESET, 0x40

    begin
    movl $WINDOWS, %r15d
    xorl %r14d, %r14d           /* devices */
next_device:
    cmpl $MAGIC, (%r15)
    jne all_done
    cmpl $0, 8(%r15)
    je all_done
    incl %r14d
    xorl %r13d, %r13d           /* how often it broke */
    movl $0, attack
next_attack:
    call start_device
    call break_rings
    movl $15, STATUS(%r15)      /* DRIVER_OK */
    xorl %ecx, %ecx
1:
    movl %ecx, NOTIFY(%r15)
    incl %ecx
    cmpl $COUNT, %ecx
    jb 1b
    movl STATUS(%r15), %eax
    testl $NEEDS_RESET, %eax
    jz 2f
    incl %r13d
2:
    movl $0, STATUS(%r15)
    movl $-1, ACK(%r15)
    cmpl $0, STATUS(%r15)
    jne device_done
    incl attack
    cmpl $ATTACKS, attack
    jb next_attack
device_done:
    cmpl $ATTACKS, attack
    is "after each reset the device is as new"
    testl %r13d, %r13d
    setz %al
    cmpb $0, %al
    is "it asked for a reset"
    addq $WINDOW, %r15
    cmpl $(WINDOWS + COUNT * WINDOW), %r15d
    jne next_device
all_done:
    cmpl $5, %r14d
    setb %al
    cmpb $0, %al
    is "there were five devices at least"
    finish

/* All features agreed to. */
start_device:
    movl $0, STATUS(%r15)
    movl $1, STATUS(%r15)
    movl $3, STATUS(%r15)
    xorl %ecx, %ecx
1:
    movl %ecx, FEATURES_SEL(%r15)
    movl %ecx, DRIVER_SEL(%r15)
    movl FEATURES(%r15), %eax
    movl %eax, DRIVER_FEATURES(%r15)
    incl %ecx
    cmpl $2, %ecx
    jb 1b
    movl $11, STATUS(%r15)
    ret

/* Rings of 8 for every queue: descriptors, driver area at 0x1000, device area
 * at 0x2000 behind it. RBX: the queue's memory. */
break_rings:
    xorl %ecx, %ecx
    movl $RINGS, %ebx
1:
    movl %ecx, QUEUE_SEL(%r15)
    cmpl $0, QUEUE_MAX(%r15)
    je 3f
    pushq %rcx
    movl %ebx, %edi
    movl $0x3000 / 8, %ecx
    xorl %eax, %eax
    rep stosq
    popq %rcx
    movl attack, %eax
    movl table(, %rax, 8), %eax
    call *%rax
    movl $8, QUEUE_SIZE(%r15)
    movl %ebx, DESCRIPTORS(%r15)
    leal 0x1000(%rbx), %eax
    movl %eax, DRIVER_AREA(%r15)
    leal 0x2000(%rbx), %eax
    movl %eax, DEVICE_AREA(%r15)
    cmpl $6, attack
    jne 2f
    movl $0x10000000, %eax      /* rings where there is no memory */
    movl %eax, DESCRIPTORS + 4(%r15)
    movl %eax, DRIVER_AREA + 4(%r15)
    movl %eax, DEVICE_AREA + 4(%r15)
2:
    movl $1, QUEUE_READY(%r15)
    addl $0x10000, %ebx
    incl %ecx
    cmpl $COUNT, %ecx
    jb 1b
3:
    ret

    .balign 8
table:
    .quad a_loop, a_head, an_address, an_index, an_indirect, a_mix, nothing
    .quad a_taken_queue

/* EAX: address, EDX: length, ESI: flags and next. Descriptor 0. */
describe:
    movq %rax, (%rbx)
    movl %edx, 8(%rbx)
    movl %esi, 12(%rbx)
    movw $1, 0x1002(%rbx)
    ret
a_loop:                         /* 0 leads to 0 */
    movl $0x500000, %eax
    movl $16, %edx
    movl $1, %esi
    jmp describe
a_head:                         /* no such descriptor */
    movw $1, 0x1002(%rbx)
    movw $0xffff, 0x1004(%rbx)
    ret
an_address:                     /* nowhere, of any size, to be written */
    movq $-0x10000, %rax
    movl $-1, %edx
    movl $2, %esi
    jmp describe
an_index:                       /* more than the ring has */
    movw $0x8000, 0x1002(%rbx)
    ret
an_indirect:                    /* a table of 17 bytes, in itself */
    movl %ebx, %eax
    movl $17, %edx
    movl $4, %esi
    jmp describe
a_mix:                          /* writable before readable */
    movl $0x500000, %eax
    movl $16, %edx
    movl $(1 << 16 | 3), %esi
    call describe
    movq $0x500000, 16(%rbx)
    movl $16, 24(%rbx)
    movl $0, 28(%rbx)
    ret
a_taken_queue:                  /* taken away, and back, while it works */
    movl $15, STATUS(%r15)
    movl $1, QUEUE_READY(%r15)
    movl $0, QUEUE_READY(%r15)
nothing:
    ret
attack:
    .quad 0
