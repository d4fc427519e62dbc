/*
 * The end of the session. power_request: thread context; power_now: any
 * context, panics included.
 */
#include <arch/cpu.h>
#include <rayos/acpi.h>
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/power.h>
#include <rayos/thread.h>
#include <rayos/unit.h>

#define RESET_CONTROL_PORT 0xcf9 /* Intel PCHs: reset control register */
#define RESET_CONTROL_HARD 0x02
#define RESET_CONTROL_GO   0x06
#define I8042_COMMAND_PORT 0x64
#define I8042_STATUS_BUSY  0x02
#define I8042_PULSE_RESET  0xfe
#define BOCHS_OFF_PORT     0x8900
#define EFFECT_WAIT        (50 * NS_PER_MS)
#define I8042_WAIT_READS   10000

static bool requested; /* atomic: one end is enough */

static void reset_by_i8042(void)
{
    for (int i = 0; i < I8042_WAIT_READS; i++)
        if (!(arch_in8(I8042_COMMAND_PORT) & I8042_STATUS_BUSY))
            break;
    arch_out8(I8042_COMMAND_PORT, I8042_PULSE_RESET);
    clock_delay(EFFECT_WAIT);
}

/* An exception that finds no table resets the CPU, which every PC takes as a
 * reset of the machine. */
static _Noreturn void reset_by_triple_fault(void)
{
    const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty = {0, 0};

    __asm__ volatile("lidt %0\n\tint3" ::"m"(empty));
    for (;;)
        arch_halt();
}

static _Noreturn void reset_now(void)
{
    acpi_reset();
    arch_out8(RESET_CONTROL_PORT, RESET_CONTROL_HARD);
    arch_out8(RESET_CONTROL_PORT, RESET_CONTROL_GO);
    clock_delay(EFFECT_WAIT);
    reset_by_i8042();
    reset_by_triple_fault();
}

static void off_by_bochs(void)
{
    for (const char *c = "Shutdown"; *c; c++)
        arch_out8(BOCHS_OFF_PORT, (uint8_t)*c);
}

_Noreturn void power_now(enum power_action action)
{
    arch_irq_disable();
    if (action == POWER_RESET)
        reset_now();
    acpi_power_off();
    off_by_bochs();
    for (;;)
        arch_halt();
}

static void power_thread(void *arg)
{
    enum power_action action = (enum power_action)(uintptr_t)arg;

    log_info("power", action == POWER_OFF ? "power off" : "reset");
    units_stop();
    power_now(action);
}

void power_request(enum power_action action)
{
    const struct thread_attr attr = {
        .name = "power",
        .entry = power_thread,
        .arg = (void *)(uintptr_t)action,
        .priority = PRIO_IO,
        .affinity = CPU_ANY,
    };

    if (__atomic_exchange_n(&requested, true, __ATOMIC_SEQ_CST))
        return;
    if (thread_spawn(&attr))
        power_now(action); /* no memory even for that */
}
