/* sources: drivers/pci/parse.c drivers/pci/capability.c */
/*
 * Configuration spaces as an array: what good devices say is understood, and
 * what bad ones say ends every walk and leaves nothing out of bounds.
 */
#include <errno.h>

#include "../../drivers/pci/pci_parse.h"
#include "check.h"

static uint8_t config[PCI_ECAM_SIZE];

static uint32_t config_read(const struct pci_space *s, uint16_t offset)
{
    uint32_t v;

    (void)s;
    CHECK_EQ(offset % 4, 0);
    CHECK(offset + 4u <= s->size);
    memcpy(&v, config + offset, 4);
    return v;
}

static const struct pci_space space = {.read = config_read, .size = 256};

static void put(unsigned at, uint32_t value, unsigned width)
{
    memcpy(config + at, &value, width);
}

static void start(void)
{
    memset(config, 0, sizeof(config));
    put(PCI_VENDOR, 0x1af4, 2);
    put(PCI_DEVICE, 0x1001, 2);
    put(PCI_STATUS, PCI_STATUS_CAPABILITIES, 2);
}

/* A capability at `at`, pointing to `next`. */
static void capability(unsigned at, uint8_t id, uint8_t next)
{
    config[at] = id;
    config[at + 1] = next;
}

TEST(a_header_is_understood)
{
    struct pci_device p = {0};

    start();
    put(PCI_REVISION, 0x01000007, 4);
    put(PCI_SUBSYSTEM, 0x00021af4, 4);
    put(PCI_HEADER_TYPE, 0x80, 1);
    put(PCI_IRQ_LINE, 0x010b, 2);
    CHECK_EQ(pci_parse_header(&space, &p), 0);
    CHECK_EQ(p.vendor, 0x1af4);
    CHECK_EQ(p.device, 0x1001);
    CHECK_EQ(p.class_code, 0x010000);
    CHECK_EQ(p.revision, 7);
    CHECK_EQ(p.subsystem_vendor, 0x1af4);
    CHECK_EQ(p.subsystem, 2);
    CHECK_EQ(p.header_type, 0);
    CHECK_EQ(p.irq_line, 11);
    CHECK_EQ(p.irq_pin, 1);
}

TEST(nobody_home_is_all_ones_or_all_zeros)
{
    struct pci_device p = {0};

    memset(config, 0xff, sizeof(config));
    CHECK_EQ(pci_parse_header(&space, &p), -ENODEV);
    memset(config, 0, sizeof(config));
    CHECK_EQ(pci_parse_header(&space, &p), -ENODEV);
    start();
    put(PCI_IRQ_PIN, 5, 1); /* there are four */
    CHECK_EQ(pci_parse_header(&space, &p), 0);
    CHECK_EQ(p.irq_pin, 0);
}

TEST(reads_outside_the_space_or_askew_are_all_ones)
{
    start();
    CHECK_EQ(pci_space_read(&space, 255, 1), 0);
    CHECK_EQ(pci_space_read(&space, 256, 1), 0xff);
    CHECK_EQ(pci_space_read(&space, 254, 4), 0xffffffff);
    CHECK_EQ(pci_space_read(&space, 2, 4), 0xffffffff);
    CHECK_EQ(pci_space_read(&space, 2, 2), 0x1001);
    CHECK_EQ(pci_space_read(&space, 3, 1), 0x10);
}

TEST(capabilities_are_found_in_their_order)
{
    start();
    put(PCI_CAPABILITIES, 0x43, 1); /* reserved bits are set */
    capability(0x40, 9, 0x80);
    capability(0x80, PCI_CAP_MSI, 0x60);
    capability(0x60, 9, 0);
    CHECK_EQ(pci_walk_capabilities(&space, 9, 0), 0x40);
    CHECK_EQ(pci_walk_capabilities(&space, 9, 1), 0x60);
    CHECK_EQ(pci_walk_capabilities(&space, 9, 2), 0);
    CHECK_EQ(pci_walk_capabilities(&space, PCI_CAP_MSI, 0), 0x80);
    put(PCI_STATUS, 0, 2); /* the device says it has none */
    CHECK_EQ(pci_walk_capabilities(&space, 9, 0), 0);
}

TEST(a_list_that_goes_in_circles_ends)
{
    start();
    put(PCI_CAPABILITIES, 0x40, 1);
    capability(0x40, 9, 0x44);
    capability(0x44, 9, 0x40);
    CHECK_EQ(pci_walk_capabilities(&space, 5, 0), 0);
    CHECK_EQ(pci_walk_capabilities(&space, 9, 1000), 0);
    capability(0x40, 9, 0x40); /* to itself */
    CHECK_EQ(pci_walk_capabilities(&space, 5, 0), 0);
}

TEST(a_list_that_leads_into_the_header_or_to_nobody_ends)
{
    start();
    put(PCI_CAPABILITIES, 0x10, 1);
    capability(0x10, 5, 0);
    CHECK_EQ(pci_walk_capabilities(&space, 5, 0), 0);
    put(PCI_CAPABILITIES, 0x40, 1);
    capability(0x40, 9, 0x3c);
    capability(0x3c, 5, 0);
    CHECK_EQ(pci_walk_capabilities(&space, 5, 0), 0);
    capability(0x40, 9, 0xfc);
    capability(0xfc, 0xff, 0xff);
    CHECK_EQ(pci_walk_capabilities(&space, 0xff, 0), 0);
}

static struct pci_bar bar(uint32_t value, uint32_t high, uint32_t mask,
                          uint32_t high_mask, unsigned taken)
{
    struct pci_bar b;

    CHECK_EQ(pci_parse_bar(value, high, mask, high_mask, true, &b), taken);
    return b;
}

TEST(bars_of_all_kinds_are_understood)
{
    struct pci_bar b = bar(0xfebf1000, 0, 0xfffff000, 0, 1);

    CHECK_EQ(b.kind, PCI_BAR_MEMORY);
    CHECK_EQ(b.base, 0xfebf1000);
    CHECK_EQ(b.size, 0x1000);
    CHECK(!b.wide);
    b = bar(0x0000000c, 0x8, 0xffffc00c, 0xffffffff, 2);
    CHECK(b.wide && b.prefetchable);
    CHECK_EQ(b.base, INT64_C(0x800000000));
    CHECK_EQ(b.size, 0x4000);
    b = bar(0x0000000c, 0x8, 0x0000000c, 0xfffffff0, 2); /* 64 GiB */
    CHECK_EQ(b.size, INT64_C(0x1000000000));
    b = bar(0xc041, 0, 0xffffffc1, 0, 1);
    CHECK_EQ(b.kind, PCI_BAR_IO);
    CHECK_EQ(b.base, 0xc040);
    CHECK_EQ(b.size, 0x40);
    b = bar(0xc041, 0, 0x0000ffc1, 0, 1); /* without the upper half */
    CHECK_EQ(b.size, 0x40);
    b = bar(0xfebf1001, 0, 0xffffffc1, 0, 1); /* ports that no CPU reaches */
    CHECK_EQ(b.base, 0);
}

TEST(what_is_no_bar_is_none)
{
    struct pci_bar b;

    CHECK_EQ(bar(0, 0, 0, 0, 1).kind, PCI_BAR_NONE);
    CHECK_EQ(bar(0, 0, 0xffffffff, 0, 1).kind, PCI_BAR_NONE);
    CHECK_EQ(bar(0, 0, 0xff0ff000, 0, 1).kind, PCI_BAR_NONE); /* holes */
    CHECK_EQ(bar(4, 0, 0x00000004, 0, 2).kind, PCI_BAR_NONE);
    CHECK_EQ(bar(4, 0, 0xfffff004, 0, 2).kind, PCI_BAR_NONE);
    /* The last one cannot be wide: it is as wide as it can be. */
    CHECK_EQ(pci_parse_bar(4, 0, 0xfffff004, 0, false, &b), 1);
    CHECK(!b.wide);
    CHECK_EQ(b.size, 0x1000);
}

TEST(headers_have_as_many_bars_as_they_have)
{
    CHECK_EQ(pci_bar_count(0), 6);
    CHECK_EQ(pci_bar_count(1), 2);
    CHECK_EQ(pci_bar_count(2), 0);
    CHECK_EQ(pci_bar_count(0x7f), 0);
}

TEST(msi_says_its_width_and_its_masks)
{
    struct pci_msi msi;

    start();
    CHECK_EQ(pci_parse_msi(&space, &msi), -ENODEV);
    put(PCI_CAPABILITIES, 0x40, 1);
    capability(0x40, PCI_CAP_MSI, 0);
    put(0x42, 0x0180, 2);
    CHECK_EQ(pci_parse_msi(&space, &msi), 0);
    CHECK_EQ(msi.capability, 0x40);
    CHECK(msi.wide && msi.maskable);
    put(PCI_CAPABILITIES, 0xf4, 1); /* sticks out */
    capability(0xf4, PCI_CAP_MSI, 0);
    put(0xf6, 0x0080, 2);
    CHECK_EQ(pci_parse_msi(&space, &msi), -EINVAL);
    put(0xf6, 0, 2);
    CHECK_EQ(pci_parse_msi(&space, &msi), 0);
}

TEST(an_msix_table_must_lie_inside_a_memory_bar)
{
    struct pci_bar bars[PCI_BARS] = {
        [1] = {.kind = PCI_BAR_MEMORY, .base = 0x1000, .size = 0x1000},
        [2] = {.kind = PCI_BAR_IO, .base = 0x1000, .size = 0x1000},
    };
    struct pci_msix msix;

    start();
    put(PCI_CAPABILITIES, 0x98, 1);
    capability(0x98, PCI_CAP_MSIX, 0);
    put(0x9a, 2, 2); /* three vectors */
    put(0x9c, 1 | 0x800, 4);
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), 0);
    CHECK_EQ(msix.vectors, 3);
    CHECK_EQ(msix.bar, 1);
    CHECK_EQ(msix.offset, 0x800);
    put(0x9c, 1 | 0xfd0, 4); /* the last entry ends with the BAR */
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), 0);
    put(0x9c, 1 | 0xfd8, 4);
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), -EINVAL);
    put(0x9c, 1 | 0x1000, 4);
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), -EINVAL);
    put(0x9c, 1 | 0xfffffff8, 4);
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), -EINVAL);
    put(0x9c, 2, 4); /* ports */
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), -EINVAL);
    put(0x9c, 0, 4); /* no BAR */
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), -EINVAL);
    put(0x9c, 7, 4);
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), -EINVAL);
    put(0x9c, 1, 4);
    put(0x9a, 0x7ff, 2); /* 2,048 entries are 32 KiB */
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), -EINVAL);
    put(PCI_CAPABILITIES, 0xf8, 1); /* sticks out of the space */
    capability(0xf8, PCI_CAP_MSIX, 0);
    CHECK_EQ(pci_parse_msix(&space, bars, &msix), -EINVAL);
}

CHECK_MAIN
