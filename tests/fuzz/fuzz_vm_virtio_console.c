/* sources: vmm/devices/virtio_console.c vmm/devices/virtio_console_control.c
   vmm/devices/virtio_queue.c vmm/devices/console.c
   vmm/devices/guest_ports.c */
/*
 * A virtio console whose driver is hostile: any messages, buffers and
 * descriptors, while somebody types and reads. Nothing outside of the guest's
 * memory is touched, every step ends, and no more is kept than the bounds say.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/virtio_console_host.h"

/* Some bytes somewhere in the rings and tables. */
static void scribble(struct fuzz_input *in)
{
    struct {
        uint16_t at;
        uint8_t n;
    } where;

    fuzz_take(in, &where.at, sizeof(where.at));
    fuzz_take(in, &where.n, sizeof(where.n));
    fuzz_take(in, driver_memory.ram + where.at % 0x8000, where.n);
}

static void type_and_read(struct fuzz_input *in, unsigned port)
{
    static uint64_t at[2];
    struct guest_port *p = &host_vm.guest_ports->port[port];
    uint8_t text[256];

    fuzz_take(in, text, 16);
    console_type(&p->console, text, text[0]);
    console_read(&p->console, &at[port], text, sizeof(text), 0);
    FUZZ_CHECK(p->console.input_used <= CONSOLE_INPUT);
    FUZZ_CHECK(!port ||
               p->console.written - p->console.read_to <= CONSOLE_HISTORY);
}

static void step(struct fuzz_input *in, unsigned what)
{
    unsigned queue = what / 8 % HOST_QUEUES;
    struct vcons_message m;
    uint8_t size;

    switch (what % 8) {
    case 0:
        scribble(in);
        break;
    case 1:
        driver_offer(&host_queues[queue], what / 64);
        host_notify(queue);
        break;
    case 2:
        fuzz_take(in, &m, sizeof(m));
        host_control(m.id % 4, m.event % 9, m.value % 3);
        break;
    case 3:
        type_and_read(in, queue % 2);
        break;
    case 4:
        fuzz_take(in, &size, 1);
        host_buffer(queue, what / 64, size);
        host_notify(queue);
        break;
    case 5:
        fuzz_take(in, &size, 1);
        host_say(queue, driver_memory.ram, size * 128u);
        break;
    case 6:
        guest_ports_resize(host_vm.guest_ports, (uint16_t)what, 25);
        break;
    default:
        host_notify(queue);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t what;

    memset(driver_memory.ram, 0, 0x8000);
    fuzz_take(&in, &what, 1);
    host_begin((what & 1 ? VIRTIO_F_EVENT_IDX : 0) |
               (what & 2 ? VIRTIO_F_INDIRECT_DESC : 0) |
               (what & 4 ? VCONS_F_MULTIPORT : 0) |
               (what & 8 ? VCONS_F_SIZE : 0));
    while (in.left) {
        fuzz_take(&in, &what, 1);
        step(&in, what);
    }
    host_end();
    return 0;
}
