/*
 * A vCPU's thread: serve requests, choose an event, enter the guest, act on the
 * exit; and how others get its attention. See vcpu.h.
 */
#include "vmm/vcpu.h"

#include <errno.h>
#include <stdatomic.h>

#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/smp.h>
#include <rayos/thread.h>
#include <rayos/trace.h>

#include "vmm/devices/irqchip.h"
#include "vmm/exit_rate.h"
#include "vmm/vm.h"

/* Intel SDM 3A table 9-1, state after power-on or INIT */
#define CR0_RESET    UINT64_C(0x60000010)
#define DR6_RESET    UINT64_C(0xffff0ff0)
#define DR7_RESET    UINT64_C(0x400)
#define PAT_RESET    UINT64_C(0x0007040600070406)
#define RFLAGS_RESET 2
#define RIP_RESET    0xfff0
#define CS_RESET     0xf000
#define CS_BASE      UINT64_C(0xffff0000)
#define ATTR_CODE    0x9b /* present, accessed, readable code */
#define ATTR_DATA    0x93
#define ATTR_LDT     0x82
#define ATTR_TSS     0x8b /* busy */
#define LIMIT_RESET  0xffff
#define RDX_RESET    0x600 /* family 6 */
#define SIPI_SHIFT   12

#define RFLAGS_IF_GUEST (UINT64_C(1) << 9)

void vcpu_reset_registers(struct vcpu_registers *regs, struct vcpu_state *state)
{
    *regs = (struct vcpu_registers){.rip = RIP_RESET, .rflags = RFLAGS_RESET};
    regs->gpr[GPR_RDX] = RDX_RESET;
    *state = (struct vcpu_state){
        .gdtr.limit = LIMIT_RESET,
        .idtr.limit = LIMIT_RESET,
        .cr0 = CR0_RESET,
        .dr6 = DR6_RESET,
        .dr7 = DR7_RESET,
        .pat = PAT_RESET,
    };
    for (unsigned i = 0; i < SEGMENT_COUNT; i++)
        state->segment[i] = (struct segment){.attributes = ATTR_DATA,
                                             .limit = LIMIT_RESET};
    state->segment[SEGMENT_CS] = (struct segment){
        .selector = CS_RESET,
        .attributes = ATTR_CODE,
        .limit = LIMIT_RESET,
        .base = CS_BASE,
    };
    state->segment[SEGMENT_LDTR].attributes = ATTR_LDT;
    state->segment[SEGMENT_TR].attributes = ATTR_TSS;
}

/* --- its thread --- */

/* A pause: until it is over, or the vCPU shall end. */
static void park(struct vcpu *v)
{
    struct vm *vm = v->vm;
    irqflags_t flags;

    mutex_lock(&vm->lock);
    vm->parked++;
    cond_broadcast(&vm->changed);
    mutex_unlock(&vm->lock);
    flags = spin_lock(&v->lock);
    while (vm->pause_wanted && !(v->requests & VCPU_REQ_STOP))
        waitq_wait_uncancellable(&v->wake, &v->lock, TIME_NEVER);
    spin_unlock(&v->lock, flags);
    mutex_lock(&vm->lock);
    vm->parked--;
    mutex_unlock(&vm->lock);
}

/* INIT: wait for somebody to say where to start. */
static void go_back(struct vcpu *v)
{
    struct vcpu_state state;

    vcpu_reset_registers(&v->regs, &state);
    vmm_backend()->set_state(v, &state);
    irqchip_reset_vcpu(v);
    v->pending.kind = INJECT_NONE;
    v->nmi_pending = false;
    v->run_state = VCPU_WAIT_SIPI;
}

/* Intel SDM 3A 8.4.3: real mode, at the page that the message names. */
static void go(struct vcpu *v)
{
    struct vcpu_state state;

    if (v->run_state != VCPU_WAIT_SIPI)
        return;
    vmm_backend()->get_state(v, &state);
    state.segment[SEGMENT_CS].selector = (uint16_t)(v->sipi_vector
                                                    << (SIPI_SHIFT - 4));
    state.segment[SEGMENT_CS].base = (uint64_t)v->sipi_vector << SIPI_SHIFT;
    vmm_backend()->set_state(v, &state);
    v->regs.rip = 0;
    v->run_state = VCPU_RUNNABLE;
}

/* false: end. */
static bool serve(struct vcpu *v)
{
    uint32_t r = atomic_exchange(&v->requests, 0);

    if (r & VCPU_REQ_STOP)
        return false;
    if (r & VCPU_REQ_PAUSE)
        park(v);
    if (r & VCPU_REQ_TLB)
        vmm_backend()->flush_tlb(v);
    if (r & VCPU_REQ_NMI)
        v->nmi_pending = true;
    if (r & VCPU_REQ_INIT)
        go_back(v);
    if (r & VCPU_REQ_SIPI)
        go(v);
    return true;
}

static bool has_event(struct vcpu *v)
{
    if (v->nmi_pending || v->pending.kind != INJECT_NONE)
        return true;
    return (v->regs.rflags & RFLAGS_IF_GUEST) && v->vm->irqchip &&
           irqchip_has_irq(v);
}

/* Halted, or not started yet: sleep until somebody asks for something. */
static void rest(struct vcpu *v)
{
    irqflags_t flags;

    if (v->run_state == VCPU_HALTED && has_event(v)) {
        v->run_state = VCPU_RUNNABLE;
        return;
    }
    vcpu_burst_rest(&v->burst);
    flags = spin_lock(&v->lock);
    while (!v->requests)
        waitq_wait_uncancellable(&v->wake, &v->lock, TIME_NEVER);
    spin_unlock(&v->lock, flags);
    vcpu_burst_begin(&v->burst);
}

static void count(struct vcpu *v, enum exit_reason reason)
{
    if (!(++v->exits[reason] % EXIT_RATE_SAMPLE))
        exit_rate_sample(v, reason);
}

static void record(struct vcpu *v, const struct vm_exit *e)
{
    struct vcpu_exit_record *r = &v->history[v->history_next++ % VCPU_HISTORY];

    r->tsc = arch_tsc();
    r->rip = v->regs.rip;
    r->info1 = e->info1;
    r->info2 = e->info2;
    r->code = e->code;
    r->reason = (uint8_t)e->reason;
}

static void handle(struct vcpu *v, struct vm_exit *e)
{
    if (trace_on(TRACE_VM))
        trace_write(TRACE_VM_EXIT, (uintptr_t)exit_reason_name(e->reason),
                    v->regs.rip);
    record(v, e);
    count(v, e->reason);
    vcpu_dispatch(v, e);
    trace_point(TRACE_VM, TRACE_VM_EXIT_DONE, 0, 0);
}

static void vcpu_run(void *arg)
{
    const struct vmm_backend *b = vmm_backend();
    struct vcpu *v = arg;
    struct vm_exit e;

    vcpu_burst_begin(&v->burst);
    for (;;) {
        if (v->requests && !serve(v))
            break;
        if (v->run_state != VCPU_RUNNABLE) {
            rest(v);
            continue;
        }
        vcpu_deliver(v);
        if (v->vm->irqchip)
            irqchip_offer_eoi(v);
        b->enter(v, &e);
        if (v->vm->irqchip)
            irqchip_settle_eoi(v);
        if (e.reason == EXIT_HOST) {
            count(v, EXIT_HOST);
            continue;
        }
        handle(v, &e);
    }
    timer_cancel_sync(&v->retry_timer);
    vcpu_burst_end(&v->burst);
    v->run_state = VCPU_STOPPED;
    vm_thread_ends(v->vm);
}

/*
 * The thread says that it is inside before it looks at `requests` for the last
 * time; we write `requests` before we look whether it is inside. One of the two
 * sees the other.
 */
void vcpu_kick(struct vcpu *v, uint32_t requests)
{
    irqflags_t flags;

    atomic_fetch_or(&v->requests, requests);
    flags = spin_lock(&v->lock);
    waitq_wake_all(&v->wake);
    /* On its own CPU it is not inside: we are. */
    if (atomic_load(&v->inside) && v->cpu != cpu_id())
        smp_send_reschedule(v->cpu);
    spin_unlock(&v->lock, flags);
}

/* --- made and unmade --- */

int vcpu_create(struct vm *vm, uint32_t index, struct vcpu **out)
{
    struct vcpu *v = kzalloc(sizeof(*v));
    struct vcpu_state state;
    int err;

    if (!v)
        return -ENOMEM;
    v->vm = vm;
    v->index = index;
    v->cpu = (vm->id + index) % cpu_count();
    v->xcr0 = 1;
    v->hardware_apic = vmm_runs_apic(&vm->config);
    waitq_init(&v->wake);
    vcpu_burst_init(&v->burst);
    vcpu_deliver_init(v);
    err = vmm_backend()->vcpu_create(v);
    if (err) {
        kfree(v);
        return err;
    }
    vcpu_reset_registers(&v->regs, &state);
    vmm_backend()->set_state(v, &state);
    vmm_backend()->set_tsc_offset(v, vm->tsc_offset);
    v->run_state = index ? VCPU_WAIT_SIPI : VCPU_RUNNABLE;
    *out = v;
    return 0;
}

int vcpu_start(struct vcpu *v)
{
    char name[THREAD_NAME_MAX];
    const struct thread_attr attr = {
        .name = name,
        .entry = vcpu_run,
        .arg = v,
        .priority = PRIO_VCPU,
        .affinity = v->cpu,
    };
    int err;

    fmt_snprintf(name, sizeof(name), "vm%u cpu%u", v->vm->id, v->index);
    atomic_fetch_add(&v->vm->threads, 1);
    err = thread_create(&attr, &v->thread);
    if (err)
        vm_thread_ends(v->vm);
    return err;
}

void vcpu_join(struct vcpu *v)
{
    if (!v->thread)
        return;
    thread_join(v->thread, TIME_NEVER);
    thread_put(v->thread);
    v->thread = NULL;
}

void vcpu_destroy(struct vcpu *v)
{
    vmm_backend()->vcpu_destroy(v);
    kfree(v);
}

/* --- for the exit code --- */

void vcpu_skip(struct vcpu *v, const struct vm_exit *e)
{
    v->regs.rip += e->length;
    vmm_backend()->skipped(v);
}

void vcpu_fault(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error)
{
    v->pending = (struct injection){
        .kind = INJECT_EXCEPTION,
        .vector = vector,
        .has_error = has_error,
        .error = error,
    };
}
