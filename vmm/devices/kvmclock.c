/*
 * KVM's paravirtual clock. The structures live in the guest's memory and are
 * written through its bounds-checked handle; a guest that names memory which is
 * not there gets #GP when it does so, and no clock. vCPU's own thread.
 */
#include <string.h>

#include <arch/cpu.h>
#include <rayos/clock.h>
#include <rayos/rtc.h>

#include "vmm/devices/kvmclock.h"

#define KVM_SIGNATURE_B 0x4b4d564bu /* "KVMKVMKVM" */
#define KVM_SIGNATURE_C 0x564b4d56u
#define KVM_SIGNATURE_D 0x0000004du

#define FEATURE_CLOCK_OLD   (1u << 0)
#define FEATURE_NO_IO_DELAY (1u << 1)
#define FEATURE_CLOCK       (1u << 3)
#define FEATURE_PV_EOI      (1u << 6)
#define FEATURE_STABLE      (1u << 24) /* one clock for all vCPUs */

#define ENABLED     1u
#define FLAG_STABLE 1u /* in struct time_info */
#define EOI_OFFERED 1u

/* What lies in the guest's memory, little end first. */
struct time_info {
    uint32_t version; /* odd while it is being written */
    uint32_t pad;
    uint64_t tsc;
    uint64_t system_time; /* ns at that TSC */
    uint32_t mul;
    int8_t shift;
    uint8_t flags;
    uint8_t pad2[2];
};

struct wall_info {
    uint32_t version;
    uint32_t seconds;
    uint32_t ns;
};

_Static_assert(sizeof(struct time_info) == 32, "as the guest knows it");

unsigned kvmclock_cpuid(struct vm_cpuid out[2])
{
    out[0] = (struct vm_cpuid){
        .leaf = KVM_CPUID_SIGNATURE,
        .any_subleaf = true,
        .eax = KVM_CPUID_FEATURES,
        .ebx = KVM_SIGNATURE_B,
        .ecx = KVM_SIGNATURE_C,
        .edx = KVM_SIGNATURE_D,
    };
    out[1] = (struct vm_cpuid){
        .leaf = KVM_CPUID_FEATURES,
        .any_subleaf = true,
        .eax = FEATURE_CLOCK_OLD | FEATURE_NO_IO_DELAY | FEATURE_CLOCK |
               FEATURE_PV_EOI | FEATURE_STABLE,
    };
    return 2;
}

bool kvmclock_is_msr(uint32_t msr)
{
    return msr == MSR_KVM_SYSTEM_TIME || msr == MSR_KVM_SYSTEM_TIME_OLD ||
           msr == MSR_KVM_WALL_CLOCK || msr == MSR_KVM_WALL_CLOCK_OLD ||
           msr == MSR_KVM_PV_EOI;
}

void kvmclock_reset(struct kvmclock *k)
{
    memset(k, 0, sizeof(*k));
}

/* mul is kept in its upper half, so that it has 31 significant bits. */
void kvmclock_scale(uint64_t hz, uint32_t *mul, int8_t *shift)
{
    uint64_t ticks = hz, ns = NS_PER_SEC;
    int8_t s = 0;

    while (ticks > 2 * ns) {
        ticks >>= 1;
        s--;
    }
    while (ticks <= ns) {
        ticks <<= 1;
        s++;
    }
    /* ns/ticks is in [1/2, 1): ns << 32 fits in 62 bits. */
    *mul = (uint32_t)((ns << 32) / ticks);
    *shift = s;
}

void kvmclock_update(struct vcpu *v, struct kvmclock *k)
{
    gpa_t at = k->system_time & ~(uint64_t)ENABLED;
    uint64_t tsc = arch_tsc();
    struct time_info info = {
        .tsc = tsc + v->tsc_offset,
        .system_time = clock_from_tsc(tsc),
        .flags = FLAG_STABLE,
    };

    if (!(k->system_time & ENABLED))
        return;
    kvmclock_scale(clock_tsc_hz(), &info.mul, &info.shift);
    /* Odd, the rest, even: a reader on this vCPU cannot run meanwhile, but one
     * on another may look. */
    info.version = ++k->version;
    guest_write(v->vm->memory, at, &info.version, sizeof(info.version));
    __atomic_thread_fence(__ATOMIC_RELEASE);
    info.version = ++k->version;
    guest_write(v->vm->memory, at + 4, (uint8_t *)&info + 4, sizeof(info) - 4);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    guest_write(v->vm->memory, at, &info.version, sizeof(info.version));
}

/* The wall clock's reading when system time was 0. */
static bool write_wall(struct vcpu *v, gpa_t at)
{
    int64_t start = wall_clock_now() - (int64_t)clock_now();
    struct wall_info info = {.version = 2};

    if (start < 0)
        start = 0;
    info.seconds = (uint32_t)((uint64_t)start / NS_PER_SEC);
    info.ns = (uint32_t)((uint64_t)start % NS_PER_SEC);
    return !guest_write(v->vm->memory, at, &info, sizeof(info));
}

static bool is_there(struct vcpu *v, gpa_t at, size_t size)
{
    uint8_t probe[sizeof(struct time_info)];

    return !guest_read(v->vm->memory, at, probe, size);
}

static bool write_system_time(struct vcpu *v, struct kvmclock *k,
                              uint64_t value)
{
    if ((value & ENABLED) &&
        !is_there(v, value & ~(uint64_t)ENABLED, sizeof(struct time_info)))
        return false;
    k->system_time = value;
    kvmclock_update(v, k);
    return true;
}

static bool write_pv_eoi(struct vcpu *v, struct kvmclock *k, uint64_t value)
{
    /* Bit 1 is reserved; the word is aligned to 4. */
    if (value & 2 || ((value & ENABLED) &&
                      !is_there(v, value & ~(uint64_t)3, sizeof(uint32_t))))
        return false;
    k->pv_eoi = value;
    return true;
}

bool kvmclock_write_msr(struct vcpu *v, struct kvmclock *k, uint32_t msr,
                        uint64_t value)
{
    switch (msr) {
    case MSR_KVM_SYSTEM_TIME:
    case MSR_KVM_SYSTEM_TIME_OLD:
        return write_system_time(v, k, value);
    case MSR_KVM_WALL_CLOCK:
    case MSR_KVM_WALL_CLOCK_OLD:
        k->wall_clock = value;
        return write_wall(v, value);
    case MSR_KVM_PV_EOI:
        return write_pv_eoi(v, k, value);
    default:
        return false;
    }
}

bool kvmclock_read_msr(struct vcpu *v, struct kvmclock *k, uint32_t msr,
                       uint64_t *value)
{
    (void)v;
    switch (msr) {
    case MSR_KVM_SYSTEM_TIME:
    case MSR_KVM_SYSTEM_TIME_OLD:
        *value = k->system_time;
        return true;
    case MSR_KVM_WALL_CLOCK:
    case MSR_KVM_WALL_CLOCK_OLD:
        *value = k->wall_clock;
        return true;
    case MSR_KVM_PV_EOI:
        *value = k->pv_eoi;
        return true;
    default:
        return false;
    }
}

bool kvmclock_wants_eoi(const struct kvmclock *k)
{
    return k->pv_eoi & ENABLED;
}

bool kvmclock_offer_eoi(struct vcpu *v, struct kvmclock *k)
{
    uint32_t offer = EOI_OFFERED;

    return !guest_write(v->vm->memory, k->pv_eoi & ~(uint64_t)3, &offer,
                        sizeof(offer));
}

bool kvmclock_took_eoi(struct vcpu *v, struct kvmclock *k)
{
    gpa_t at = k->pv_eoi & ~(uint64_t)3;
    uint32_t word = EOI_OFFERED, none = 0;

    if (guest_read(v->vm->memory, at, &word, sizeof(word)))
        return false;
    guest_write(v->vm->memory, at, &none, sizeof(none));
    return !(word & EOI_OFFERED);
}
