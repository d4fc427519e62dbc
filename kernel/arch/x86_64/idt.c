/*
 * The interrupt descriptor table, one for all CPUs. Every gate is an interrupt
 * gate: handlers start with interrupts off. Boot and CPU start only.
 */
#include <arch/gdt.h>
#include <arch/trap.h>
#include <rayos/types.h>

#define GATE_INTERRUPT 0x8e00 /* present, ring 0, 64-bit interrupt gate */
#define VECTOR_COUNT   256
#define STUB_SIZE      16 /* vectors.S */

struct idt_gate { /* Intel SDM 3A figure 6-8 */
    uint16_t offset_low, selector;
    uint16_t attributes; /* IST index in bits 0..2 */
    uint16_t offset_mid;
    uint32_t offset_high, reserved;
};

extern const uint8_t vector_stubs[];

static struct idt_gate idt[VECTOR_COUNT] __attribute__((aligned(4096)));

static uint16_t idt_stack(unsigned vector)
{
    switch (vector) {
    case TRAP_DF:
        return IST_DF;
    case TRAP_NMI:
        return IST_NMI;
    case TRAP_MC:
        return IST_MC;
    default:
        return 0;
    }
}

void idt_init(void)
{
    for (unsigned i = 0; i < VECTOR_COUNT; i++) {
        uintptr_t stub = (uintptr_t)vector_stubs + i * STUB_SIZE;

        idt[i] = (struct idt_gate){
            .offset_low = (uint16_t)stub,
            .selector = KERNEL_CS,
            .attributes = GATE_INTERRUPT | idt_stack(i),
            .offset_mid = (uint16_t)(stub >> 16),
            .offset_high = (uint32_t)(stub >> 32),
        };
    }
}

void idt_load(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) idtr = {sizeof(idt) - 1, (uintptr_t)idt};

    __asm__ volatile("lidt %0" ::"m"(idtr) : "memory");
}
