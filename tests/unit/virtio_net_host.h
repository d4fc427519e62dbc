/*
 * Guests with a virtio network card each on one switch, and their drivers: for
 * the test of vmm/devices/virtio_net.c and its fuzzer. The guests' rings and
 * buffers lie in one memory, in places of their own. Include it in one file of
 * a program.
 */
#ifndef RAYOS_TEST_VIRTIO_NET_HOST_H
#define RAYOS_TEST_VIRTIO_NET_HOST_H

#include "mutex_host.h"
#include "virtio_driver.h"

#include <rayos/clock.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/switch.h>

#include "vmm/devices/virtio_net.h"
#include "vmm/vm.h"

#define HOST_GUESTS 2
#define HOST_HEADER 12 /* 5.1.6 */
#define HOST_FRAME  64
#define RECEIVE     0
#define TRANSMIT    1

struct host_guest {
    struct vm vm;
    struct virtio_device *device;
    struct driver_queue queue[2];
};

static struct host_guest host_guests[HOST_GUESTS];
static unsigned host_attached, host_warnings;
static int host_blocks, host_attach_error;

/* --- the kernel below --- */

void *kzalloc(size_t size)
{
    host_blocks++;
    return calloc(1, size);
}

void kfree(void *p)
{
    host_blocks -= p != NULL;
    free(p);
}

nstime_t clock_now(void)
{
    return NS_PER_SEC;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)module, (void)fmt;
    host_warnings += level == LOG_WARN;
}

void virtio_device_init(struct virtio_device *d, const struct virtio_model *m,
                        struct vm *vm, void *state)
{
    *d = (struct virtio_device){.model = m,
                                .vm = vm,
                                .state = state,
                                .memory = &driver_memory,
                                .interrupt = driver_interrupt};
}

int virtio_mmio_attach(struct vm *vm, struct virtio_device *d)
{
    if (host_attach_error)
        return host_attach_error;
    (void)vm;
    host_guests[host_attached++].device = d;
    return 0;
}

/* --- the drivers --- */

static gpa_t host_place(const struct host_guest *g, unsigned queue, unsigned i)
{
    unsigned at = (unsigned)(g - host_guests) * 2 + queue;

    return 0x20000 + at * 0x20000 + i * 0x1000;
}

/* What a driver does before it sets DRIVER_OK, and that. */
static void host_start(struct host_guest *g, uint64_t features)
{
    unsigned page = 1 + 2 * (unsigned)(g - host_guests);

    for (unsigned i = 0; i < 2; i++)
        g->queue[i] = driver_queue_at(g->device, i, 0x1000u * (page + i));
    g->device->features = features;
    g->device->broken[0] = '\0';
    g->device->status = VIRTIO_STATUS_DRIVER_OK;
}

/* As the transport does: vmm/devices/virtio_mmio.c. */
static __attribute__((unused)) void host_reset(struct host_guest *g)
{
    g->device->status &= ~VIRTIO_STATUS_DRIVER_OK;
    g->device->model->reset(g->device);
    g->device->status = 0;
    g->device->queues[RECEIVE].ready = g->device->queues[TRANSMIT].ready =
        false;
}

/* Guests 0 and 1 have the addresses 52:..:00 and 52:..:01. */
static void host_begin(uint64_t features, bool spoof)
{
    host_attached = host_warnings = 0;
    memset(driver_interrupts, 0, sizeof(driver_interrupts));
    for (unsigned i = 0; i < HOST_GUESTS; i++) {
        struct host_guest *g = &host_guests[i];

        *g = (struct host_guest){.vm.id = i, .vm.config.net_count = 1};
        snprintf(g->vm.config.name, sizeof(g->vm.config.name), "guest%u", i);
        strcpy(g->vm.config.nets[0].network, "lan");
        memcpy(g->vm.config.nets[0].mac, "\x52\0\0\0\0", MAC_SIZE);
        g->vm.config.nets[0].mac[5] = (uint8_t)i;
        g->vm.config.nets[0].spoof = spoof;
        if (virtio_net_create(&g->vm))
            abort();
        host_start(g, features);
    }
}

static void host_end(void)
{
    for (unsigned i = 0; i < HOST_GUESTS; i++) {
        host_reset(&host_guests[i]);
        host_guests[i].device->model->destroy(host_guests[i].device);
    }
}

static bool host_broken(const struct host_guest *g)
{
    return g->device->status & VIRTIO_STATUS_NEEDS_RESET;
}

/* As the transport does. */
static void host_notify(struct host_guest *g, unsigned queue)
{
    if (!host_broken(g) && (g->device->status & VIRTIO_STATUS_DRIVER_OK))
        g->device->model->notify(g->device, g->queue[queue].q);
}

/* A buffer for a frame, in one piece. */
static __attribute__((unused)) void host_buffer(struct host_guest *g,
                                                uint32_t size)
{
    struct driver_queue *r = &g->queue[RECEIVE];
    unsigned i = r->available->index % DRIVER_RING;

    driver_describe(r, i, host_place(g, RECEIVE, i), size, DRIVER_WRITE, 0);
    driver_offer(r, i);
}

/* Bytes that were received with their header, -1: nothing. */
static __attribute__((unused)) int host_taken(struct host_guest *g, void *out)
{
    uint32_t id, length;

    if (!driver_take(&g->queue[RECEIVE], &id, &length))
        return -1;
    memcpy(out, driver_memory.ram + host_place(g, RECEIVE, id), length);
    return (int)length;
}

/* A frame of n bytes from `from` to `to`, the last bytes of addresses as
 * host_begin gave them; to 0xff: to all. */
static __attribute__((unused)) void host_frame(uint8_t *out, size_t n,
                                               uint8_t from, uint8_t to)
{
    memset(out, to == 0xff ? 0xff : 0, MAC_SIZE);
    out[0] = to == 0xff ? 0xff : 0x52;
    out[5] = to;
    memset(out + MAC_SIZE, 0, MAC_SIZE);
    out[6] = 0x52;
    out[11] = from;
    for (size_t i = 12; i < n; i++)
        out[i] = (uint8_t)(i * 7);
}

/* Offer n bytes behind a header, without a notification. */
static __attribute__((unused)) void host_offer(struct host_guest *g,
                                               const void *frame, uint32_t n)
{
    struct driver_queue *r = &g->queue[TRANSMIT];
    unsigned i = r->available->index % DRIVER_RING;
    gpa_t at = host_place(g, TRANSMIT, i);

    memset(driver_memory.ram + at, 0, HOST_HEADER);
    memcpy(driver_memory.ram + at + HOST_HEADER, frame, n);
    driver_describe(r, i, at, HOST_HEADER + n, 0, 0);
    driver_offer(r, i);
}

static __attribute__((unused)) void host_send(struct host_guest *g,
                                              const void *frame, uint32_t n)
{
    host_offer(g, frame, n);
    host_notify(g, TRANSMIT);
}

static __attribute__((unused)) struct switch_counters host_counters(unsigned i)
{
    struct switch_info info = {0};

    if (!switch_port_at(i, &info))
        abort();
    return info.counters;
}

#endif
