/*
 * ATA disks (ATA/ATAPI-7, "ATA n" below) behind a PCI IDE controller with bus
 * mastering ("Programming Interface for Bus Master IDE Controller" 1.0). One
 * command at a time on a channel, whichever of its two drives it is for.
 */
#ifndef DRIVERS_ATA_H
#define DRIVERS_ATA_H

#include <rayos/block.h>
#include <rayos/types.h>

/* --- identify.c, pure --- */

#define ATA_IDENTIFY_WORDS 256

struct ata_identity {
    uint64_t sectors;
    bool lba48, can_flush;
    char serial[21];
};

/* What IDENTIFY DEVICE answers (ATA 6.17). -ENOTSUP: no disk that can be used
 * by DMA and LBA in sectors of 512 bytes. */
int ata_identify_parse(const uint16_t words[ATA_IDENTIFY_WORDS],
                       struct ata_identity *out);

/* --- channel.c --- */

/* Sectors of one command; the buffer is the channel's own, below 4 GiB, so that
 * the controller is never told of any other memory. */
#define ATA_MAX_SECTORS  256
#define ATA_BUFFER_ORDER 5

struct ata_drive;

struct ata_channel {
    const char *name;
    uint16_t command, control, master; /* ports */
    uint32_t line;                     /* of the ISA bus */
    int vector;
    struct spinlock lock;       /* taken after a block device's */
    struct ata_drive *drive[2]; /* set before the first command */
    struct ata_drive *current;  /* lock: whose command is under way */
    bool stopped;               /* lock: no command is begun */
    phys_t buffer, table;
    uint64_t strays; /* lock: interrupts without a command */
};

struct ata_drive {
    struct block_device block;
    struct ata_channel *channel;
    unsigned index; /* 0: master, 1: slave */
    bool lba48;
    struct block_request *request; /* lock of the channel; NULL: idle */
};

/* Ports and name are set; gets memory. -ENOMEM. */
int ata_channel_init(struct ata_channel *c);
/* Interrupts, once the drives are known. */
int ata_channel_start(struct ata_channel *c);
/* On return it works on no memory, and has no memory and no interrupt. */
void ata_channel_stop(struct ata_channel *c);
/* Polling, before ata_channel_start. -ENODEV: there is nothing; -ENOTSUP. */
int ata_channel_identify(struct ata_channel *c, unsigned index,
                         struct ata_identity *out);
extern const struct block_ops ata_block_ops;

#endif
