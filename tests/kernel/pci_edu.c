/*
 * A driver for QEMU's teaching device (docs/specs/edu.txt of QEMU), which
 * raises an interrupt whenever it is told to: its probe proves that interrupts
 * of the kind that is in use arrive, each once, none while masked, and that
 * what came while masked comes afterwards. The benchmark `edu_storm` leaves its
 * line up, which storms until somebody masks it. Machines without the device
 * never see this driver. Thread context, but the handler.
 */
#include <errno.h>

#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/pci.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>

#include "bench.h"

#define EDU_ID         0x00 /* 0xRRrr00ed */
#define EDU_ID_MASK    0xffu
#define EDU_ID_VALUE   0xedu
#define EDU_LIVENESS   0x04 /* reads what was written, inverted */
#define EDU_IRQ_STATUS 0x24
#define EDU_IRQ_RAISE  0x60
#define EDU_IRQ_ACK    0x64
#define EDU_SIZE       0x100

#define ROUNDS   50
#define PATIENCE (5 * NS_PER_SEC)
/* Long enough for an interrupt that must not come. */
#define SILENCE (5 * NS_PER_MS)

struct edu {
    volatile uint8_t *regs;
    _Atomic uint32_t interrupts, foreign; /* ours, and others' on the line */
    _Atomic uint32_t seen;                /* all status bits that came */
    _Atomic uint32_t cpu;                 /* where the last one came to */
    uint32_t raised;
    _Atomic bool storms; /* the line stays up */
    _Atomic uint32_t stormed;
    _Atomic uint64_t first, last; /* TSC of the storm's interrupts */
};

static struct edu *storming; /* the last one that was found */

static uint32_t edu_read(struct edu *e, unsigned reg)
{
    return *(volatile uint32_t *)(volatile void *)(e->regs + reg);
}

static void edu_write(struct edu *e, unsigned reg, uint32_t v)
{
    *(volatile uint32_t *)(volatile void *)(e->regs + reg) = v;
}

static bool edu_interrupt(void *arg)
{
    struct edu *e = arg;
    uint32_t status = edu_read(e, EDU_IRQ_STATUS);

    if (!status) {
        e->foreign++;
        return false;
    }
    if (e->storms) {
        e->last = arch_tsc();
        if (!e->stormed++)
            e->first = e->last;
        return true;
    }
    edu_write(e, EDU_IRQ_ACK, status);
    e->seen |= status;
    e->cpu = cpu_id();
    e->interrupts++;
    return true;
}

static bool edu_wait(struct edu *e, uint32_t count)
{
    nstime_t deadline = clock_now() + PATIENCE;

    while (e->interrupts < count && clock_now() < deadline)
        thread_yield();
    return e->interrupts == count;
}

static int raise_and_wait(struct edu *e, uint32_t bit)
{
    edu_write(e, EDU_IRQ_RAISE, bit);
    e->raised++;
    return edu_wait(e, e->raised) ? 0 : -EIO;
}

static int check_masking(struct pci_device *p, struct edu *e)
{
    uint32_t before = e->interrupts;

    pci_irq_mask(p, 0, true);
    edu_write(e, EDU_IRQ_RAISE, 1);
    thread_sleep(SILENCE);
    if (e->interrupts != before)
        return -EPROTO;
    pci_irq_mask(p, 0, false);
    e->raised++;
    return edu_wait(e, e->raised) ? 0 : -EIO;
}

static int edu_check(struct pci_device *p, struct edu *e)
{
    int err;

    edu_write(e, EDU_LIVENESS, 0x12345678);
    if ((edu_read(e, EDU_ID) & EDU_ID_MASK) != EDU_ID_VALUE ||
        edu_read(e, EDU_LIVENESS) != ~0x12345678u)
        return -EPROTO;
    /* First: what was held back may come on this CPU, and `last_cpu` shall be
     * the one that was chosen. */
    err = check_masking(p, e);
    for (uint32_t i = 0; i < ROUNDS && !err; i++)
        err = raise_and_wait(e, 1u << i % 31);
    if (err)
        log_error("edu", "%u raised, %u came, %u foreign: error %d", e->raised,
                  e->interrupts, e->foreign, err);
    return err;
}

static int edu_start(struct pci_device *p, struct edu *e)
{
    int err;

    pci_enable(p, PCI_ENABLE_MEMORY | PCI_ENABLE_MASTER);
    e->regs = pci_map_bar(p, 0, 0, EDU_SIZE);
    if (!e->regs)
        return -ENOMEM;
    edu_write(e, EDU_IRQ_ACK, UINT32_MAX);
    err = pci_irq_alloc(p, 1, UINT32_MAX);
    if (err < 0)
        return err;
    err = pci_irq_set(p, 0, "edu", CPU_ANY, edu_interrupt, e);
    return err ? err : edu_check(p, e);
}

/* How long the storm must be silent to be over, and the most it may last. */
#define CALM      (50 * NS_PER_MS)
#define STORM_MAX (5 * NS_PER_SEC)

/* Ticks between two interrupts of the storm; it must end by a mask. */
static int storm(struct edu *e, struct bench_result *result)
{
    nstime_t deadline = clock_now() + STORM_MAX;
    uint32_t before;

    e->stormed = 0;
    e->storms = true;
    edu_write(e, EDU_IRQ_RAISE, 1);
    do {
        before = e->stormed;
        thread_sleep(CALM);
    } while (e->stormed != before && clock_now() < deadline);
    e->storms = false;
    edu_write(e, EDU_IRQ_ACK, UINT32_MAX);
    if (before < 2)
        return -EIO;
    result->count = before;
    result->sum = e->last - e->first;
    result->min = result->max = result->sum / (before - 1);
    return clock_now() < deadline ? 0 : -ETIMEDOUT;
}

BENCH(edu_storm, "ticks between the interrupts of a line that stays up, until "
                 "somebody masks it")
{
    (void)rounds;
    return storming ? storm(storming, result) : -ENODEV;
}

static void edu_stop(struct pci_device *p, struct edu *e)
{
    if (storming == e)
        storming = NULL;
    pci_irq_free(p);
    if (e->regs)
        pci_unmap_bar((void *)(uintptr_t)e->regs);
    kfree(e);
}

static int edu_probe(struct device *d)
{
    struct edu *e = kzalloc(sizeof(*e));
    int err;

    if (!e)
        return -ENOMEM;
    err = edu_start(pci_device_of(d), e);
    if (err)
        edu_stop(pci_device_of(d), e);
    else
        d->driver_data = storming = e;
    return err;
}

static void edu_remove(struct device *d)
{
    edu_stop(pci_device_of(d), d->driver_data);
}

static void edu_describe(const struct device *d, struct device_report *r)
{
    struct edu *e = d->driver_data;

    device_report_number(r, "raised", e->raised);
    device_report_number(r, "interrupts", e->interrupts);
    device_report_number(r, "foreign", e->foreign);
    device_report_number(r, "stormed", e->stormed);
    device_report_hex(r, "bits", e->seen);
    device_report_number(r, "last_cpu", e->cpu);
}

static const struct pci_id edu_ids[] = {
    {.vendor = 0x1234, .device = 0x11e8},
    {0},
};

DRIVER(edu, .bus = &pci_bus, .ids = edu_ids, .probe = edu_probe,
       .remove = edu_remove, .describe = edu_describe);
