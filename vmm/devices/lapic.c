/*
 * The local APIC's heart: posting, priorities, acceptance and end of interrupt.
 * Posting happens in any context but NMI; all else on the vCPU's own thread.
 */
#include <errno.h>
#include <string.h>

#include <rayos/mm.h>

#include "vmm/devices/irqchip.h"
#include "vmm/devices/lapic.h"
#include "vmm/vcpu.h"

#define ID_SHIFT      24
#define BROADCAST     0xffu
#define SVR_ENABLE    (1u << 8)
#define SVR_RESET     0xffu
#define DFR_FLAT      UINT32_MAX
#define DFR_SHIFT     28
#define CLUSTER_SHIFT 4
#define VECTOR_MIN    16

/* Version 0x14, highest LVT entry 5, in bits 23..16 (Intel SDM 3A 11.4.8) */
#define VERSION_VALUE (0x14u | 5u << 16)

/* --- vector sets: 256 bits in 8 words 16 bytes apart --- */

static uint32_t word_offset(enum lapic_register set, unsigned word)
{
    return (uint32_t)set + word * 16;
}

static void set_bit(struct lapic *l, enum lapic_register set, uint8_t vector,
                    bool on)
{
    uint32_t at = word_offset(set, vector / 32), bit = 1u << vector % 32;
    uint32_t word = lapic_get(l, at);

    lapic_set(l, at, on ? word | bit : word & ~bit);
}

static bool test_bit(const struct lapic *l, enum lapic_register set,
                     uint8_t vector)
{
    return lapic_get(l, word_offset(set, vector / 32)) & 1u << vector % 32;
}

int lapic_highest(const struct lapic *l, enum lapic_register set)
{
    for (int word = LAPIC_VECTOR_WORDS - 1; word >= 0; word--) {
        uint32_t bits = lapic_get(l, word_offset(set, (unsigned)word));

        if (bits)
            return word * 32 + 31 - __builtin_clz(bits);
    }
    return -1;
}

/* --- from anywhere --- */

bool lapic_software_enabled(const struct lapic *l)
{
    return (l->base & APIC_BASE_ENABLE) &&
           (lapic_get(l, LAPIC_SVR) & SVR_ENABLE);
}

void lapic_post(struct lapic *l, uint8_t vector, bool level)
{
    unsigned word = vector / 32;
    uint32_t bit = 1u << vector % 32;

    if (!lapic_software_enabled(l))
        return;
    if (level)
        __atomic_fetch_or((uint32_t *)&l->posted_level[word], bit,
                          __ATOMIC_RELAXED);
    else
        __atomic_fetch_and((uint32_t *)&l->posted_level[word], ~bit,
                           __ATOMIC_RELAXED);
    /* The flag is set after the bit, and the reader clears it before it takes
     * the bits: none is overlooked. */
    __atomic_fetch_or((uint32_t *)&l->posted[word], bit, __ATOMIC_RELEASE);
    __atomic_store_n((bool *)&l->any_posted, true, __ATOMIC_SEQ_CST);
    vcpu_kick(l->vcpu, VCPU_REQ_INTERRUPT);
}

/* Intel SDM 3A 11.6.2.2: flat, cluster, and 11.12.10.2 for x2APIC. */
static bool matches_logical(const struct lapic *l, uint32_t destination)
{
    uint32_t ldr = lapic_get(l, LAPIC_LDR);

    if (lapic_is_x2apic(l))
        return ldr >> 16 == destination >> 16 &&
               (ldr & destination & UINT16_MAX);
    ldr >>= ID_SHIFT;
    if (lapic_get(l, LAPIC_DFR) >> DFR_SHIFT == DFR_FLAT >> DFR_SHIFT)
        return ldr & destination;
    return ldr >> CLUSTER_SHIFT == (destination & BROADCAST) >> CLUSTER_SHIFT &&
           (ldr & destination & 0xf);
}

bool lapic_matches(const struct lapic *l, uint32_t destination, bool logical)
{
    bool x2apic = lapic_is_x2apic(l);

    if (destination == (x2apic ? UINT32_MAX : BROADCAST))
        return true;
    /* What the I/O APIC sends has eight bits. */
    if (x2apic && destination == BROADCAST && !logical)
        return true;
    return logical ? matches_logical(l, destination) : destination == l->id;
}

void lapic_deliver(struct lapic *l, const struct apic_message *m)
{
    switch (m->mode) {
    case APIC_FIXED:
    case APIC_LOWEST:
        if (m->vector < VECTOR_MIN)
            lapic_error(l, LAPIC_ERROR_RECEIVE_VECTOR);
        else
            lapic_post(l, m->vector, m->level);
        break;
    case APIC_NMI:
        vcpu_kick(l->vcpu, VCPU_REQ_NMI);
        break;
    case APIC_INIT:
        vcpu_kick(l->vcpu, VCPU_REQ_INIT);
        break;
    case APIC_STARTUP:
        __atomic_store_n((uint8_t *)&l->vcpu->sipi_vector, m->vector,
                         __ATOMIC_RELEASE);
        vcpu_kick(l->vcpu, VCPU_REQ_SIPI);
        break;
    case APIC_EXTINT: /* has no vector of its own: the PIC's output tells */
    case APIC_SMI:    /* there is no system management mode */
        break;
    }
}

bool lapic_passes_pic(const struct lapic *l)
{
    uint32_t lint0 = lapic_get(l, LAPIC_LVT_LINT0);

    if (!(l->base & APIC_BASE_ENABLE))
        return true;
    return !(lint0 & LVT_MASKED) &&
           (lint0 >> LVT_MODE_SHIFT & 7) == APIC_EXTINT;
}

void lapic_local(struct lapic *l, enum lapic_register lvt)
{
    uint32_t entry = lapic_get(l, lvt);

    if (entry & LVT_MASKED)
        return;
    if ((entry >> LVT_MODE_SHIFT & 7) == APIC_NMI)
        vcpu_kick(l->vcpu, VCPU_REQ_NMI);
    else if ((entry & 0xff) >= VECTOR_MIN)
        lapic_post(l, (uint8_t)entry, false);
}

/* --- its own thread --- */

bool lapic_sync(struct lapic *l)
{
    if (__atomic_load_n((bool *)&l->any_posted, __ATOMIC_RELAXED) &&
        __atomic_exchange_n((bool *)&l->any_posted, false, __ATOMIC_SEQ_CST)) {
        for (unsigned word = 0; word < LAPIC_VECTOR_WORDS; word++) {
            uint32_t irr = word_offset(LAPIC_IRR, word);
            uint32_t tmr = word_offset(LAPIC_TMR, word);
            uint32_t bits = __atomic_exchange_n((uint32_t *)&l->posted[word], 0,
                                                __ATOMIC_ACQUIRE);
            uint32_t level = __atomic_load_n((uint32_t *)&l->posted_level[word],
                                             __ATOMIC_RELAXED);

            if (!bits)
                continue;
            lapic_set(l, irr, lapic_get(l, irr) | bits);
            lapic_set(l, tmr, (lapic_get(l, tmr) & ~bits) | (level & bits));
        }
    }
    return lapic_highest(l, LAPIC_IRR) >= 0;
}

/* The processor's priority: the task's, or that of what is in service. */
static void update_ppr(struct lapic *l)
{
    uint32_t tpr = lapic_get(l, LAPIC_TPR);
    int isr = lapic_highest(l, LAPIC_ISR);
    uint32_t class = isr < 0 ? 0 : (uint32_t)isr & 0xf0;

    lapic_set(l, LAPIC_PPR, (tpr & 0xf0) >= class ? tpr : class);
}

int lapic_next(struct lapic *l)
{
    if (!lapic_software_enabled(l) || !lapic_sync(l))
        return -1;
    int vector = lapic_highest(l, LAPIC_IRR);

    return vector >> 4 > (int)(lapic_get(l, LAPIC_PPR) >> 4) ? vector : -1;
}

void lapic_accept(struct lapic *l, uint8_t vector)
{
    set_bit(l, LAPIC_IRR, vector, false);
    set_bit(l, LAPIC_ISR, vector, true);
    update_ppr(l);
}

void lapic_eoi(struct lapic *l)
{
    int vector = lapic_highest(l, LAPIC_ISR);

    l->eois++;
    if (vector < 0)
        return;
    set_bit(l, LAPIC_ISR, (uint8_t)vector, false);
    update_ppr(l);
    if (test_bit(l, LAPIC_TMR, (uint8_t)vector))
        irqchip_eoi(l->vcpu->vm, (uint8_t)vector);
}

bool lapic_ends_unseen(struct lapic *l)
{
    int vector = lapic_highest(l, LAPIC_ISR);

    return vector >= 0 && !test_bit(l, LAPIC_TMR, (uint8_t)vector) &&
           !lapic_sync(l);
}

void lapic_set_tpr(struct lapic *l, uint8_t tpr)
{
    lapic_set(l, LAPIC_TPR, tpr);
    update_ppr(l);
}

uint8_t lapic_get_tpr(const struct lapic *l)
{
    return (uint8_t)lapic_get(l, LAPIC_TPR);
}

void lapic_error(struct lapic *l, uint32_t bits)
{
    uint32_t before = __atomic_fetch_or(&l->errors, bits, __ATOMIC_RELAXED);

    if (!(before & bits))
        lapic_local(l, LAPIC_LVT_ERROR);
}

/* --- birth and reset --- */

static const enum lapic_register local_entries[] = {
    LAPIC_LVT_CMCI,  LAPIC_LVT_TIMER, LAPIC_LVT_THERMAL, LAPIC_LVT_PERF,
    LAPIC_LVT_LINT0, LAPIC_LVT_LINT1, LAPIC_LVT_ERROR};

/* Intel SDM 3A 11.4.7.1. The boot processor starts as firmware leaves it: the
 * 8259s come through LINT0, for there is no firmware to say so. */
void lapic_reset(struct lapic *l)
{
    bool bsp = l->id == 0;

    lapic_timer_stop(l);
    memset(l->page, 0, LAPIC_SIZE);
    memset(l->set, 0, sizeof(l->set));
    for (unsigned i = 0; i < LAPIC_VECTOR_WORDS; i++)
        __atomic_store_n((uint32_t *)&l->posted[i], 0, __ATOMIC_RELAXED);
    __atomic_store_n((bool *)&l->any_posted, false, __ATOMIC_RELAXED);
    l->eoi_offered = false;
    l->base = LAPIC_BASE | APIC_BASE_ENABLE | (bsp ? APIC_BASE_BSP : 0);
    lapic_set(l, LAPIC_ID, l->id << ID_SHIFT);
    lapic_set(l, LAPIC_VERSION, VERSION_VALUE);
    lapic_set(l, LAPIC_DFR, DFR_FLAT);
    lapic_set(l, LAPIC_SVR, SVR_RESET);
    for (unsigned i = 0; i < sizeof(local_entries) / sizeof(*local_entries);
         i++)
        lapic_set(l, local_entries[i], LVT_MASKED);
    if (bsp)
        lapic_set(l, LAPIC_LVT_LINT0, (uint32_t)APIC_EXTINT << LVT_MODE_SHIFT);
    __atomic_store_n(&l->errors, 0, __ATOMIC_RELAXED);
}

int lapic_create(struct vcpu *v, struct lapic **out)
{
    struct lapic *l = kzalloc(sizeof(*l));

    if (!l)
        return -ENOMEM;
    l->page_phys = frame_alloc(0, FRAME_ZERO);
    if (l->page_phys == FRAME_NONE) {
        kfree(l);
        return -ENOMEM;
    }
    l->page = phys_to_virt(l->page_phys);
    l->vcpu = v;
    l->id = v->index;
    lapic_timer_init(l);
    lapic_reset(l);
    *out = l;
    return 0;
}

void lapic_destroy(struct lapic *l)
{
    lapic_timer_stop(l);
    frame_free(l->page_phys, 0);
    kfree(l);
}
