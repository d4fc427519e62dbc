/*
 * The rate of each kind of exit of a guest, as events for rules: one that keeps
 * its host busy is seen at once. The vCPU's thread.
 */
#include "vmm/exit_rate.h"

#include <string.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/event.h>

#include "vmm/vm.h"

static const struct event_constant reasons[] = {
    {"host", EXIT_HOST},
    {"cpuid", EXIT_CPUID},
    {"hlt", EXIT_HLT},
    {"io", EXIT_IO},
    {"rdmsr", EXIT_RDMSR},
    {"wrmsr", EXIT_WRMSR},
    {"memory", EXIT_MEMORY},
    {"exception", EXIT_EXCEPTION},
    {"irq_window", EXIT_IRQ_WINDOW},
    {"nmi_window", EXIT_NMI_WINDOW},
    {"cr", EXIT_CR},
    {"dr", EXIT_DR},
    {"xsetbv", EXIT_XSETBV},
    {"rdtsc", EXIT_RDTSC},
    {"invlpg", EXIT_INVLPG},
    {"cache", EXIT_CACHE},
    {"pause", EXIT_PAUSE},
    {"mwait", EXIT_MWAIT},
    {"hypercall", EXIT_HYPERCALL},
    {"virtualization", EXIT_VIRTUALIZATION},
    {"task_switch", EXIT_TASK_SWITCH},
    {"apic_access", EXIT_APIC_ACCESS},
    {"apic_write", EXIT_APIC_WRITE},
    {"eoi", EXIT_EOI},
    {"timer", EXIT_TIMER},
    {0}};

static const struct event_field rate_fields[] = {
    {.name = "reason",
     .doc = "why it exits",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(((struct event *)0)->code),
     .constants = reasons},
    EVENT_FIELD_AS("id", source, EVENT_U32, "number of the VM"),
    EVENT_FIELD_AS("rate", value, EVENT_I64, "such exits a second, of one CPU"),
    EVENT_FIELD_AS("vm", text, EVENT_TEXT, "its name"),
    {0}};

EVENT_TYPE(vm_exits, .doc = "a guest's CPU has exited 256 times for a reason",
           .fields = rate_fields);

void exit_rate_sample(struct vcpu *v, enum exit_reason reason)
{
    uint64_t now = arch_tsc(), before = v->exit_marks[reason];
    struct event e = {.code = reason, .source = v->vm->id};

    v->exit_marks[reason] = now;
    if (!before || now <= before)
        return;
    e.value = (int64_t)(EXIT_RATE_SAMPLE * clock_tsc_hz() / (now - before));
    strncpy(e.text, v->vm->config.name, sizeof(e.text));
    event_raise(&event_type_vm_exits, &e);
}
