/* The ports of a VM's virtio-console: see guest_ports.h. Thread context. */
#include "vmm/devices/guest_ports.h"

#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

static int add(struct guest_ports *ports, const char *name, bool lossless)
{
    struct guest_port *p = &ports->port[ports->count];
    int err = console_init(&p->console, lossless);

    if (err)
        return err;
    memcpy(p->name, name, strnlen(name, sizeof(p->name) - 1));
    ports->count++;
    return 0;
}

int guest_ports_make(struct vm *vm)
{
    const struct vm_config *c = &vm->config;
    struct guest_ports *ports = kzalloc(sizeof(*ports));
    int err = ports ? add(ports, GUEST_TERMINAL, false) : -ENOMEM;

    for (uint32_t i = 0; i < c->port_count && !err; i++)
        err = add(ports, c->ports[i], true);
    if (err)
        guest_ports_free(ports);
    else
        vm->guest_ports = ports;
    return err;
}

void guest_ports_free(struct guest_ports *ports)
{
    if (!ports)
        return;
    for (unsigned i = 0; i < ports->count; i++)
        console_fini(&ports->port[i].console);
    kfree(ports);
}

struct guest_port *guest_port_find(struct vm *vm, const char *name)
{
    struct guest_ports *ports = vm->guest_ports;

    for (unsigned i = 0; ports && i < ports->count; i++)
        if (strcmp(ports->port[i].name, name) == 0)
            return &ports->port[i];
    return NULL;
}

void guest_ports_resize(struct guest_ports *ports, uint16_t columns,
                        uint16_t rows)
{
    ports->size = columns | (uint32_t)rows << 16;
    console_kick(&ports->port[0].console);
}
