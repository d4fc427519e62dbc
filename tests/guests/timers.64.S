/* PIT, RTC, HPET and UART through the I/O APIC and through the 8259s; level and
 * edge. */
#include "irq64.inc"
    .set IOAPIC, 0xfec00000
    .set LEVEL, 0x8000
    .set MASKED, 0x10000
    .set REMOTE_IRR, 0x4000
    .set HPET, 0xfed00000

    /* Pin's redirection entry: low word; to APIC 0. */
    .macro route pin, low
    movl $0x11 + 2 * \pin, (%rbp)
    movl $0, 16(%rbp)
    movl $0x10 + 2 * \pin, (%rbp)
    movl $\low, 16(%rbp)
    .endm

    .macro pit_periodic count
    movb $0x34, %al             /* channel 0, both bytes, mode 2 */
    outb %al, $0x43
    movb $\count & 0xff, %al
    outb %al, $0x40
    movb $\count >> 8, %al
    outb %al, $0x40
    .endm

    .macro cmos_write register, value
    movb $\register, %al
    outb %al, $0x70
    movb $\value, %al
    outb %al, $0x71
    .endm

    .macro uart_write register, value
    movw $0x3f8 + \register, %dx
    movb $\value, %al
    outb %al, %dx
    .endm

    irq_begin
    cli
    movl $IOAPIC, %ebp
    route 2, 0x30
    pit_periodic 2000
    wait_irq 0x30, 3
    cmpl $3, counts + 4 * 0x30
    setb %al
    testb %al, %al
    is "PIT, mode 2, through the I/O APIC"
    route 2, (MASKED | 0x30)
    sti                         /* what was on its way */
    nop
    cli
    movl $0, counts + 4 * 0x30
    sti
    movl $20000, %ecx
1:
    pause
    loop 1b
    cli
    count_is 0x30, 0, "a masked pin is quiet"

    movb $0, %al                /* latch, then read: it counts down */
    outb %al, $0x43
    inb $0x40, %al
    movb %al, %cl
    inb $0x40, %al
    movb %al, %ch
    cmpw $2001, %cx
    setae %al
    testb %al, %al
    is "PIT: the latched count is below its start"

    movl $0, end_by
    movb $0xfe, %al             /* the 8259s now: line 0, ExtINT by LINT0 */
    outb %al, $0x21
    movl $0x700, APIC_LVT_LINT0(%rbx)
    movl $2, end_by
    wait_irq 0x20, 3
    cmpl $3, counts + 4 * 0x20
    setb %al
    testb %al, %al
    is "PIT through the 8259s"
    movb $0xff, %al
    outb %al, $0x21
    sti
    nop
    cli
    movl $0, counts + 4 * 0x20
    sti
    movl $20000, %ecx
2:
    pause
    loop 2b
    cli
    count_is 0x20, 0, "a masked line is quiet"
    movb $0xfb, %al             /* line 8 by the cascade */
    outb %al, $0x21
    movb $0xfe, %al
    outb %al, $0xa1
    cmos_write 0x8a, 0x26       /* 1,024 Hz */
    cmos_write 0x8b, 0x42       /* periodic interrupt, 24 hours */
    movq $rtc_end, irq_hook
    wait_irq 0x28, 3
    cmpl $3, counts + 4 * 0x28
    setb %al
    testb %al, %al
    is "RTC through both 8259s"
    movb $0xff, %al
    outb %al, $0xa1
    outb %al, $0x21
    movl $0x10700, APIC_LVT_LINT0(%rbx)
    movl $1, end_by
    route 8, 0x38
    call rtc_end
    wait_irq 0x38, 3
    cmpl $3, counts + 4 * 0x38
    setb %al
    testb %al, %al
    is "RTC through the I/O APIC"
    movq $0, irq_hook
    movl $0, counts + 4 * 0x38
    sti
    movl $100000, %ecx
3:
    pause
    loop 3b
    cli
    cmpl $2, counts + 4 * 0x38
    setae %al
    testb %al, %al
    is "RTC: no second interrupt before register C is read"
    cmos_write 0x8b, 0x02
    route 8, MASKED
    call rtc_end

    /* UART: "transmitter empty" holds its line until IIR is read. */
    movl $0, counts + 4 * 0x34
    route 4, (LEVEL | 0x34)
    uart_write 4, 8             /* OUT2 lets it interrupt */
    movq $four_times, irq_hook
    uart_write 1, 2
    wait_irq 0x34, 4
    sti
    nop
    nop
    cli
    count_is 0x34, 4, "a level comes again until it is low"
    movq $0, irq_hook
    movl $0, end_by
    uart_write 1, 0
    uart_write 1, 2
    sti
    nop
    nop
    cli
    movl $0x18, (%rbp)
    movl 16(%rbp), %eax
    testl $REMOTE_IRR, %eax
    setz %al
    testb %al, %al
    is "remote IRR is set until the end"
    movw $0x3fa, %dx
    inb %dx, %al
    movl $0, APIC_EOI(%rbx)
    movl 16(%rbp), %eax
    testl $REMOTE_IRR, %eax
    is "and clear after it"
    movl $1, end_by
    uart_write 1, 0
    movl $0, counts + 4 * 0x34
    route 4, 0x34               /* edge */
    uart_write 1, 2
    sti
    nop
    nop
    nop
    cli
    count_is 0x34, 1, "an edge comes once"
    uart_write 1, 0
    uart_write 1, 2
    sti
    nop
    nop
    cli
    count_is 0x34, 1, "the next edge comes"
    uart_write 1, 0
    route 4, MASKED

    movl $HPET, %r12d
    movl 4(%r12), %r13d         /* femtoseconds of a tick */
    cmpl $100000001, %r13d
    setae %al
    testb %al, %al
    is "HPET: its period is sane"
    movl $1, 0x10(%r12)
    movq 0xf0(%r12), %rax
    movl $10000, %ecx
4:
    loop 4b
    cmpq %rax, 0xf0(%r12)
    setbe %al
    testb %al, %al
    is "HPET: it counts"
    /* Timer 0, one-shot, edge, I/O APIC pin 20. */
    route 20, 0x39
    movl $20 << 9 | 4, 0x100(%r12)
    movl 0xf0(%r12), %eax
    addl $100000, %eax
    movq %rax, 0x108(%r12)
    wait_irq 0x39, 1
    movl 0xf0(%r12), %ecx
    subl %eax, %ecx
    sets %al
    testb %al, %al
    is "HPET: a one-shot comparison is not early"
    irq_finish

/* Register C read: the RTC may interrupt again. */
rtc_end:
    movb $0x8c, %al
    outb %al, $0x70
    inb $0x71, %al
    ret
/* The fourth time, the UART's cause is taken away. */
four_times:
    cmpl $4, counts + 4 * 0x34
    jne 1f
    movw $0x3fa, %dx
    inb %dx, %al
1:
    ret
