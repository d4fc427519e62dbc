/*
 * A guest's memory: the only way in. RAM is made of 2 MiB frames of ours
 * (4 KiB where a range does not fill one), mapped by nested page tables; what
 * is not RAM is a hole whose accesses exit.
 *
 * Everything here takes guest-physical addresses and lengths as a guest may
 * have written them: overflow and holes are refused, nothing is touched then.
 * Reads and writes may race with the guest's own, as with any DMA: copy once,
 * then check the copy. Any thread context; no lock is held after a call.
 */
#ifndef VMM_GUEST_MEMORY_H
#define VMM_GUEST_MEMORY_H

#include <rayos/types.h>

struct guest_memory;
struct account;

/* A guest-physical address, in bytes. */
typedef uint64_t gpa_t;

#define GPA_NONE UINT64_MAX
/* RAM ends here below 4 GiB; the rest continues at 4 GiB. Between lie the
 * devices: IOAPIC, HPET, LAPIC, virtio-mmio. */
#define GUEST_LOW_END UINT64_C(0xc0000000)
#define GUEST_HIGH    UINT64_C(0x100000000)
#define GUEST_RAM_MIN (UINT64_C(1) << 20)

/* `size` bytes of zeroed RAM, a multiple of 4 KiB. -ENOMEM, -EINVAL. Frames are
 * taken at once, so that a guest that runs never meets an empty host. */
int guest_memory_create(uint64_t size, struct guest_memory **out);
/* Returns every frame. Nobody runs on it any more. */
void guest_memory_destroy(struct guest_memory *m);
uint64_t guest_memory_size(const struct guest_memory *m);
/* One past the last byte of RAM. */
gpa_t guest_memory_end(const struct guest_memory *m);

/* i-th stretch of RAM, for e820 tables; false past the end. */
bool guest_memory_range(const struct guest_memory *m, size_t i, gpa_t *base,
                        uint64_t *size);

/* 0, or -EFAULT when any byte of it is not RAM (nothing is copied then). */
int guest_read(const struct guest_memory *m, gpa_t gpa, void *out, size_t n);
int guest_write(struct guest_memory *m, gpa_t gpa, const void *data, size_t n);
int guest_fill(struct guest_memory *m, gpa_t gpa, uint8_t byte, size_t n);

/*
 * Direct access, for copies without a buffer between: the longest stretch from
 * `gpa` that lies in one frame, `n` at most; its length goes to *got. NULL when
 * gpa is not RAM. The pointer is good while the memory lives; the bytes change
 * under the reader.
 */
void *guest_span(struct guest_memory *m, gpa_t gpa, size_t n, size_t *got);
/* The same as a host-physical address, for DMA of our own drivers. */
phys_t guest_phys(struct guest_memory *m, gpa_t gpa, size_t n, size_t *got);

/* Naturally aligned loads and stores with the given order, for rings. Bad
 * addresses: -EFAULT. */
int guest_load16(const struct guest_memory *m, gpa_t gpa, uint16_t *out);
int guest_store16(struct guest_memory *m, gpa_t gpa, uint16_t v);

/* --- nested page tables --- */

enum nested_format { NESTED_NPT, NESTED_EPT };

#define NESTED_READ  1u
#define NESTED_WRITE 2u
#define NESTED_EXEC  4u

/* Map all RAM, with 2 MiB entries where both sides are aligned. -ENOMEM. */
int guest_memory_map(struct guest_memory *m, enum nested_format format);
/* Physical address of the top table (4 levels). */
phys_t guest_memory_root(const struct guest_memory *m);
/* Change the rights of a range of RAM or, with `phys`, map other memory of the
 * host there (the local APIC's access page). The caller flushes TLBs. */
int guest_memory_protect(struct guest_memory *m, gpa_t gpa, uint64_t size,
                         unsigned rights);
int guest_memory_map_host(struct guest_memory *m, gpa_t gpa, phys_t phys,
                          uint64_t size, unsigned rights);
/* Frames that the tables take. */
size_t guest_memory_table_frames(const struct guest_memory *m);

#endif
