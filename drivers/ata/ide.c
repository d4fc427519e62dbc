/*
 * PCI IDE controllers (PCI IDE Controller Specification 1.0; Intel's PIIX and
 * those that are like it) with both channels at the places of the PC/AT. Disks
 * are hda to hdd, by place. Thread context.
 */
#include <errno.h>
#include <string.h>

#include <rayos/fmt.h>
#include <rayos/log.h>
#include <rayos/mm.h>
#include <rayos/pci.h>

#include "ata.h"

#define CLASS_IDE      0x010100
#define CLASS_MASK     0xffff00
#define NATIVE(n)      (1u << 2 * (n)) /* the channel's places are BARs */
#define CAN_MASTER     0x80u
#define MASTER_BAR     4
#define MASTER_CHANNEL 8 /* ports of one */
#define CHANNELS       2

struct ide {
    struct ata_channel channel[CHANNELS];
    bool started[CHANNELS];
};

static const struct {
    const char *name;
    uint16_t command, control;
    uint32_t line;
} places[CHANNELS] = {
    {"ide0", 0x1f0, 0x3f6, 14},
    {"ide1", 0x170, 0x376, 15},
};

static struct ata_drive *drive_make(struct ata_channel *c, unsigned index,
                                    unsigned place,
                                    const struct ata_identity *id)
{
    struct ata_drive *d = kzalloc(sizeof(*d));

    if (!d)
        return NULL;
    d->channel = c;
    d->index = index;
    d->lba48 = id->lba48;
    d->block = (struct block_device){
        .ops = &ata_block_ops,
        .driver = d,
        .sectors = id->sectors,
        .logical_sector = BLOCK_SECTOR,
        .physical_sector = BLOCK_SECTOR,
        .max_segments = UINT32_MAX, /* they are copied */
        .max_sectors = ATA_MAX_SECTORS,
        .can_flush = id->can_flush,
    };
    fmt_snprintf(d->block.name, sizeof(d->block.name), "hd%c",
                 (char)('a' + place));
    memcpy(d->block.serial, id->serial, sizeof(id->serial));
    return d;
}

/* How many drives it has. */
static unsigned find_drives(struct ata_channel *c, unsigned channel)
{
    unsigned found = 0;

    for (unsigned i = 0; i < 2; i++) {
        struct ata_identity id;
        int err = ata_channel_identify(c, i, &id);

        if (err == -ENOTSUP)
            log_info("ide", "%s, drive %u: no disk that can be used", c->name,
                     i);
        if (err)
            continue;
        c->drive[i] = drive_make(c, i, 2 * channel + i, &id);
        found += c->drive[i] != NULL;
    }
    return found;
}

static void register_drives(struct ata_channel *c)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ata_drive *d = c->drive[i];
        int err = d ? block_register(&d->block) : 0;

        if (err) {
            log_warn("ide", "%s is left out: error %d", d->block.name, -err);
            c->drive[i] = NULL;
            kfree(d);
        }
    }
}

/* -ENODEV: nothing is there. */
static int start_channel(struct ide *ide, unsigned n, uint16_t master)
{
    struct ata_channel *c = &ide->channel[n];
    int err;

    c->name = places[n].name;
    c->command = places[n].command;
    c->control = places[n].control;
    c->line = places[n].line;
    c->master = (uint16_t)(master + n * MASTER_CHANNEL);
    err = ata_channel_init(c);
    if (err)
        return err;
    err = find_drives(c, n) ? ata_channel_start(c) : -ENODEV;
    if (err) {
        ata_channel_stop(c);
        for (unsigned i = 0; i < 2; i++)
            kfree(c->drive[i]);
        return err;
    }
    ide->started[n] = true;
    register_drives(c);
    return 0;
}

static int ide_probe(struct device *dev)
{
    struct pci_device *p = pci_device_of(dev);
    const struct pci_bar *bar = &p->bar[MASTER_BAR];
    struct ide *ide;
    int err = -ENODEV;

    if (!(p->class_code & CAN_MASTER) || bar->kind != PCI_BAR_IO ||
        !bar->usable || bar->base > UINT16_MAX)
        return -ENODEV;
    ide = kzalloc(sizeof(*ide));
    if (!ide)
        return -ENOMEM;
    pci_enable(p, PCI_ENABLE_IO | PCI_ENABLE_MASTER);
    for (unsigned n = 0; n < CHANNELS; n++) {
        int e = p->class_code & NATIVE(n)
                    ? -ENODEV
                    : start_channel(ide, n, (uint16_t)bar->base);

        if (e && e != -ENODEV)
            log_warn("ide", "%s cannot be used: error %d", places[n].name, -e);
        err = err == -ENODEV || !e ? e : err;
    }
    if (ide->started[0] || ide->started[1]) {
        dev->driver_data = ide;
        return 0;
    }
    kfree(ide);
    return err;
}

static void ide_remove(struct device *dev)
{
    struct ide *ide = dev->driver_data;

    for (unsigned n = 0; n < CHANNELS; n++) {
        struct ata_channel *c = &ide->channel[n];

        for (unsigned i = 0; i < 2 && ide->started[n]; i++)
            if (c->drive[i])
                block_unregister(&c->drive[i]->block);
        if (ide->started[n])
            ata_channel_stop(c);
    }
    kfree(ide);
}

static void ide_describe(const struct device *dev, struct device_report *r)
{
    const struct ide *ide = dev->driver_data;

    for (unsigned n = 0; n < CHANNELS; n++)
        for (unsigned i = 0; i < 2; i++)
            if (ide->channel[n].drive[i])
                device_report_text(r, ide->channel[n].drive[i]->block.name,
                                   ide->channel[n].drive[i]->block.serial);
}

static const struct pci_id ide_ids[] = {
    {PCI_ANY, PCI_ANY, CLASS_IDE, CLASS_MASK}, {0}};

DRIVER(ide, .bus = &pci_bus, .ids = ide_ids, .probe = ide_probe,
       .remove = ide_remove, .describe = ide_describe);
