/*
 * A guest with a screen and a keyboard, for benchmarks: what comes by its first
 * serial line it does, and says so there.
 *
 *	f	transfer and flush a whole frame	F
 *	a key's event comes			k
 *
 * Its clock ticks 250 times a second; in between it halts. Virtio 1.2, 4.2.2,
 * 5.7 and 5.8.
 */
#include "irq64.inc"
    .set WINDOWS, 0xd0000000
    .set WINDOW, 0x1000
    .set IOAPIC, 0xfec00000
    .set COM1, 0x3f8
    .set GSI_COM1, 4
    .set GSI_VIRTIO, 16
    .set DEVICE_GPU, 16
    .set DEVICE_INPUT, 18
    .set WIDTH, 640
    .set HEIGHT, 480
    .set FRAME, 0x800000
    .set QUEUES, 0x400000       /* 64 KiB for each device */
    .set EVENTS, 8
    .set EVENT_SIZE, 8
    .set EV_KEY, 1
    /* registers */
    .set DEVICE_ID, 0x08
    .set DRIVER_FEATURES, 0x20
    .set DRIVER_SEL, 0x24
    .set QUEUE_SEL, 0x30
    .set QUEUE_SIZE, 0x38
    .set QUEUE_READY, 0x44
    .set NOTIFY, 0x50
    .set INTERRUPT, 0x60
    .set ACK, 0x64
    .set STATUS, 0x70
    .set DESCRIPTORS, 0x80
    .set DRIVER_AREA, 0x90
    .set DEVICE_AREA, 0xa0
    /* where the rings lie in a queue's memory */
    .set AVAILABLE, 0x1000
    .set USED, 0x2000
    .set BUFFERS, 0x3000

    irq_begin
    cli
    movl $DEVICE_GPU, %eax
    movl $QUEUES, %esi
    call start_device
    movl %edi, gpu
    movl $DEVICE_INPUT, %eax
    movl $QUEUES + 0x10000, %esi
    call start_device
    movl %edi, keyboard
    call offer_events
    call start_screen
    call start_interrupts
    movb $'R', %al
    call say
1:
    call look_at_line
    call look_at_keys
    sti
    hlt
    cli
    jmp 1b

/* EAX: its kind, ESI: memory for its first queue, of EVENTS descriptors. EDI:
 * its window. */
start_device:
    movl $WINDOWS, %edi
1:
    cmpl %eax, DEVICE_ID(%rdi)
    je 2f
    addl $WINDOW, %edi
    jmp 1b
2:
    movl $0, STATUS(%rdi)
    movl $3, STATUS(%rdi)
    movl $0, DRIVER_SEL(%rdi)
    movl $0, DRIVER_FEATURES(%rdi)
    movl $1, DRIVER_SEL(%rdi)
    movl $1, DRIVER_FEATURES(%rdi) /* version 1 */
    movl $11, STATUS(%rdi)
    movl $0, QUEUE_SEL(%rdi)
    movl $EVENTS, QUEUE_SIZE(%rdi)
    movl %esi, DESCRIPTORS(%rdi)
    leal AVAILABLE(%rsi), %eax
    movl %eax, DRIVER_AREA(%rdi)
    leal USED(%rsi), %eax
    movl %eax, DEVICE_AREA(%rdi)
    movl $1, QUEUE_READY(%rdi)
    movl $15, STATUS(%rdi)
    ret

/* All buffers for the keyboard's events. */
offer_events:
    movl $QUEUES + 0x10000, %esi
    xorl %ecx, %ecx
1:
    movl %ecx, %eax
    shll $4, %eax
    leal (%rsi, %rax), %edx
    leal BUFFERS(%rsi, %rax), %eax
    movq %rax, (%rdx)
    movl $EVENT_SIZE, 8(%rdx)
    movl $2, 12(%rdx)           /* the device writes */
    movw %cx, AVAILABLE + 4(%rsi, %rcx, 2)
    incl %ecx
    cmpl $EVENTS, %ecx
    jb 1b
    movw $EVENTS, AVAILABLE + 2(%rsi)
    movl keyboard, %edi
    movl $0, NOTIFY(%rdi)
    ret

/* RSI: a request, EDX: its length. Until it is answered. */
command:
    movl $QUEUES, %ebp
    movq %rsi, (%rbp)
    movl %edx, 8(%rbp)
    movl $1 << 16 | 1, 12(%rbp) /* the answer follows */
    movq $answer, 16(%rbp)
    movl $64, 24(%rbp)
    movl $2, 28(%rbp)
    movzwl AVAILABLE + 2(%rbp), %eax
    movl %eax, %ecx
    andl $EVENTS - 1, %ecx
    movw $0, AVAILABLE + 4(%rbp, %rcx, 2)
    incl %eax
    movw %ax, AVAILABLE + 2(%rbp)
    movl gpu, %edi
    movl $0, NOTIFY(%rdi)
1:
    pause
    cmpw %ax, USED + 2(%rbp)
    jne 1b
    ret

start_screen:
    movl $FRAME, %edi           /* a gradient */
    movl $WIDTH * HEIGHT, %ecx
1:
    movl %ecx, (%rdi)
    addl $4, %edi
    decl %ecx
    jnz 1b
    movl $create, %esi
    movl $40, %edx
    call command
    movl $attach, %esi
    movl $48, %edx
    call command
    movl $scanout, %esi
    movl $48, %edx
    call command
frame:
    movl $transfer, %esi
    movl $56, %edx
    call command
    movl $flush, %esi
    movl $48, %edx
    jmp command

/* EAX: GSI, EDX: vector. Level for a device's line. */
route:
    movl $IOAPIC, %edi
    leal 0x11(%rax, %rax), %ecx
    movl %ecx, (%rdi)
    movl $0, 0x10(%rdi)
    decl %ecx
    movl %ecx, (%rdi)
    movl %edx, 0x10(%rdi)
    ret

start_interrupts:
    movq $interrupted, irq_hook
    movl $GSI_COM1, %eax
    movl $0x31, %edx
    call route
    movl keyboard, %eax
    subl $WINDOWS, %eax
    shrl $12, %eax
    andl $7, %eax
    addl $GSI_VIRTIO, %eax
    movl $0x8032, %edx
    call route
    movw $COM1 + 1, %dx         /* when a byte has come */
    movb $1, %al
    outb %al, %dx
    movl $0xb, APIC_TIMER_DIVIDE(%rbx)
    movl $0x20033, APIC_LVT_TIMER(%rbx)
    movl $4000000, APIC_TIMER_INITIAL(%rbx)
    ret

/* EAX: the vector. */
interrupted:
    cmpl $0x32, %eax
    jne 1f
    movl keyboard, %edx
    movl INTERRUPT(%rdx), %eax
    movl %eax, ACK(%rdx)
1:
    ret

/* AL */
say:
    movw $COM1, %dx
    outb %al, %dx
    ret

look_at_line:
    movw $COM1 + 5, %dx
    inb %dx, %al
    testb $1, %al
    jz 1f
    movw $COM1, %dx
    inb %dx, %al
    cmpb $'f', %al
    jne look_at_line
    call frame
    movb $'F', %al
    call say
    jmp look_at_line
1:
    ret

look_at_keys:
    movl $QUEUES + 0x10000, %esi
    movzwl seen, %ecx
    cmpw %cx, USED + 2(%rsi)
    je 2f
    movl %ecx, %eax
    andl $EVENTS - 1, %eax
    movl USED + 4(%rsi, %rax, 8), %eax /* whose buffer */
    movl %eax, %edx
    shll $4, %edx
    cmpw $EV_KEY, BUFFERS(%rsi, %rdx)
    jne 1f
    pushq %rax
    movb $'k', %al
    call say
    popq %rax
1:
    movzwl AVAILABLE + 2(%rsi), %edx
    movl %edx, %ecx
    andl $EVENTS - 1, %ecx
    movw %ax, AVAILABLE + 4(%rsi, %rcx, 2)
    incl %edx
    movw %dx, AVAILABLE + 2(%rsi)
    incw seen
    movl keyboard, %edi
    movl $0, NOTIFY(%rdi)
    jmp look_at_keys
2:
    ret

    .balign 8
create:
    .long 0x101, 0, 0, 0, 0, 0, 1, 2, WIDTH, HEIGHT
attach:
    .long 0x106, 0, 0, 0, 0, 0, 1, 1, FRAME, 0, WIDTH * HEIGHT * 4, 0
scanout:
    .long 0x103, 0, 0, 0, 0, 0, 0, 0, WIDTH, HEIGHT, 0, 1
transfer:
    .long 0x105, 0, 0, 0, 0, 0, 0, 0, WIDTH, HEIGHT, 0, 0, 1, 0
flush:
    .long 0x104, 0, 0, 0, 0, 0, 0, 0, WIDTH, HEIGHT, 1, 0
answer:
    .fill 64, 1, 0
gpu:
    .long 0
keyboard:
    .long 0
seen:
    .long 0
    irq_finish
