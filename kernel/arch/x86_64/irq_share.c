/*
 * Lines that several devices share, and messages that devices send instead of
 * raising a line. A shared line is level triggered: its handlers are asked in
 * turn until the line falls. Set-up: thread context; dispatch: interrupt
 * context.
 */
#include <errno.h>

#include <arch/irq.h>
#include <rayos/acpi.h>
#include <rayos/event.h>
#include <rayos/log.h>
#include <rayos/percpu.h>
#include <rayos/spinlock.h>
#include <rayos/sync.h>

#define SHARED_LINES 32
/* A level that nobody claims comes again at once and for ever. */
#define UNCLAIMED_MAX 1000

/* Intel SDM 3A 11.11.1 and 11.11.2: physical destination, fixed, edge. */
#define MESSAGE_BASE       UINT64_C(0xfee00000)
#define MESSAGE_CPU_SHIFT  12
#define MESSAGE_APIC_LIMIT 256

struct shared_line {
    struct spinlock lock;
    struct irq_share *first; /* lock */
    uint32_t gsi;            /* requests */
    int vector;              /* requests; 0: the entry is free */
    uint32_t unclaimed;      /* lock: in a row */
};

static struct shared_line lines[SHARED_LINES];
static struct mutex requests = MUTEX_INIT(requests); /* one at a time */

/* --- dispatch --- */

static const struct event_field storm_fields[] = {
    EVENT_FIELD_AS("line", code, EVENT_U32, "the interrupt line (GSI)"),
    {0},
};

EVENT_TYPE(irq_storm, .doc = "a line that nobody claims has been masked",
           .fields = storm_fields);

static void line_unclaimed(struct shared_line *line)
{
    if (++line->unclaimed < UNCLAIMED_MAX)
        return;
    irq_mask_gsi(line->gsi, true);
    if (line->unclaimed > UNCLAIMED_MAX)
        return; /* it was on its way already */
    event_post(&event_type_irq_storm, &(struct event){.code = line->gsi});
    log_error("irq", "line %u came %u times and nobody claims it: masked",
              line->gsi, line->unclaimed);
}

/* With the line's lock held, so that a handler which has been taken out of the
 * list runs no more. */
static void line_interrupt(void *arg)
{
    struct shared_line *line = arg;
    irqflags_t flags = spin_lock(&line->lock);
    bool claimed = false;

    irq_forbid_window(true);
    for (struct irq_share *s = line->first; s; s = s->next) {
        if (s->handler(s->arg)) {
            s->count++;
            claimed = true;
        }
    }
    irq_forbid_window(false);
    if (claimed)
        line->unclaimed = 0;
    else
        line_unclaimed(line);
    spin_unlock(&line->lock, flags);
}

/* --- requests --- */

static struct shared_line *line_of(uint32_t gsi)
{
    for (unsigned i = 0; i < SHARED_LINES; i++)
        if (lines[i].vector && lines[i].gsi == gsi)
            return &lines[i];
    return NULL;
}

static struct shared_line *line_free(void)
{
    for (unsigned i = 0; i < SHARED_LINES; i++)
        if (!lines[i].vector)
            return &lines[i];
    return NULL;
}

static void line_link(struct shared_line *line, struct irq_share *s)
{
    irqflags_t flags = spin_lock(&line->lock);

    s->next = line->first;
    line->first = s;
    line->unclaimed = 0;
    spin_unlock(&line->lock, flags);
}

/* false: it was not there. */
static bool line_unlink(struct shared_line *line, struct irq_share *s)
{
    irqflags_t flags = spin_lock(&line->lock);
    struct irq_share **at = &line->first;
    bool found;

    while (*at && *at != s)
        at = &(*at)->next;
    found = *at;
    if (found)
        *at = s->next;
    spin_unlock(&line->lock, flags);
    return found;
}

/* A first sharer: `s` is in the list before the line can come. requests held.
 */
static int line_open(uint32_t gsi, uint32_t flags, struct irq_share *s)
{
    struct shared_line *line = line_free();
    int vector;

    if (!line)
        return -ENOSPC;
    line->gsi = gsi;
    line_link(line, s);
    vector = irq_request_gsi(gsi, flags, "shared", line_interrupt, line);
    if (vector < 0) {
        line_unlink(line, s);
        return vector;
    }
    line->vector = vector;
    return 0;
}

int irq_share_request(uint32_t gsi, uint32_t flags, struct irq_share *s)
{
    struct shared_line *line;
    int err = 0;

    s->gsi = gsi;
    s->count = 0;
    mutex_lock(&requests);
    line = line_of(gsi);
    if (line) {
        line_link(line, s);
        irq_unmask(line->vector); /* it may have been given up */
    } else {
        err = line_open(gsi, flags, s);
    }
    mutex_unlock(&requests);
    return err;
}

void irq_share_release(struct irq_share *s)
{
    struct shared_line *line;

    mutex_lock(&requests);
    line = line_of(s->gsi);
    if (line && line_unlink(line, s) && !line->first) {
        irq_release(line->vector);
        line->vector = 0;
    }
    mutex_unlock(&requests);
}

/* --- lines of the ISA bus, messages --- */

/* An 8259 knows no overrides: its lines are the ISA bus's. */
uint32_t irq_isa_to_gsi(uint32_t line, uint32_t *flags)
{
    const struct acpi_info *acpi = acpi_info();

    *flags = 0;
    for (uint32_t i = 0; !irq_uses_pic() && i < acpi->override_count; i++) {
        if (acpi->override[i].isa_line == line) {
            *flags = acpi->override[i].flags;
            return acpi->override[i].gsi;
        }
    }
    return line;
}

void irq_message_for(int vector, uint32_t cpu, struct irq_message *out)
{
    uint32_t id = cpu < cpu_count() ? cpu_get(cpu)->apic_id : UINT32_MAX;

    /* Without remapping a message reaches the first 256 only. */
    if (id >= MESSAGE_APIC_LIMIT)
        id = cpu_get(0)->apic_id;
    out->address = MESSAGE_BASE | id << MESSAGE_CPU_SHIFT;
    out->data = (uint32_t)vector;
}
