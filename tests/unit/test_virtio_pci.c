/* sources: drivers/virtio/virtio_pci_modern.c */
/* The modern interface of virtio over PCI: a device's capabilities are believed
 * when they lie in its BARs, and nothing outside of them is touched. BARs are
 * blocks of the heap of exactly their size, so the sanitizer sees what leaves
 * them. */
#include "check.h"

#include <errno.h>
#include <stdlib.h>

#include <rayos/log.h>

#include "drivers/virtio/virtio.h"
#include "drivers/virtio/virtqueue.h"

#define CAPS     6
#define CAP_SIZE 20

static uint8_t space[256];
static struct virtio_pci p;
static struct pci_device pci;
static int mapped;

/* --- PCI --- */

uint8_t pci_read8(const struct pci_device *d, uint16_t offset)
{
    (void)d;
    return offset < sizeof(space) ? space[offset] : 0xff;
}

uint32_t pci_read32(const struct pci_device *d, uint16_t offset)
{
    uint32_t x = UINT32_MAX;

    (void)d;
    if (offset + 4u <= sizeof(space))
        memcpy(&x, space + offset, 4);
    return x;
}

static unsigned caps;

uint16_t pci_find_capability(const struct pci_device *d, uint8_t id, unsigned n)
{
    (void)d;
    CHECK_EQ(id, 9);
    return n < caps ? (uint16_t)(0x40 + CAP_SIZE * n) : 0;
}

void *pci_map_bar(struct pci_device *d, unsigned bar, uint64_t offset,
                  uint64_t size)
{
    CHECK(bar < PCI_BARS && d->bar[bar].kind == PCI_BAR_MEMORY);
    CHECK(offset + size <= d->bar[bar].size && size);
    mapped++;
    return calloc(1, size);
}

void pci_unmap_bar(void *va)
{
    mapped--;
    free(va);
}

/* --- its neighbours --- */

int virtio_pci_irq_setup(struct virtio_pci *which, unsigned count)
{
    (void)which, (void)count;
    return 0;
}

void virtio_pci_irq_teardown(struct virtio_pci *which)
{
    (void)which;
}

void virtio_pci_isolate(struct virtio_device *v)
{
    (void)v;
}

uint16_t virtio_pci_queue_vector(const struct virtio_pci *which,
                                 const struct virtqueue *q)
{
    (void)which, (void)q;
    return VIRTIO_NO_VECTOR;
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    (void)level, (void)module, (void)fmt;
}

/* --- a device --- */

static void put_cap(unsigned n, uint8_t length, uint8_t type, uint8_t bar,
                    uint32_t offset, uint32_t size)
{
    uint8_t *c = space + 0x40 + CAP_SIZE * n;
    uint32_t multiplier = 4;

    c[2] = length;
    c[3] = type;
    c[4] = bar;
    memcpy(c + 8, &offset, 4);
    memcpy(c + 12, &size, 4);
    memcpy(c + 16, &multiplier, 4);
}

#define COMMON 0
#define ISR    1
#define DEVICE 2
#define NOTIFY 3

static void device(void)
{
    memset(space, 0, sizeof(space));
    memset(&p, 0, sizeof(p));
    memset(&pci, 0, sizeof(pci));
    p.pci = &pci;
    pci.bar[4] = (struct pci_bar){
        .kind = PCI_BAR_MEMORY, .usable = true, .base = 0x1000, .size = 0x4000};
    pci.bar[0] = (struct pci_bar){
        .kind = PCI_BAR_IO, .usable = true, .base = 0xc000, .size = 64};
    put_cap(COMMON, 16, 1, 4, 0, 0x38);
    put_cap(ISR, 16, 3, 4, 0x1000, 1);
    put_cap(DEVICE, 16, 4, 4, 0x2000, 10);
    put_cap(NOTIFY, 20, 2, 4, 0x3000, 8);
    caps = 4;
    mapped = 0;
}

TEST(a_device_with_right_capabilities_is_opened_and_closed)
{
    device();
    CHECK_EQ(virtio_pci_modern_open(&p), 0);
    CHECK_EQ(mapped, 4);
    CHECK_EQ(p.notify_multiplier, 4);
    virtio_pci_close(&p);
    CHECK_EQ(mapped, 0);
}

TEST(capabilities_that_lead_astray_are_not_followed)
{
    static const struct {
        uint8_t length, bar;
        uint32_t offset, size;
    } wrong[] = {
        {15, 4, 0, 0x38},          {16, 6, 0, 0x38},
        {16, 255, 0, 0x38},        {16, 0, 0, 0x38}, /* I/O ports */
        {16, 1, 0, 0x38},                            /* no BAR */
        {16, 4, 0x3fcc, 0x38},     {16, 4, 0x4000, 0x38},
        {16, 4, 0xffffffe0, 0x38}, {16, 4, 0, 0x37},
        {16, 4, 0, UINT32_MAX},    {16, 4, 2, 0x38},
        {16, 4, UINT32_MAX, 1},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        device();
        put_cap(COMMON, wrong[i].length, 1, wrong[i].bar, wrong[i].offset,
                wrong[i].size);
        if (virtio_pci_modern_open(&p) != -ENODEV || mapped)
            CHECK_FAIL("row %zu was believed", i);
        virtio_pci_close(&p);
    }
}

TEST(a_bar_that_the_firmware_left_unusable_is_not_used)
{
    device();
    pci.bar[4].usable = false;
    CHECK_EQ(virtio_pci_modern_open(&p), -ENODEV);
    CHECK_EQ(mapped, 0);
}

TEST(each_structure_is_needed_but_the_configuration)
{
    for (unsigned i = 0; i < 4; i++) {
        device();
        put_cap(i, 16, 99, 4, 0, 0x38);
        CHECK_EQ(virtio_pci_modern_open(&p), i == DEVICE ? 0 : -ENODEV);
        virtio_pci_close(&p);
        CHECK_EQ(mapped, 0);
    }
}

TEST(the_first_usable_capability_counts)
{
    device();
    put_cap(4, 16, 1, 4, 0x100, 0x38);
    put_cap(5, 16, 1, 4, 0x200, 0x38);
    caps = CAPS;
    CHECK_EQ(virtio_pci_modern_open(&p), 0);
    CHECK_EQ(mapped, 4);
    virtio_pci_close(&p);
}

TEST(the_configuration_ends_where_it_ends)
{
    uint8_t out[16];

    device();
    CHECK_EQ(virtio_pci_modern_open(&p), 0);
    for (uint32_t i = 0; i < 10; i++)
        ((volatile uint8_t *)p.config.at)[i] = (uint8_t)(i + 1);
    p.v.transport->config_read(&p.v, 0, out, 8);
    CHECK(memcmp(out, "\1\2\3\4\5\6\7\10", 8) == 0);
    p.v.transport->config_read(&p.v, 3, out, 7);
    CHECK(memcmp(out, "\4\5\6\7\10\11\12", 7) == 0);
    memset(out, 0xff, sizeof(out));
    p.v.transport->config_read(&p.v, 8, out, 4);
    CHECK(memcmp(out, "\0\0\0\0", 4) == 0);
    p.v.transport->config_read(&p.v, UINT32_MAX, out, 4);
    p.v.transport->config_write(&p.v, 8, out, 4);
    p.v.transport->config_write(&p.v, UINT32_MAX - 1, out, 4);
    virtio_pci_close(&p);
}

TEST(a_queue_whose_notify_address_lies_outside_is_refused)
{
    struct virtqueue q = {.size = 8};
    volatile uint16_t *offset;

    for (uint16_t i = 0; i < 3; i++) {
        device();
        CHECK_EQ(virtio_pci_modern_open(&p), 0);
        offset = (volatile uint16_t *)(p.common.at + 30);
        *offset = (uint16_t)(i == 2 ? 0xffff : i);
        CHECK_EQ(p.v.transport->queue_enable(&p.v, &q), i == 2 ? -EPROTO : 0);
        if (i < 2) {
            q.index = 7;
            p.v.transport->notify(&p.v, &q);
            CHECK_EQ(((volatile uint16_t *)p.notify.at)[2 * i], 7);
        }
        virtio_pci_close(&p);
    }
}

CHECK_MAIN
