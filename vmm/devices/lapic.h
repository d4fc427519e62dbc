/*
 * The local APIC of a vCPU (Intel SDM 3A chapter 11): xAPIC registers at
 * 0xfee00000, x2APIC registers as MSRs 0x800..0x83f, timer, IPIs.
 *
 * The registers are a page in the architectural layout, which is a CPU's
 * virtual-APIC page where it runs the APIC itself (vcpu.hardware_apic). They
 * belong to the vCPU's thread. Whoever else has an interrupt for it posts a bit
 * into `posted`, which the thread merges into IRR before it looks: no lock
 * anywhere.
 */
#ifndef VMM_DEVICES_LAPIC_H
#define VMM_DEVICES_LAPIC_H

#include <rayos/timer.h>
#include <rayos/types.h>

#include "vmm/devices/ioapic.h"

struct vcpu;

#define LAPIC_BASE UINT64_C(0xfee00000)
#define LAPIC_SIZE 0x1000

/* Register offsets, Intel SDM 3A table 11-1 */
enum lapic_register {
    LAPIC_ID = 0x20,
    LAPIC_VERSION = 0x30,
    LAPIC_TPR = 0x80,
    LAPIC_APR = 0x90,
    LAPIC_PPR = 0xa0,
    LAPIC_EOI = 0xb0,
    LAPIC_RRD = 0xc0,
    LAPIC_LDR = 0xd0,
    LAPIC_DFR = 0xe0,
    LAPIC_SVR = 0xf0,
    LAPIC_ISR = 0x100, /* 8 words of 32 vectors, 16 bytes apart */
    LAPIC_TMR = 0x180,
    LAPIC_IRR = 0x200,
    LAPIC_ESR = 0x280,
    LAPIC_LVT_CMCI = 0x2f0,
    LAPIC_ICR = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_THERMAL = 0x330,
    LAPIC_LVT_PERF = 0x340,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0,
    LAPIC_SELF_IPI = 0x3f0, /* x2APIC only */
};

#define MSR_APIC_BASE    0x1b
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC_FIRST 0x800
#define MSR_X2APIC_LAST  0x83f
#define APIC_BASE_BSP    (1u << 8)
#define APIC_BASE_X2APIC (1u << 10)
#define APIC_BASE_ENABLE (1u << 11)

#define LAPIC_VECTOR_WORDS 8
#define LAPIC_REGISTERS    64

struct lapic {
    struct vcpu *vcpu;
    uint8_t *page; /* registers, one frame */
    phys_t page_phys;
    /* What lapic_set has put where: a guest whose CPU runs the APIC writes into
     * the page before we see it. By offset / 16. */
    uint32_t set[LAPIC_REGISTERS];
    uint64_t base; /* MSR_APIC_BASE; its thread */
    uint32_t id;   /* constant */

    /* Interrupts from anywhere, and which of them are level triggered. */
    _Atomic uint32_t posted[LAPIC_VECTOR_WORDS];
    _Atomic uint32_t posted_level[LAPIC_VECTOR_WORDS];
    _Atomic bool any_posted;

    /* Timer. */
    struct timer timer;
    nstime_t timer_deadline; /* next expiry; TIME_NEVER: not running */
    nstime_t timer_period;   /* 0: one-shot */
    uint64_t tsc_deadline;   /* guest's value; 0: disarmed */
    uint64_t timer_fired;    /* counters for stats */

    uint32_t errors;  /* not yet latched into ESR */
    bool eoi_offered; /* the guest may end by a flag: see kvmclock.h */
    uint64_t eois, ipis;
};

/* -ENOMEM. The vCPU's index is its id. */
int lapic_create(struct vcpu *v, struct lapic **out);
void lapic_destroy(struct lapic *l);
/* Power-on and INIT (which keeps the id). Not while its thread is inside. */
void lapic_reset(struct lapic *l);
/* The VM pauses or stops: no timer runs on return. The same timers go on with
 * what they had left. */
void lapic_pause(struct lapic *l, bool paused);

/* --- from anywhere: any context but NMI --- */

/* Post a vector and kick the vCPU. A disabled APIC drops it. */
void lapic_post(struct lapic *l, uint8_t vector, bool level);
/* Would this destination reach it? */
bool lapic_matches(const struct lapic *l, uint32_t destination, bool logical);
/* NMI, INIT, SIPI and fixed ones. */
void lapic_deliver(struct lapic *l, const struct apic_message *m);
/* Does it pass the 8259's interrupts on (LINT0 as ExtINT, or APIC off)? */
bool lapic_passes_pic(const struct lapic *l);

/* --- its own thread --- */

/* The most urgent vector that may be delivered now, -1: none. */
int lapic_next(struct lapic *l);
/* From IRR to ISR. */
void lapic_accept(struct lapic *l, uint8_t vector);
void lapic_eoi(struct lapic *l) __asm__(
    "vmm_lapic_eoi"); /* the host's own has the plain name */
/* May the guest end the most urgent vector in service without our seeing it?
 * Not when the I/O APIC waits for that, nor another interrupt. */
bool lapic_ends_unseen(struct lapic *l);
void lapic_set_tpr(struct lapic *l, uint8_t tpr);
uint8_t lapic_get_tpr(const struct lapic *l);
/* Merge what was posted; true: there is something in IRR. */
bool lapic_sync(struct lapic *l);

/* Registers as the guest sees them. MMIO: offset from LAPIC_BASE. */
uint32_t lapic_read(struct lapic *l, uint32_t offset);
void lapic_write(struct lapic *l, uint32_t offset, uint32_t value);
/* MSR_APIC_BASE, MSR_TSC_DEADLINE and x2APIC registers. false: #GP. */
bool lapic_read_msr(struct lapic *l, uint32_t msr, uint64_t *value);
bool lapic_write_msr(struct lapic *l, uint32_t msr, uint64_t value);

/* --- its own thread, when the CPU runs the APIC: lapic_hardware.c --- */

/* The vector to deliver next and the one in service, 0: none (Intel SDM
 * 3C 24.4.2, RVI and SVI). What was posted is merged first. */
void lapic_guest_vectors(struct lapic *l, uint8_t *requested,
                         uint8_t *in_service);
/* Vectors 64 * i onwards whose end we must see (EOI-exit bitmap). */
uint64_t lapic_level_vectors(const struct lapic *l, unsigned i);
/* The guest wrote to that register of the page. */
void lapic_written(struct lapic *l, uint32_t offset);
/* It ended that one of lapic_level_vectors. */
void lapic_ended(struct lapic *l, uint8_t vector);

/* --- between lapic*.c --- */

/* The most urgent vector in LAPIC_ISR, LAPIC_TMR or LAPIC_IRR, -1: none. */
int lapic_highest(const struct lapic *l, enum lapic_register set);
bool lapic_software_enabled(const struct lapic *l);

static inline uint32_t lapic_get(const struct lapic *l, uint32_t offset)
{
    return __atomic_load_n((const uint32_t *)(const void *)(l->page + offset),
                           __ATOMIC_RELAXED);
}

static inline void lapic_set(struct lapic *l, uint32_t offset, uint32_t value)
{
    l->set[offset / 16] = value;
    __atomic_store_n((uint32_t *)(void *)(l->page + offset), value,
                     __ATOMIC_RELAXED);
}

static inline bool lapic_is_x2apic(const struct lapic *l)
{
    return l->base & APIC_BASE_X2APIC;
}

void lapic_timer_init(struct lapic *l);
void lapic_timer_stop(struct lapic *l);
void lapic_timer_set_initial(struct lapic *l, uint32_t count);
uint32_t lapic_timer_current(const struct lapic *l);
/* LVT or divide register changed. */
void lapic_timer_set_mode(struct lapic *l, uint32_t lvt);
void lapic_timer_set_divide(struct lapic *l, uint32_t value);
void lapic_timer_set_deadline(struct lapic *l, uint64_t guest_tsc);
/* Bits of ESR. */
#define LAPIC_ERROR_SEND_VECTOR    (1u << 5)
#define LAPIC_ERROR_RECEIVE_VECTOR (1u << 6)
#define LAPIC_ERROR_REGISTER       (1u << 7)
void lapic_error(struct lapic *l, uint32_t bits);
/* Send what the ICR says. */
void lapic_send(struct lapic *l, uint32_t low, uint32_t destination);
/* Post what an LVT entry says, unless it is masked. Any context but NMI. */
void lapic_local(struct lapic *l, enum lapic_register lvt);

#define LVT_MASKED      (1u << 16)
#define LVT_TIMER_SHIFT 17 /* mode: 0 one-shot, 1 periodic, 2 TSC deadline */
#define LVT_MODE_SHIFT  8

#endif
