/*
 * The list of VMs and their life cycle: see vm.h. Thread context; vm_lock
 * protects the list, vm->lock each VM's states.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>

#include <rayos/clock.h>
#include <rayos/event.h>
#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>

#include "vmm/crash.h"
#include "vmm/devices/guest_ports.h"
#include "vmm/exit_history.h"
#include "vmm/devices/vm_display.h"
#include "vmm/vm_internal.h"

#define END_PATIENCE (5 * NS_PER_SEC)

static struct mutex vm_lock = MUTEX_INIT(vm_lock);
static struct list vms = LIST_INIT(vms); /* vm_lock; in order of definition */
static uint32_t next_id = 1;             /* vm_lock */

static const char *const state_names[] = {
    [VM_DEFINED] = "defined", [VM_STARTING] = "starting",
    [VM_RUNNING] = "running", [VM_PAUSED] = "paused",
    [VM_STOPPED] = "stopped", [VM_CRASHED] = "crashed",
};

static const struct event_constant state_constants[] = {
    {"defined", VM_DEFINED},
    {"starting", VM_STARTING},
    {"running", VM_RUNNING},
    {"paused", VM_PAUSED},
    {"stopped", VM_STOPPED},
    {"crashed", VM_CRASHED},
    {0}};
static const struct event_field state_fields[] = {
    {.name = "state",
     .doc = "what it is now",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(((struct event *)0)->code),
     .constants = state_constants},
    EVENT_FIELD_AS("id", source, EVENT_U32, "number of the VM"),
    EVENT_FIELD_AS("exit_code", value, EVENT_I64,
                   "what it wrote to the debug-exit port"),
    EVENT_FIELD_AS("vm", text, EVENT_TEXT, "its name"),
    {0}};
EVENT_TYPE(vm_state, .doc = "a virtual machine has changed its state",
           .fields = state_fields);

const char *vm_state_name(enum vm_state s)
{
    return s <= VM_CRASHED ? state_names[s] : "?";
}

/* vm->lock held. */
static void state_set(struct vm *vm, enum vm_state state)
{
    struct event e = {
        .code = state,
        .source = vm->id,
        .value = vm->exit_code,
    };

    vm->state = state;
    strncpy(e.text, vm->config.name, sizeof(e.text));
    event_raise(&event_type_vm_state, &e);
    cond_broadcast(&vm->changed);
}

static bool is_alive(const struct vm *vm)
{
    return vm->state == VM_RUNNING || vm->state == VM_PAUSED ||
           vm->state == VM_STARTING;
}

/* --- the end --- */

static void kick_all(struct vm *vm, uint32_t requests)
{
    for (uint32_t i = 0; i < vm->vcpu_count; i++)
        vcpu_kick(vm->vcpus[i], requests);
}

/* The first reason is kept; true: this is the first. */
static bool end_claim(struct vm *vm, enum vm_end why)
{
    uint32_t none = VM_END_NONE;

    return atomic_compare_exchange_strong(&vm->end_reason, &none, why);
}

void vm_request_end(struct vm *vm, enum vm_end why)
{
    if (end_claim(vm, why))
        kick_all(vm, VCPU_REQ_STOP);
}

void vm_guest_reset(struct vcpu *v, const char *how)
{
    log_info("vmm", "VM \"%s\" CPU %u resets the machine at %#llx: %s",
             v->vm->config.name, v->index, (unsigned long long)v->regs.rip,
             how);
    vm_request_end(v->vm, VM_END_RESET);
}

void vm_crash(struct vcpu *v, const char *format, ...)
{
    struct vm *vm = v->vm;
    char why[VM_ERROR_MAX];
    va_list ap;

    if (!end_claim(vm, VM_END_CRASHED))
        return;
    va_start(ap, format);
    fmt_vsnprintf(why, sizeof(why), format, ap);
    va_end(ap);
    log_error("vmm", "VM \"%s\" CPU %u crashed at %#llx: %s", vm->config.name,
              v->index, (unsigned long long)v->regs.rip, why);
    mutex_lock(&vm->lock);
    memcpy(vm->error, why, sizeof(why));
    vm->dump = crash_describe(v, why);
    mutex_unlock(&vm->lock);
    kick_all(vm, VCPU_REQ_STOP);
}

void vm_keep_counters(struct vm *vm, const struct vcpu *v)
{
    for (unsigned i = 0; i < EXIT_REASONS; i++)
        vm->exits_before[i] += v->exits[i];
    vm->delivered_before += v->retry.delivered;
    vm->retried_before += v->retry.retried;
    vm->failed_before += v->retry.failed;
    vm->ticks_before += v->guest_ticks;
    exit_history_keep(vm, v);
}

/* vm->lock held, state VM_STARTING: CPUs run from here on. */
static int launch(struct vm *vm)
{
    int err = vm_build(vm);

    if (err) {
        vm_unbuild(vm);
        state_set(vm, VM_STOPPED);
        return err;
    }
    vm->started = clock_now();
    vm->boots++;
    vm_get(vm); /* until end_work is done */
    atomic_store(&vm->threads, 1);
    state_set(vm, VM_RUNNING);
    for (uint32_t i = 0; i < vm->vcpu_count && !err; i++)
        err = vcpu_start(vm->vcpus[i]);
    if (err) {
        fmt_snprintf(vm->error, sizeof(vm->error), "no thread for a CPU");
        vm_request_end(vm, VM_END_KILLED);
    }
    vm_thread_ends(vm);
    return err;
}

/* All its threads are through. */
static void end_work(struct work *w)
{
    struct vm *vm = container_of(w, struct vm, end_work);
    uint32_t why;

    mutex_lock(&vm->lock);
    why = vm->end_reason;
    vm_unbuild(vm);
    if (why == VM_END_RESET) {
        state_set(vm, VM_STARTING);
        launch(vm);
    } else {
        state_set(vm, why == VM_END_CRASHED ? VM_CRASHED : VM_STOPPED);
    }
    mutex_unlock(&vm->lock);
    vm_put(vm);
}

void vm_thread_ends(struct vm *vm)
{
    if (atomic_fetch_sub(&vm->threads, 1) == 1)
        work_submit(workq_system(), &vm->end_work);
}

/* --- the list --- */

static struct vm *find_locked(const char *name)
{
    list_for_each (n, &vms) {
        struct vm *vm = container_of(n, struct vm, all);

        if (strcmp(vm->config.name, name) == 0)
            return vm;
    }
    return NULL;
}

struct vm *vm_find(const char *name)
{
    struct vm *vm;

    mutex_lock(&vm_lock);
    vm = find_locked(name);
    if (vm)
        vm_get(vm);
    mutex_unlock(&vm_lock);
    return vm;
}

struct vm *vm_at(size_t i)
{
    struct vm *vm = NULL;

    mutex_lock(&vm_lock);
    list_for_each (n, &vms) {
        if (i-- == 0) {
            vm = container_of(n, struct vm, all);
            vm_get(vm);
            break;
        }
    }
    mutex_unlock(&vm_lock);
    return vm;
}

void vm_get(struct vm *vm)
{
    atomic_fetch_add(&vm->refs, 1);
}

void vm_put(struct vm *vm)
{
    if (atomic_fetch_sub(&vm->refs, 1) != 1)
        return;
    kfree(vm->dump);
    if (vm->console) {
        console_fini(vm->console);
        kfree(vm->console);
    }
    guest_ports_free(vm->guest_ports);
    exit_history_free(vm);
    vm_display_free(vm->display);
    kspace_free(vm->output);
    kfree(vm);
}

/* Names that differ, and an end to each. */
static const char *ports_problem(const struct vm_config *c)
{
    if (c->port_count > VM_PORTS_MAX)
        return "ports: 6 at most, the agent's among them";
    if (c->port_count && !c->has_console)
        return "ports: only with a console";
    for (uint32_t i = 0; i < c->port_count; i++) {
        const char *name = c->ports[i];

        if (!name[0] || !memchr(name, '\0', sizeof(c->ports[i])))
            return "ports: a name has 1 to 47 bytes";
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(name, c->ports[j]) == 0)
                return "ports: a name comes twice";
        if (strcmp(name, GUEST_TERMINAL) == 0)
            return "ports: hvc0 is the terminal's name";
    }
    return NULL;
}

static const char *config_problem(const struct vm_config *c)
{
    if (!c->name[0] || !memchr(c->name, '\0', sizeof(c->name)))
        return "name: 1 to 31 bytes";
    if (c->cpus < 1 || c->cpus > VM_CPUS_MAX)
        return "cpus: 1 to 8";
    if (c->memory < GUEST_RAM_MIN || c->memory % PAGE_SIZE)
        return "memory: a multiple of 4096, at least 1 MiB";
    if (c->cpuid_count > VM_CPUID_EDITS)
        return "cpuid: 16 lines at most";
    return ports_problem(c);
}

static struct vm *vm_new(const struct vm_config *config)
{
    struct vm *vm = kzalloc(sizeof(*vm));

    if (!vm)
        return NULL;
    vm->output = kspace_alloc(sizeof(*vm->output), KSPACE_RW);
    if (!vm->output) {
        kfree(vm);
        return NULL;
    }
    vm->config = *config;
    vm->refs = 2; /* the list's and the caller's */
    mutex_init(&vm->lock);
    cond_init(&vm->changed);
    list_init(&vm->ports);
    list_init(&vm->mmio);
    list_init(&vm->devices);
    work_init(&vm->end_work, end_work);
    return vm;
}

int vm_define(const struct vm_config *config, struct vm **out, char *error,
              size_t error_size)
{
    const char *problem = config_problem(config);
    struct vm *vm;
    int err = 0;

    if (problem || !vmm_backend()) {
        fmt_snprintf(error, error_size, "%s",
                     problem ? problem : vmm_host()->reason);
        return problem ? -EINVAL : -ENODEV;
    }
    vm = vm_new(config);
    if (!vm)
        return -ENOMEM;
    mutex_lock(&vm_lock);
    if (find_locked(config->name)) {
        err = -EEXIST;
    } else {
        vm->id = next_id++;
        vm->listed = true;
        list_push_back(&vms, &vm->all);
    }
    mutex_unlock(&vm_lock);
    if (err) {
        fmt_snprintf(error, error_size, "there is a VM of that name");
        vm->refs = 1;
        vm_put(vm);
        return err;
    }
    mutex_lock(&vm->lock);
    state_set(vm, VM_DEFINED);
    mutex_unlock(&vm->lock);
    *out = vm;
    return 0;
}

/* --- what its owner asks for --- */

int vm_start(struct vm *vm)
{
    int err = -EBUSY;

    mutex_lock(&vm->lock);
    if (!vm->listed) {
        err = -ENOENT;
    } else if (!is_alive(vm)) {
        state_set(vm, VM_STARTING);
        err = launch(vm);
    }
    mutex_unlock(&vm->lock);
    return err;
}

int vm_pause(struct vm *vm)
{
    int err = 0;

    mutex_lock(&vm->lock);
    if (vm->state == VM_RUNNING) {
        vm->pause_wanted = true;
        kick_all(vm, VCPU_REQ_PAUSE);
        while (!err && vm->state == VM_RUNNING && !vm->end_reason &&
               vm->parked < vm->vcpu_count)
            err = cond_wait(&vm->changed, &vm->lock, TIME_NEVER);
        if (vm->state == VM_RUNNING && vm->parked == vm->vcpu_count) {
            list_for_each (n, &vm->devices) {
                struct vm_device *d = container_of(n, struct vm_device, node);

                if (d->ops->pause)
                    d->ops->pause(d, true);
            }
            state_set(vm, VM_PAUSED);
        } else {
            vm->pause_wanted = false; /* given up: those that wait go on */
            kick_all(vm, VCPU_REQ_INTERRUPT);
        }
    }
    if (!err && vm->state != VM_PAUSED)
        err = -EBUSY;
    mutex_unlock(&vm->lock);
    return err;
}

int vm_resume(struct vm *vm)
{
    int err = -EBUSY;

    mutex_lock(&vm->lock);
    if (vm->state == VM_PAUSED) {
        list_for_each (n, &vm->devices) {
            struct vm_device *d = container_of(n, struct vm_device, node);

            if (d->ops->pause)
                d->ops->pause(d, false);
        }
        vm->pause_wanted = false;
        state_set(vm, VM_RUNNING);
        kick_all(vm, VCPU_REQ_INTERRUPT);
        err = 0;
    }
    mutex_unlock(&vm->lock);
    return err;
}

int vm_reset(struct vm *vm)
{
    uint64_t boots;
    int err = 0;

    mutex_lock(&vm->lock);
    if (!is_alive(vm)) {
        mutex_unlock(&vm->lock);
        return -EBUSY;
    }
    boots = vm->boots;
    vm_request_end(vm, VM_END_RESET);
    while (!err && is_alive(vm) && vm->boots == boots)
        err = cond_wait(&vm->changed, &vm->lock, TIME_NEVER);
    if (!err && !is_alive(vm))
        err = -EIO;
    mutex_unlock(&vm->lock);
    return err;
}

int vm_nmi(struct vm *vm)
{
    int err = -EBUSY;

    mutex_lock(&vm->lock);
    if (vm->state == VM_RUNNING && vm->vcpu_count) {
        vcpu_kick(vm->vcpus[0], VCPU_REQ_NMI);
        err = 0;
    }
    mutex_unlock(&vm->lock);
    return err;
}

/* A reset may be under way, which forgets the reason: ask again. */
static int kill_until(struct vm *vm, nstime_t deadline)
{
    int err = 0;

    mutex_lock(&vm->lock);
    while (!err && is_alive(vm)) {
        vm_request_end(vm, VM_END_KILLED);
        err = cond_wait(&vm->changed, &vm->lock, deadline);
    }
    if (!err && vm->state == VM_CRASHED)
        state_set(vm, VM_STOPPED);
    mutex_unlock(&vm->lock);
    return err;
}

int vm_kill(struct vm *vm)
{
    return kill_until(vm, TIME_NEVER);
}

int vm_destroy(struct vm *vm)
{
    int err = vm_kill(vm);
    bool listed;

    if (err)
        return err;
    mutex_lock(&vm_lock);
    mutex_lock(&vm->lock);
    if (is_alive(vm))
        err = -EBUSY; /* somebody has started it again */
    listed = !err && vm->listed;
    if (listed) {
        vm->listed = false;
        list_remove(&vm->all);
    }
    mutex_unlock(&vm->lock);
    mutex_unlock(&vm_lock);
    if (listed)
        vm_put(vm);
    return err;
}

int vm_wait(struct vm *vm, enum vm_state state, nstime_t deadline)
{
    int err = 0;

    mutex_lock(&vm->lock);
    while (vm->state != state && !err)
        err = cond_wait(&vm->changed, &vm->lock, deadline);
    mutex_unlock(&vm->lock);
    return err;
}

bool vm_end_all(void)
{
    struct vm *vm;
    bool ended = true;

    for (size_t i = 0; (vm = vm_at(i)); i++) {
        if (kill_until(vm, clock_now() + END_PATIENCE)) {
            log_error("vmm", "VM \"%s\" does not end", vm->config.name);
            ended = false;
        }
        vm_put(vm);
    }
    return ended;
}
