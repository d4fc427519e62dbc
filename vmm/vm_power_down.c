/*
 * When the machine is switched off or reset, guests that listen to their power
 * button shut down first, all at the same time. Those that take too long, and
 * the others, end as when the power goes. Thread context.
 */
#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/unit.h>

#include "vmm/devices/power.h"
#include "vmm/vm.h"

#define PATIENCE (20 * NS_PER_SEC)
#define MOST     64 /* that are waited for */

/* Press its button, where somebody listens. */
static bool ask(struct vm *vm)
{
    bool listens;

    mutex_lock(&vm->lock);
    listens = vm->state == VM_RUNNING && power_listens(vm);
    if (listens)
        power_press(vm);
    mutex_unlock(&vm->lock);
    if (listens)
        log_info("vm", "%s is asked to shut down", vm->config.name);
    return listens;
}

static void wait(struct vm *vm, nstime_t deadline)
{
    if (vm_wait(vm, VM_STOPPED, deadline))
        log_warn("vm", "%s does not shut down", vm->config.name);
    else
        log_info("vm", "%s has shut down", vm->config.name);
}

/* Before the scripts end, as they take a guest that has ended from the screen,
 * and before the disks. */
static void power_down(void)
{
    nstime_t deadline = clock_now() + PATIENCE;
    struct vm *asked[MOST], *vm;
    size_t n = 0;

    for (size_t i = 0; n < MOST && (vm = vm_at(i)); i++) {
        if (ask(vm))
            asked[n++] = vm;
        else
            vm_put(vm);
    }
    while (n) {
        wait(asked[--n], deadline);
        vm_put(asked[n]);
    }
}

UNIT(vm_power_down, .after = "vmm lua", .stop = power_down);
