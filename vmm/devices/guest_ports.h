/*
 * The ports of a VM's virtio-console, as RayOS sees them: consoles with names,
 * the first of them the guest's terminal hvc0, the others for programs. They
 * outlive the device, so that what a guest said is still there after its reset.
 */
#ifndef VMM_DEVICES_GUEST_PORTS_H
#define VMM_DEVICES_GUEST_PORTS_H

#include "vmm/devices/console.h"
#include "vmm/vm.h"

#define GUEST_TERMINAL "hvc0"
#define GUEST_AGENT    "org.qemu.guest_agent.0"

struct guest_port {
    char name[sizeof(((struct vm_config *)0)->ports[0])];
    _Atomic bool open; /* a program of the guest has it open */
    struct console console;
};

struct guest_ports {
    _Atomic uint32_t
        size;       /* of the terminal: columns, rows << 16; 0: unknown */
    unsigned count; /* constant */
    struct guest_port port[1 + VM_PORTS_MAX];
};

/* As the configuration says; vm->guest_ports. -ENOMEM. */
int guest_ports_make(struct vm *vm);
void guest_ports_free(struct guest_ports *ports); /* NULL: nothing */
/* NULL: there is none of that name, or the VM was never started. */
struct guest_port *guest_port_find(struct vm *vm, const char *name);
/* The guest's terminal shall have that size. Thread context. */
void guest_ports_resize(struct guest_ports *ports, uint16_t columns,
                        uint16_t rows);

#endif
