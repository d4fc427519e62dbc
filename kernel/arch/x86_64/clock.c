/*
 * The monotonic clock, from the TSC, and the one-shot timer of each CPU: the
 * TSC-deadline timer, else the LAPIC's count-down. Any context, but for the
 * initialization.
 *
 * Conversions are a multiplication by a 32.32 fixed-point number. The way from
 * nanoseconds to ticks is the exact inverse, rounded up: an interrupt at
 * clock_to_tsc(t) never finds clock_now() below t.
 */
#include <arch/apic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/features.h>
#include <arch/irq.h>
#include <arch/smp.h>
#include <arch/trap.h>
#include <rayos/boot.h>
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/panic.h>
#include <rayos/timer.h>

/* Diagnostic port: a write takes about a microsecond on every PC. */
#define DELAY_PORT   0x80
#define LAPIC_HZ_MAX UINT64_C(0xffffffff)
/* 1 / 2^14 s, 61 us, to see whether a deadline in a second comes now. */
#define DEADLINE_TRIAL_SHIFT 14

typedef unsigned __int128 uint128_t;

/* Written once, at boot. */
static uint64_t tsc_base;      /* at the kernel's entry */
static uint64_t tsc_hz;        /* 0: not measured yet */
static uint64_t ns_per_tick;   /* 32.32 */
static uint64_t lapic_per_tsc; /* 32.32 */
static bool deadline_mode;
static const char *source = "none";

void clock_mark_entry(void)
{
    tsc_base = arch_tsc();
}

nstime_t clock_from_tsc(uint64_t tsc)
{
    /* A TSC that is a little behind on another CPU must not look like the far
     * future. */
    if ((int64_t)(tsc - tsc_base) < 0)
        return 0;
    return (nstime_t)((uint128_t)(tsc - tsc_base) * ns_per_tick >> 32);
}

nstime_t clock_now(void)
{
    return clock_from_tsc(arch_tsc());
}

/* (high:low) / divisor; the caller sees to it that the quotient fits. The
 * compiler would call a library function for it. */
static uint64_t divide128(uint64_t high, uint64_t low, uint64_t divisor,
                          uint64_t *rest)
{
    uint64_t quotient;

    __asm__("divq %4"
            : "=a"(quotient), "=d"(*rest)
            : "a"(low), "d"(high), "r"(divisor)
            : "cc");
    return quotient;
}

uint64_t clock_to_tsc(nstime_t t)
{
    uint64_t ticks, rest;

    if (t == TIME_NEVER || t >> 32 >= ns_per_tick)
        return UINT64_MAX;
    ticks = divide128(t >> 32, t << 32, ns_per_tick, &rest);
    ticks += rest != 0;
    return ticks > UINT64_MAX - tsc_base ? UINT64_MAX : tsc_base + ticks;
}

uint64_t clock_tsc_hz(void)
{
    return tsc_hz;
}

const char *clock_source(void)
{
    return source;
}

void clock_delay(nstime_t ns)
{
    nstime_t end = clock_now() + ns;

    if (!tsc_hz) {
        for (nstime_t done = 0; done < ns; done += NS_PER_US)
            arch_out8(DELAY_PORT, 0);
        return;
    }
    while (clock_now() < end)
        arch_pause();
}

/* --- the timer --- */

static void arm_countdown(uint64_t target)
{
    uint64_t now = arch_tsc();
    uint64_t ticks = target > now ? target - now : 0;
    uint128_t count = ((uint128_t)ticks * lapic_per_tsc >> 32) + 1;

    /* Too far for the counter: an early interrupt, and timer.c arms again. */
    lapic_timer_arm(count > UINT32_MAX ? UINT32_MAX : (uint32_t)count);
}

void clock_event_arm(nstime_t deadline)
{
    if (deadline_mode)
        lapic_timer_arm_deadline(
            deadline == TIME_NEVER ? 0 : clock_to_tsc(deadline));
    else if (deadline == TIME_NEVER)
        lapic_timer_arm(0);
    else
        arm_countdown(clock_to_tsc(deadline));
}

void clock_event_init_cpu(void)
{
    if (deadline_mode)
        lapic_timer_deadline_mode();
    else
        lapic_timer_oneshot_mode();
}

static void timer_vector(void *arg)
{
    (void)arg;
    if (tsc_hz)
        timer_interrupt();
}

/* --- boot --- */

/* Emulators are known whose deadlines are counted from power-on and not from
 * the reset that made the TSC 0: each interrupt would come at once, and the
 * next, for ever. Interrupts off. */
static bool deadline_comes_early(uint64_t hz)
{
    uint64_t start = arch_tsc();
    bool early;

    lapic_timer_deadline_mode();
    lapic_timer_arm_deadline(start + hz);
    while (arch_tsc() - start < hz >> DEADLINE_TRIAL_SHIFT)
        arch_pause();
    early = lapic_is_requested(VECTOR_TIMER);
    lapic_timer_arm_deadline(0);
    return early;
}

static void check_against_cpuid(void)
{
    uint64_t told = clock_cpuid_hz();
    uint64_t difference = told > tsc_hz ? told - tsc_hz : tsc_hz - told;

    if (told && difference > tsc_hz / 100)
        log_warn("clock", "CPUID tells %lu Hz, measured are %lu Hz", told,
                 tsc_hz);
}

static void measure(struct clock_rates *rates)
{
    const struct clock_reference *ref = clock_reference_find();

    if (ref) {
        source = ref->name;
        clock_calibrate(ref, rates);
    } else {
        source = "cpuid";
        rates->tsc_hz = clock_cpuid_hz();
        rates->lapic_hz = 0;
    }
    if (!rates->tsc_hz || (!deadline_mode && !rates->lapic_hz))
        panic("no clock: neither PM timer, HPET nor 8254 runs");
}

void clock_init(void)
{
    struct clock_rates rates;

    deadline_mode = arch_cpu_info()->tsc_deadline;
    irq_claim_system(VECTOR_TIMER, "timer", timer_vector);
    /* What the firmware left pending comes now. */
    arch_irq_enable();
    arch_pause();
    arch_irq_disable();
    measure(&rates);
    if (rates.lapic_hz > LAPIC_HZ_MAX)
        rates.lapic_hz = LAPIC_HZ_MAX;
    ns_per_tick = (NS_PER_SEC << 32) / rates.tsc_hz;
    lapic_per_tsc = (rates.lapic_hz << 32) / rates.tsc_hz;
    if (deadline_mode && rates.lapic_hz && deadline_comes_early(rates.tsc_hz)) {
        log_warn("clock", "TSC deadlines come at once: not used");
        deadline_mode = false;
    }
    clock_event_init_cpu();
    tsc_hz = rates.tsc_hz;
    check_against_cpuid();
    log_info("clock", "TSC %lu Hz by %s, timer %s", tsc_hz, source,
             deadline_mode ? "TSC deadline" : "LAPIC count-down");
}
