/*
 * The guest's own page tables, walked as its CPU would: for instruction bytes,
 * string I/O and emulated accesses. The vCPU's thread, or while it is not
 * running.
 */
#ifndef VMM_WALK_H
#define VMM_WALK_H

#include "vmm/vcpu.h"

#define WALK_WRITE 1u
#define WALK_USER  2u /* as CPL 3 */
#define WALK_FETCH 4u
#define WALK_PEEK  8u /* for dumps: no rights are checked, no bit is set */

struct guest_fault {
    uint8_t vector;
    uint32_t error;
    uint64_t address; /* for CR2 */
};

/* The access rights of the guest's current privilege level. */
unsigned walk_access(const struct vcpu_state *s, bool write);
/* 0; -EFAULT: `fault` is what the guest would get; -EIO: its page tables lie
 * outside of its RAM. */
int walk_translate(struct vcpu *v, const struct vcpu_state *s, uint64_t va,
                   unsigned access, gpa_t *gpa, struct guest_fault *fault);
/* Copy across pages; errors as above, -EIO too when it is not RAM. What comes
 * before the error may have been copied. */
int walk_read(struct vcpu *v, const struct vcpu_state *s, uint64_t va,
              void *out, size_t n, unsigned access, struct guest_fault *fault);
int walk_write(struct vcpu *v, const struct vcpu_state *s, uint64_t va,
               const void *data, size_t n, unsigned access,
               struct guest_fault *fault);
/* Up to `max` instruction bytes at RIP; how many could be read. */
size_t walk_fetch(struct vcpu *v, const struct vcpu_state *s, uint8_t *bytes,
                  size_t max);
/* PAE's four top entries, which a CPU with EPT reads when paging is switched on
 * or changed, and keeps (Intel SDM 3A 4.4.1). false: another paging mode, or
 * they are not in RAM. */
#define WALK_PDPTES 4
bool walk_pdptes_read(struct vcpu *v, const struct vcpu_state *s,
                      uint64_t entries[WALK_PDPTES]);
/* No present one has a reserved bit. */
bool walk_pdptes_valid(const uint64_t entries[WALK_PDPTES]);
/* The guest gets what an access failed with. */
void walk_deliver_fault(struct vcpu *v, const struct guest_fault *fault);

#endif
