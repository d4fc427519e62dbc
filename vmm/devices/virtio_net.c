/*
 * virtio network device (virtio 1.2 5.1): a port of a switch of ours. What the
 * guest sends is delivered on its vCPU's thread, into the other guest's
 * buffers: nothing is queued here, and who has no buffer or is paused misses
 * the frame, which the switch counts as dropped. A guest that is paused finds
 * its memory as it left it. No offloads.
 */
#include "vmm/devices/virtio_net.h"

#include <errno.h>
#include <string.h>

#include <rayos/fmt.h>
#include <rayos/mm.h>
#include <rayos/switch.h>
#include <rayos/sync.h>

#include "vmm/devices/virtio_stop.h"

/* 5.1.3 */
#define F_MTU    (UINT64_C(1) << 3)
#define F_MAC    (UINT64_C(1) << 5)
#define F_STATUS (UINT64_C(1) << 16)

#define RECEIVE    0
#define TRANSMIT   1
#define QUEUE_SIZE 256
#define LINK_UP    1
#define MTU        1500

/* 5.1.4 */
struct net_config {
    uint8_t mac[MAC_SIZE];
    uint16_t status, max_pairs, mtu;
} __attribute__((packed));

/* 5.1.6: as long with VERSION_1, whatever else was agreed */
struct net_header {
    uint8_t flags, gso_type;
    uint16_t header_length, gso_size, sum_start, sum_offset, buffers;
};

struct net {
    struct virtio_device virtio;
    struct switch_port port;
    char name[SWITCH_NAME_MAX];
    struct net_config config;
    struct virtio_chain out;         /* the transport has one call at a time */
    uint8_t frame[SWITCH_FRAME_MAX]; /* that is sent */
    struct mutex lock;               /* receiving, against a reset */
    struct virtio_chain in;          /* lock */
    bool paused;                     /* lock */
};

static struct net *of_device(struct virtio_device *d)
{
    return d->state;
}

/* --- from the guest --- */

static void send(struct net *net, const struct virtio_chain *c)
{
    size_t n = c->read_size - sizeof(struct net_header);

    if (c->read_size < sizeof(struct net_header) || n > sizeof(net->frame))
        n = 0; /* the switch counts it as refused */
    else if (virtio_chain_read(&net->virtio, c, sizeof(struct net_header),
                               net->frame, n) != (ssize_t)n) {
        virtio_break(&net->virtio, "a frame is not in RAM");
        return;
    }
    switch_send(&net->port, net->frame, n);
}

static void net_notify(struct virtio_device *d, struct virtio_queue *q)
{
    struct net *net = of_device(d);

    if (q->index != TRANSMIT)
        return; /* more buffers: the next frame takes one */
    /* All there is: the driver need not notify again of what it has offered. */
    while (!virtio_must_stop(d) && virtio_queue_pop(q, &net->out) == 1) {
        send(net, &net->out);
        virtio_queue_push(q, net->out.head, 0);
    }
    virtio_queue_signal(q);
}

/* --- to the guest --- */

/* Lock held. One that shall pause gets nothing more: what it gets could be more
 * to send, written into its own ring by another guest, and never end. */
static bool can_receive(const struct net *net)
{
    const struct virtio_device *d = &net->virtio;

    return !net->paused && !d->vm->pause_wanted &&
           (d->status & VIRTIO_STATUS_DRIVER_OK) &&
           !(d->status & VIRTIO_STATUS_NEEDS_RESET) && d->queues[RECEIVE].ready;
}

/* Lock held. */
static bool receive(struct net *net, const void *frame, size_t n)
{
    const struct net_header header = {.buffers = 1};
    struct virtio_device *d = &net->virtio;
    struct virtio_queue *q = &d->queues[RECEIVE];

    if (!can_receive(net) || virtio_queue_pop(q, &net->in) != 1)
        return false;
    if (net->in.write_size < sizeof(header) + n) {
        virtio_queue_unpop(q, 1);
        return false;
    }
    if (virtio_chain_write(d, &net->in, 0, &header, sizeof(header)) !=
            (ssize_t)sizeof(header) ||
        virtio_chain_write(d, &net->in, sizeof(header), frame, n) !=
            (ssize_t)n) {
        virtio_break(d, "a buffer is not in RAM");
        return false;
    }
    virtio_queue_push(q, net->in.head, (uint32_t)(sizeof(header) + n));
    virtio_queue_signal(q);
    return true;
}

static bool net_deliver(struct switch_port *p, const void *frame, size_t n)
{
    struct net *net = container_of(p, struct net, port);
    bool done;

    mutex_lock(&net->lock);
    done = receive(net, frame, n);
    mutex_unlock(&net->lock);
    return done;
}

/* --- the device --- */

static void net_config_read(struct virtio_device *d, uint32_t offset, void *out,
                            uint32_t n)
{
    memcpy(out, (const uint8_t *)&of_device(d)->config + offset, n);
}

/* DRIVER_OK is gone: whoever delivers now has it done before we return. */
static void net_reset(struct virtio_device *d)
{
    struct net *net = of_device(d);

    mutex_lock(&net->lock);
    mutex_unlock(&net->lock);
}

/* On return nobody writes to the memory of a guest that is paused. */
static void net_pause(struct virtio_device *d, bool paused)
{
    struct net *net = of_device(d);

    mutex_lock(&net->lock);
    net->paused = paused;
    mutex_unlock(&net->lock);
}

static void net_destroy(struct virtio_device *d)
{
    struct net *net = of_device(d);

    switch_disconnect(&net->port);
    kfree(net);
}

static const struct virtio_model net_model = {
    .name = "virtio-net",
    .id = VIRTIO_ID_NET,
    .features = F_MAC | F_STATUS | F_MTU,
    .queue_count = 2,
    .queue_sizes = {QUEUE_SIZE, QUEUE_SIZE},
    .config_size = sizeof(struct net_config),
    .config_read = net_config_read,
    .notify = net_notify,
    .reset = net_reset,
    .destroy = net_destroy,
    .pause = net_pause,
};

/* The one that was asked for, or a locally administered one: the VM's number
 * and the device's make it its own. */
static void choose_mac(struct net *net, const uint8_t *wanted, uint32_t vm,
                       uint32_t index)
{
    static const uint8_t none[MAC_SIZE];
    const uint8_t mac[MAC_SIZE] = {0x52,
                                   (uint8_t)(vm >> 24),
                                   (uint8_t)(vm >> 16),
                                   (uint8_t)(vm >> 8),
                                   (uint8_t)vm,
                                   (uint8_t)index};

    memcpy(net->config.mac, memcmp(wanted, none, MAC_SIZE) ? wanted : mac,
           MAC_SIZE);
}

static int add_net(struct vm *vm, uint32_t index)
{
    const struct vm_net *c = &vm->config.nets[index];
    struct net *net = kzalloc(sizeof(*net));
    int err;

    if (!net)
        return -ENOMEM;
    mutex_init(&net->lock);
    fmt_snprintf(net->name, sizeof(net->name), "%.24s/eth%u", vm->config.name,
                 index);
    net->port = (struct switch_port){.name = net->name, .deliver = net_deliver};
    net->config.status = LINK_UP;
    net->config.max_pairs = 1;
    net->config.mtu = MTU;
    choose_mac(net, c->mac, vm->id, index);
    memcpy(net->port.mac, net->config.mac, MAC_SIZE);
    net->port.spoof = c->spoof;
    virtio_device_init(&net->virtio, &net_model, vm, net);
    err = switch_connect(&net->port, c->network);
    if (!err)
        err = virtio_mmio_attach(vm, &net->virtio);
    if (err)
        net_destroy(&net->virtio);
    return err;
}

int virtio_net_create(struct vm *vm)
{
    int err = 0;

    for (uint32_t i = 0; i < vm->config.net_count && !err; i++)
        err = add_net(vm, i);
    return err;
}

VM_DEVICE_TYPE(virtio_net, .create = virtio_net_create);
