/*
 * Page tables from guest-physical to host-physical addresses: four levels, in
 * the format of AMD (NPT, APM 2 15.25) or Intel (EPT, SDM 3C 28.3.2). Pure:
 * where tables come from and how they are reached is the caller's, so that host
 * tests run it with frames of their own.
 *
 * Changes may be made while CPUs walk the tables: each entry is written once,
 * whole. Who takes rights away flushes the TLBs afterwards. One writer at a
 * time.
 */
#ifndef VMM_NESTED_H
#define VMM_NESTED_H

#include "vmm/guest_memory.h"

/* Addresses that four levels translate. */
#define NESTED_LIMIT (UINT64_C(1) << 48)

struct nested_ops {
    /* A zeroed frame for a table, GPA_NONE when there is none. */
    phys_t (*alloc)(void);
    void (*free)(phys_t frame);
    uint64_t *(*table)(phys_t frame);
};

struct nested {
    const struct nested_ops *ops;
    enum nested_format format;
    uint64_t nx; /* NPT: the bit that forbids execution, 0: the CPU has none */
    phys_t root;
    size_t frames; /* tables, the top one included */
};

struct nested_entry {
    phys_t phys; /* of the address that was asked for */
    uint64_t size;
    unsigned rights;
};

/* -ENOMEM. */
int nested_init(struct nested *n, enum nested_format format, uint64_t nx,
                const struct nested_ops *ops);
/* Frees the tables, not what they map. Nobody walks them any more. */
void nested_destroy(struct nested *n);
/* Map [gpa, gpa + size) to phys onwards, all multiples of 4 KiB; what was there
 * is replaced. Rights without NESTED_READ: an access exits. -EINVAL, -ENOMEM (a
 * part may be mapped then). */
int nested_map(struct nested *n, gpa_t gpa, phys_t phys, uint64_t size,
               unsigned rights);
/* Change the rights of what is mapped in the range; holes stay. Without
 * NESTED_READ it is mapped no more. -EINVAL, -ENOMEM. */
int nested_protect(struct nested *n, gpa_t gpa, uint64_t size, unsigned rights);
/* false: not mapped. */
bool nested_lookup(const struct nested *n, gpa_t gpa, struct nested_entry *out);

#endif
