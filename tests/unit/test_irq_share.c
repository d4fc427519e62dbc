/* sources: kernel/arch/x86_64/irq_share.c */
/*
 * Shared lines over an interrupt controller of the test's own: who is asked,
 * what becomes of a line that nobody claims, and what remains when all have
 * gone.
 */
#include "check.h"

#include <errno.h>
#include <stdarg.h>

#include <rayos/acpi.h>
#include <rayos/event.h>
#include <rayos/irq.h>
#include <rayos/log.h>
#include <rayos/percpu.h>
#include <rayos/sync.h>

/* --- the host in place of the kernel --- */

#define LINES 24

static struct {
    irq_handler_t handler;
    void *arg;
    uint32_t flags;
    int masked;
} line[LINES];
static int errors_logged, request_answer;
static struct acpi_info acpi;

void mutex_lock(struct mutex *m)
{
    (void)m;
}

void mutex_unlock(struct mutex *m)
{
    (void)m;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)module, (void)fmt;
    errors_logged += level == LOG_ERROR;
}

static uint32_t storm_line;

void event_post(const struct event_type *type, const struct event *e)
{
    CHECK_STR(type->name, "irq_storm");
    storm_line = e->code;
}

const struct acpi_info *acpi_info(void)
{
    return &acpi;
}

bool irq_uses_pic(void)
{
    return false;
}

static bool forbidden; /* windows: exactly while handlers run */

void irq_forbid_window(bool forbid)
{
    CHECK(forbid != forbidden);
    forbidden = forbid;
}

int irq_request_gsi(uint32_t gsi, uint32_t flags, const char *name,
                    irq_handler_t handler, void *arg)
{
    (void)name;
    if (request_answer)
        return request_answer;
    line[gsi].handler = handler;
    line[gsi].arg = arg;
    line[gsi].flags = flags;
    line[gsi].masked = 0;
    return 0x30 + (int)gsi;
}

void irq_release(int vector)
{
    line[vector - 0x30].handler = NULL;
}

void irq_unmask(int vector)
{
    line[vector - 0x30].masked = 0;
}

void irq_mask_gsi(uint32_t gsi, bool masked)
{
    line[gsi].masked = masked;
}

static struct cpu cpus[2] = {{.apic_id = 7}, {.apic_id = 300}};

uint32_t cpu_count(void)
{
    return 2;
}

struct cpu *cpu_get(uint32_t id)
{
    return &cpus[id];
}

/* --- devices --- */

struct fake {
    bool asks;
    int calls;
};

static bool fake_handler(void *arg)
{
    struct fake *f = arg;
    bool mine = f->asks;

    f->calls++;
    f->asks = false;
    return mine;
}

static struct irq_share share_of(struct fake *f)
{
    return (struct irq_share){
        .handler = fake_handler, .arg = f, .name = "fake"};
}

static void raise(unsigned gsi)
{
    CHECK(line[gsi].handler);
    if (line[gsi].handler && !line[gsi].masked)
        line[gsi].handler(line[gsi].arg);
}

TEST(all_who_share_are_asked_and_the_one_who_had_asked_is_counted)
{
    struct fake a = {0}, b = {0};
    struct irq_share sa = share_of(&a), sb = share_of(&b);

    CHECK_EQ(irq_share_request(10, IRQ_LEVEL, &sa), 0);
    CHECK_EQ(irq_share_request(10, IRQ_LEVEL, &sb), 0);
    CHECK_EQ(line[10].flags, IRQ_LEVEL);
    b.asks = true;
    raise(10);
    CHECK_EQ(a.calls, 1);
    CHECK_EQ(b.calls, 1);
    CHECK_EQ(sa.count, 0);
    CHECK_EQ(sb.count, 1);
    irq_share_release(&sb);
    raise(10);
    CHECK_EQ(a.calls, 2);
    CHECK_EQ(b.calls, 1);
    irq_share_release(&sa);
    CHECK(!line[10].handler);
    irq_share_release(&sa); /* harmless */
}

TEST(a_line_that_nobody_claims_is_masked_after_a_thousand_times)
{
    struct fake a = {0}, b = {0};
    struct irq_share sa = share_of(&a), sb = share_of(&b);

    errors_logged = 0;
    CHECK_EQ(irq_share_request(11, IRQ_LEVEL, &sa), 0);
    for (int i = 0; i < 999; i++)
        raise(11);
    a.asks = true; /* at last: they are counted anew */
    raise(11);
    for (int i = 0; i < 999; i++)
        raise(11);
    CHECK(!line[11].masked);
    CHECK_EQ(errors_logged, 0);
    raise(11);
    CHECK(line[11].masked);
    CHECK_EQ(storm_line, 11);
    CHECK_EQ(errors_logged, 1);
    CHECK_EQ(a.calls, 2000);
    CHECK_EQ(irq_share_request(11, IRQ_LEVEL, &sb), 0); /* a new start */
    CHECK(!line[11].masked);
    irq_share_release(&sa);
    irq_share_release(&sb);
}

TEST(a_line_of_somebody_else_is_refused)
{
    struct fake a = {0};
    struct irq_share sa = share_of(&a);

    request_answer = -EBUSY;
    CHECK_EQ(irq_share_request(4, IRQ_LEVEL, &sa), -EBUSY);
    request_answer = 0;
    CHECK_EQ(irq_share_request(4, IRQ_LEVEL, &sa), 0);
    irq_share_release(&sa);
}

TEST(lines_come_and_go_without_an_end)
{
    struct fake a = {0};
    struct irq_share sa = share_of(&a);

    for (int i = 0; i < 200; i++) {
        CHECK_EQ(irq_share_request((uint32_t)i % LINES, IRQ_LEVEL, &sa), 0);
        irq_share_release(&sa);
    }
}

TEST(isa_lines_follow_the_overrides)
{
    uint32_t flags;

    acpi.override_count = 2;
    acpi.override[0] = (struct acpi_override){0, 2, 0};
    acpi.override[1] = (struct acpi_override){9, 9, IRQ_LEVEL};
    CHECK_EQ(irq_isa_to_gsi(0, &flags), 2);
    CHECK_EQ(flags, 0);
    CHECK_EQ(irq_isa_to_gsi(9, &flags), 9);
    CHECK_EQ(flags, IRQ_LEVEL);
    CHECK_EQ(irq_isa_to_gsi(11, &flags), 11);
    CHECK_EQ(flags, 0);
}

TEST(a_message_goes_where_it_can_go)
{
    struct irq_message m;

    irq_message_for(0x41, 0, &m);
    CHECK_EQ(m.address, 0xfee07000);
    CHECK_EQ(m.data, 0x41);
    irq_message_for(0x41, 1, &m); /* its id has nine bits */
    CHECK_EQ(m.address, 0xfee07000);
    irq_message_for(0x41, 99, &m); /* no such CPU */
    CHECK_EQ(m.address, 0xfee07000);
}

CHECK_MAIN
