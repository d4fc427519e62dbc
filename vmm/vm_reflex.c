/*
 * What rules can do to VMs. The life cycle waits for vCPUs, and a lock that
 * whoever starts a VM holds while it loads; the reflex thread must wait for
 * neither, so it hands over to a thread of this file's own. Actions: reflex
 * thread; the rest: that thread.
 */
#include <errno.h>
#include <string.h>

#include <rayos/reflex.h>
#include <rayos/spinlock.h>
#include <rayos/thread.h>
#include <rayos/unit.h>

#include "vmm/vm.h"

#define ORDERS 16

struct order {
    struct work work;
    int (*what)(struct vm *vm);
    struct vm *vm; /* with a reference; NULL: the order is free */
    struct event over;
    char rule[REFLEX_NAME_MAX];
};

static struct order orders[ORDERS];
static struct spinlock lock = SPINLOCK_INIT; /* orders[].vm */
static struct workq *queue;

static struct vm *find(const struct reflex_args *a)
{
    char name[REFLEX_TEXT + 1] = "";
    struct vm *vm;

    if (a->text[0]) {
        memcpy(name, a->text[0], REFLEX_TEXT);
        return vm_find(name);
    }
    for (size_t i = 0; (vm = vm_at(i)); i++) {
        if (vm->id == a->number[0])
            return vm;
        vm_put(vm);
    }
    return NULL;
}

static void carry_out(struct work *w)
{
    struct order *o = container_of(w, struct order, work);
    struct vm *vm = o->vm;
    int err = o->what(vm);
    irqflags_t flags;

    if (err)
        reflex_failed(o->rule, &o->over, err);
    flags = spin_lock(&lock);
    o->vm = NULL;
    spin_unlock(&lock, flags);
    vm_put(vm);
}

static struct order *order_take(struct vm *vm)
{
    irqflags_t flags = spin_lock(&lock);
    struct order *found = NULL;

    /* What has just cleared `vm` may be running its last lines still: the queue
     * has one thread, which takes the order after them. */
    for (size_t i = 0; i < ORDERS && !found; i++)
        if (!orders[i].vm)
            found = &orders[i];
    if (found)
        found->vm = vm;
    spin_unlock(&lock, flags);
    return found;
}

static int order(const struct reflex_args *a, int (*what)(struct vm *vm))
{
    struct vm *vm = find(a);
    struct order *o;

    if (!vm)
        return -ENOENT;
    o = order_take(vm);
    if (!o) {
        vm_put(vm);
        return -EAGAIN;
    }
    o->what = what;
    o->over = *a->event;
    strncpy(o->rule, a->rule, sizeof(o->rule) - 1);
    work_init(&o->work, carry_out);
    work_submit(queue, &o->work);
    return 0;
}

#define VM_ACTION(ident, text)                                                 \
    static int action_##ident(const struct reflex_args *a)                     \
    {                                                                          \
        return order(a, ident);                                                \
    }                                                                          \
    REFLEX_ACTION(ident, .capability = "vm", .doc = (text ": its id or name"), \
                  .args = "i", .run = action_##ident)

VM_ACTION(vm_pause, "have a virtual machine pause");
VM_ACTION(vm_resume, "have a virtual machine go on after a pause");
VM_ACTION(vm_reset, "start a virtual machine anew");
VM_ACTION(vm_kill, "end a virtual machine at once");

static int action_vm_nmi(const struct reflex_args *a)
{
    return order(a, vm_nmi);
}

REFLEX_ACTION(vm_nmi, .capability = "vm",
              .doc = "a non-maskable interrupt for a virtual machine's first "
                     "CPU: its id or name",
              .args = "i", .run = action_vm_nmi);

static int vm_reflex_start(void)
{
    return workq_create("vm-rules", PRIO_INTERRUPT, &queue);
}

UNIT(vm_reflex, .after = "vmm", .start = vm_reflex_start);
