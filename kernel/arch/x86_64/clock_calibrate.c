/*
 * Measures the TSC, and the LAPIC timer when it will be needed, against a
 * reference clock. The LAPIC timer, whose rate nobody knows yet, wakes the CPU
 * now and then, and between it sleeps: a busy wait would cost more instructions
 * than all the rest of the boot. Boot CPU, before there are threads.
 */
#include <arch/apic.h>
#include <arch/clock.h>
#include <arch/cpu.h>
#include <arch/features.h>
#include <rayos/clock.h>
#include <rayos/log.h>

/* The measurement is done several times, because any sample may be disturbed;
 * in windows that overlap, because their sum is a delay that users wait for. */
#define WINDOWS       3
#define WINDOW_LENGTH 20  /* each at least 1/20 s = 50 ms */
#define WINDOW_STEP   160 /* they begin 1/160 s = 6.25 ms apart */
#define READS         3   /* tries for an undisturbed pair */

/* Timer counts between wake-ups: below the 55 ms in which the 8254 wraps from
 * 8 MHz up, 0.4 ms at 1 GHz. */
#define WAKE_COUNT 400000

static uint64_t halted; /* TSC ticks for which the CPU slept */

/* The three clocks, read as close together as may be. */
struct sample {
    uint64_t tsc, ref;
    uint32_t lapic; /* counts down from WAKE_COUNT */
};

/* What has passed since the start of a run. */
struct elapsed {
    uint64_t tsc, ref;
    uint64_t lapic;
};

/* Interrupts off. A read of the reference leaves the CPU for long at times
 * (SMM, a hypervisor): the narrowest of a few tries counts. */
static void take_sample(const struct clock_reference *ref, struct sample *out)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < READS; i++) {
        uint64_t before = arch_tsc();
        uint64_t value = ref->read();
        uint64_t after = arch_tsc();

        if (after - before >= best)
            continue;
        best = after - before;
        out->tsc = before + best / 2;
        out->ref = value;
        out->lapic = lapic_timer_count();
    }
}

/*
 * LAPIC counts between two samples. The count tells the phase; whole periods
 * are inferred from the TSC and the rate so far, because interrupts that come
 * while one is pending merge. In the first interval the rate is unknown and one
 * period is assumed; the median of the runs forgives if that was wrong.
 */
static uint64_t lapic_advance(const struct elapsed *e, uint64_t tsc,
                              uint32_t from, uint32_t to)
{
    int64_t phase = (int64_t)from - (int64_t)to;
    int64_t periods = 1;

    if (e->tsc) {
        int64_t expected = (int64_t)(tsc * e->lapic / e->tsc);

        periods = (expected - phase + WAKE_COUNT / 2) / WAKE_COUNT;
        if (periods < 0 || (periods == 0 && phase < 0))
            periods = phase < 0;
    }
    return (uint64_t)(periods * WAKE_COUNT + phase);
}

/* One more sample: the clocks go on to `e`. */
static void advance(const struct clock_reference *ref, struct sample *last,
                    struct elapsed *e)
{
    uint64_t start = arch_tsc();
    struct sample now;

    arch_irq_enable_and_halt();
    arch_irq_disable();
    halted += arch_tsc() - start;
    take_sample(ref, &now);
    e->lapic += lapic_advance(e, now.tsc - last->tsc, last->lapic, now.lapic);
    e->tsc += now.tsc - last->tsc;
    e->ref += (now.ref - last->ref) & ref->mask;
    *last = now;
}

static struct clock_rates rates_between(const struct clock_reference *ref,
                                        const struct elapsed *from,
                                        const struct elapsed *to)
{
    uint64_t ticks = to->ref - from->ref;

    /* About 50 ms: the products stay far below 2^64. */
    return (struct clock_rates){
        .tsc_hz = (to->tsc - from->tsc) * ref->hz / ticks,
        .lapic_hz = (to->lapic - from->lapic) * ref->hz / ticks,
    };
}

static void measure(const struct clock_reference *ref,
                    struct clock_rates out[WINDOWS])
{
    struct elapsed e = {0}, begin[WINDOWS];
    int begun = 0, ended = 0;
    struct sample last;

    lapic_timer_periodic(WAKE_COUNT);
    take_sample(ref, &last);
    while (ended < WINDOWS) {
        if (begun < WINDOWS && e.ref >= begun * ref->hz / WINDOW_STEP)
            begin[begun++] = e;
        advance(ref, &last, &e);
        if (ended < begun &&
            e.ref - begin[ended].ref >= ref->hz / WINDOW_LENGTH) {
            out[ended] = rates_between(ref, &begin[ended], &e);
            ended++;
        }
    }
    lapic_timer_arm(0);
}

uint64_t clock_calibration_idle(void)
{
    return halted;
}

static uint64_t median(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t low = a < b ? a : b, high = a < b ? b : a;

    return c < low ? low : c > high ? high : c;
}

void clock_calibrate(const struct clock_reference *ref, struct clock_rates *out)
{
    struct clock_rates r[WINDOWS];
    uint64_t mid;

    measure(ref, r);
    mid = median(r[0].tsc_hz, r[1].tsc_hz, r[2].tsc_hz);
    for (int i = 0; i < WINDOWS; i++)
        if (r[i].tsc_hz > mid + mid / 100 || r[i].tsc_hz < mid - mid / 100)
            log_warn("clock", "measurements of the TSC vary: %lu, %lu, %lu Hz",
                     r[0].tsc_hz, r[1].tsc_hz, r[2].tsc_hz);
    out->tsc_hz = mid;
    out->lapic_hz = median(r[0].lapic_hz, r[1].lapic_hz, r[2].lapic_hz);
}

/* Intel SDM 2A CPUID leaf 15H: crystal rate and ratio. VMware's and KVM's
 * common leaf 0x40000010: kHz. */
uint64_t clock_cpuid_hz(void)
{
    const struct arch_cpu_info *info = arch_cpu_info();

    if (info->max_hyper_leaf >= 0x40000010)
        return (uint64_t)arch_cpuid(0x40000010, 0).eax * 1000;
    if (info->max_leaf >= 0x15) {
        struct cpuid_regs r = arch_cpuid(0x15, 0);

        if (r.eax && r.ebx && r.ecx)
            return (uint64_t)r.ecx * r.ebx / r.eax;
    }
    return 0;
}
