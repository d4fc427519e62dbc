/* The last exits of each virtual CPU: see exit_history.h. */
#include "vmm/exit_history.h"

#include <string.h>

#include <rayos/mm.h>

/* Unless it is still, the vCPU's thread writes at the same time: places that it
 * may have been at meanwhile are left out. */
static uint32_t copy(const struct vcpu *v, bool still,
                     struct vcpu_exit_record *out)
{
    const uint32_t *next = &v->history_next;
    uint32_t before = __atomic_load_n(next, __ATOMIC_ACQUIRE), after;
    uint32_t i = before > VCPU_HISTORY ? before - VCPU_HISTORY : 0;
    uint32_t first = i, count;

    for (; i != before; i++)
        out[i - first] = v->history[i % VCPU_HISTORY];
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    after = __atomic_load_n(next, __ATOMIC_RELAXED);
    count = before - first;
    if (still || !count)
        return count;
    /* The newest may not have been complete. */
    count--;
    if (after - first < VCPU_HISTORY)
        return count;
    i = after - first - VCPU_HISTORY + 1;
    if (i >= count)
        return 0;
    memmove(out, out + i, (count - i) * sizeof(*out));
    return count - i;
}

void exit_history_keep(struct vm *vm, const struct vcpu *v)
{
    struct exit_history **h = &vm->last_exits[v->index];

    if (!*h)
        *h = kalloc(sizeof(**h));
    if (*h)
        (*h)->count = copy(v, true, (*h)->record);
}

uint32_t exit_history_get(const struct vm *vm, uint32_t index,
                          struct vcpu_exit_record out[VCPU_HISTORY])
{
    const struct exit_history *h;

    if (index < vm->vcpu_count)
        return copy(vm->vcpus[index], vm->state == VM_PAUSED, out);
    h = index < VM_CPUS_MAX ? vm->last_exits[index] : NULL;
    if (!h)
        return 0;
    memcpy(out, h->record, h->count * sizeof(*out));
    return h->count;
}

void exit_history_free(struct vm *vm)
{
    for (uint32_t i = 0; i < VM_CPUS_MAX; i++) {
        kfree(vm->last_exits[i]);
        vm->last_exits[i] = NULL;
    }
}
