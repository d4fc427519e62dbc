/*
 * A virtual CPU: its registers, its exits, and the interface that both vendors'
 * back ends implement. One kernel thread runs a vCPU and never leaves the CPU
 * it was given to, so a VMCS never moves.
 *
 * That thread's own x87/SSE/AVX registers *are* the guest's: the scheduler
 * saves and restores them with the thread, and nothing that the thread executes
 * between two entries touches them (vmm/ is compiled for general registers;
 * lint checks it). Only XCR0 is switched around an entry.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <rayos/spinlock.h>
#include <rayos/types.h>
#include <rayos/waitq.h>

#include <rayos/timer.h>

#include "vmm/guest_memory.h"
#include "vmm/inject.h"

struct vm;
struct vm_region;
struct vcpu;
struct kvmclock;
struct lapic;
struct thread;

/* --- registers --- */

enum gpr {
    GPR_RAX,
    GPR_RCX,
    GPR_RDX,
    GPR_RBX,
    GPR_RSP,
    GPR_RBP,
    GPR_RSI,
    GPR_RDI,
    GPR_R8,
    GPR_R9,
    GPR_R10,
    GPR_R11,
    GPR_R12,
    GPR_R13,
    GPR_R14,
    GPR_R15,
    GPR_COUNT
};

/* Intel SDM 3A 3.4.5; attributes as in bytes 5 and 6 of a descriptor: type and
 * S in 0..4, DPL 5..6, P 7, AVL 8, L 9, D/B 10, G 11; bit 12: unusable. */
struct segment {
    uint16_t selector;
    uint16_t attributes;
    uint32_t limit; /* bytes */
    uint64_t base;
};

#define SEGMENT_PRESENT  (1u << 7)
#define SEGMENT_LONG     (1u << 9)
#define SEGMENT_BIG      (1u << 10)
#define SEGMENT_UNUSABLE (1u << 12)

enum segment_register {
    SEGMENT_ES,
    SEGMENT_CS,
    SEGMENT_SS,
    SEGMENT_DS,
    SEGMENT_FS,
    SEGMENT_GS,
    SEGMENT_LDTR,
    SEGMENT_TR,
    SEGMENT_COUNT
};

struct table_register {
    uint64_t base;
    uint16_t limit;
};

/*
 * All that an entry loads and an exit saves. gpr, rip and rflags are exchanged
 * at every entry and exit; the rest is read and written by the back end's
 * get_state and set_state.
 */
struct vcpu_registers {
    uint64_t gpr[GPR_COUNT];
    uint64_t rip, rflags;
};

struct vcpu_state {
    struct segment segment[SEGMENT_COUNT];
    struct table_register gdtr, idtr;
    uint64_t cr0, cr2, cr3, cr4, efer; /* as the guest sees them */
    uint64_t dr6, dr7;
    uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip, pat;
};

/* --- what came out --- */

enum exit_reason {
    EXIT_HOST, /* an interrupt or NMI of ours: handled already */
    EXIT_CPUID,
    EXIT_HLT,
    EXIT_IO,
    EXIT_RDMSR,
    EXIT_WRMSR,
    EXIT_MEMORY,     /* no nested translation, or not with these rights */
    EXIT_EXCEPTION,  /* an intercepted one: #DB, #AC, #UD, #MC */
    EXIT_IRQ_WINDOW, /* the guest takes interrupts now */
    EXIT_NMI_WINDOW,
    EXIT_CR, /* a move to or from a control register */
    EXIT_DR,
    EXIT_XSETBV,
    EXIT_RDTSC,
    EXIT_INVLPG,
    EXIT_CACHE, /* INVD, WBINVD */
    EXIT_PAUSE,
    EXIT_MWAIT,          /* MONITOR, MWAIT */
    EXIT_HYPERCALL,      /* VMCALL, VMMCALL */
    EXIT_VIRTUALIZATION, /* VMX and SVM instructions: #UD for the guest */
    EXIT_TASK_SWITCH,
    EXIT_SHUTDOWN, /* triple fault */
    EXIT_INIT,
    EXIT_APIC_ACCESS,  /* hardware APIC: an access it does not do itself, with
                          `memory` filled in */
    EXIT_APIC_WRITE,   /* hardware APIC: a write done, to be acted on */
    EXIT_EOI,          /* hardware APIC: end of a level interrupt */
    EXIT_TIMER,        /* VMX preemption timer */
    EXIT_ENTRY_FAILED, /* the CPU refused the state */
    EXIT_UNKNOWN,
    EXIT_REASONS
};

const char *exit_reason_name(enum exit_reason r);

struct vm_exit {
    enum exit_reason reason;
    uint32_t code;         /* the vendor's number */
    uint64_t info1, info2; /* the vendor's qualification */
    uint8_t length;        /* of the instruction, 0: not known */
    union {
        struct {
            uint16_t port;
            uint8_t size; /* 1, 2, 4 */
            bool in, string, rep;
        } io;
        struct {
            gpa_t gpa;
            uint64_t gva; /* valid if has_gva */
            bool has_gva, read, write, execute;
            bool table; /* while the guest's own page tables were walked */
        } memory;
        struct {
            uint8_t vector;
            bool has_error;
            uint32_t error;
        } exception;
        struct {
            uint8_t cr, gpr;
            bool write;
            bool clts, lmsw;
        } cr;
        struct {
            uint8_t dr, gpr;
            bool write;
        } dr;
        uint16_t apic_offset; /* EXIT_APIC_WRITE: in the page of registers */
        uint8_t vector;       /* EXIT_EOI */
    };
};

/* --- what goes in --- */

enum inject_kind { INJECT_NONE, INJECT_IRQ, INJECT_NMI, INJECT_EXCEPTION };

struct injection {
    enum inject_kind kind;
    uint8_t vector;
    bool has_error;
    uint32_t error;
};

enum vcpu_run_state {
    VCPU_WAIT_SIPI, /* an application processor that nobody started yet */
    VCPU_RUNNABLE,
    VCPU_HALTED, /* HLT: until an interrupt */
    VCPU_STOPPED /* its thread is gone, or about to go */
};

#define VCPU_HISTORY 64

struct vcpu_exit_record {
    uint64_t tsc, rip, info1, info2;
    uint32_t code;
    uint8_t reason; /* enum exit_reason */
};

/* How long it has computed without a rest: vmm/vcpu_burst.c. Its thread and a
 * timer on the same CPU. */
struct vcpu_burst {
    struct timer timer;
    struct thread *thread;
    uint32_t rests_seen;
    _Atomic uint32_t rests;
    _Atomic bool armed, resting, demoted;
};

struct vcpu {
    struct vm *vm;
    uint32_t index; /* also its APIC id */
    uint32_t cpu;   /* the host's, where its thread stays; constant */
    struct thread *thread;
    struct vcpu_registers regs; /* its own thread, between entries */
    void *backend;              /* VMCB or VMCS and what belongs to it */
    struct kvmclock *clock;     /* vmm/devices/kvmclock.h */
    struct lapic *lapic;        /* vmm/devices/lapic.h */
    /* The CPU runs that local APIC: registers, priorities, delivery, ends of
     * edge-triggered interrupts. Constant. */
    bool hardware_apic;
    uint64_t xcr0;
    /* As the guest sees it. Every write to CR4 exits, so that this is right
     * between entries without get_state. Written by set_state. */
    uint64_t cr4;
    uint64_t dr[4];
    uint64_t tsc_offset; /* guest TSC = host TSC + this */
    uint32_t tsc_aux;    /* vmm/tsc_aux.c */

    /* Delivery: vmm/inject.h. Its own thread. */
    struct injection pending; /* not yet accepted by an entry */
    bool irq_shadow;          /* after STI or MOV SS: no interrupt yet */
    bool nmi_pending;
    bool window_open;         /* it exited as one that takes interrupts */
    bool halted_for_good;     /* HLT with interrupts off */
    struct retry retry;       /* of that delivery */
    struct timer retry_timer; /* kicks it when the next attempt is due */
    /* Most exits are for the same one. */
    const struct vm_region *last_port;
    struct vm_region *last_mmio;

    struct vcpu_burst burst;
    _Atomic uint8_t
        sipi_vector; /* of VCPU_REQ_SIPI: page number of its start */
    _Atomic enum vcpu_run_state run_state;
    /* "Look at your work": set by others with vcpu_kick; cleared by the thread
     * before it looks. Bits of enum vcpu_request. */
    _Atomic uint32_t requests;
    /* It is in the guest, or has looked at `requests` for the last time before
     * it goes there: set and cleared by `enter`. Who makes a request interrupts
     * its CPU only then. */
    _Atomic bool inside;
    /* lock: what a halted vCPU sleeps on */
    struct spinlock lock;
    struct waitq wake;

    uint64_t exits[EXIT_REASONS];      /* counted by its thread, read by all */
    uint64_t exit_marks[EXIT_REASONS]; /* exit_rate.c's */
    struct vcpu_exit_record history[VCPU_HISTORY];
    uint32_t history_next;
    uint64_t guest_ticks; /* of the TSC, spent inside */
};

enum vcpu_request {
    VCPU_REQ_INTERRUPT = 1, /* the local APIC has something new */
    VCPU_REQ_PAUSE = 2,
    VCPU_REQ_STOP = 4,
    VCPU_REQ_RESET = 8,
    VCPU_REQ_TLB = 16, /* nested tables changed */
    VCPU_REQ_NMI = 32,
    VCPU_REQ_INIT = 64,
    VCPU_REQ_SIPI = 128,
};

/* Ask, and make it look soon: ends its HLT, or makes it exit by an IPI. Any
 * context but NMI. */
void vcpu_kick(struct vcpu *v, uint32_t requests);

/* --- vmm/vcpu.c, for vm.c and the exit code --- */

/* The registers of a CPU after power-on, or after INIT. Pure. */
void vcpu_reset_registers(struct vcpu_registers *regs,
                          struct vcpu_state *state);
/* Registers in place, thread not started. -ENOMEM. */
int vcpu_create(struct vm *vm, uint32_t index, struct vcpu **out);
int vcpu_start(struct vcpu *v);
/* Wait for the end of its thread, if it has one. */
void vcpu_join(struct vcpu *v);
/* Its thread is gone. */
void vcpu_destroy(struct vcpu *v);
/* vmm/vcpu_burst.c */
void vcpu_burst_init(struct vcpu_burst *b);
void vcpu_burst_begin(struct vcpu_burst *b);
void vcpu_burst_rest(struct vcpu_burst *b);
void vcpu_burst_end(struct vcpu_burst *b);
/* vmm/tsc_aux.c: a back end calls it right before it enters, interrupts off. */
void tsc_aux_load(const struct vcpu *v);
bool tsc_aux_exists(void);
/* The instruction that exited is done: go on behind it. */
void vcpu_skip(struct vcpu *v, const struct vm_exit *e);
/* An exception for the guest, delivered with the next entry. */
void vcpu_fault(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error);
/* vmm/deliver.c: what the next entry injects, or which window it asks for. */
void vcpu_deliver(struct vcpu *v);
void vcpu_deliver_init(struct vcpu *v);
/* vmm/exit.c: act on an exit. Its thread. */
void vcpu_dispatch(struct vcpu *v, const struct vm_exit *e);
/* vmm/exit_NAME.c */
void exit_cpuid(struct vcpu *v, const struct vm_exit *e);
void exit_rdmsr(struct vcpu *v, const struct vm_exit *e);
void exit_wrmsr(struct vcpu *v, const struct vm_exit *e);
void exit_io(struct vcpu *v, const struct vm_exit *e);
void exit_memory(struct vcpu *v, const struct vm_exit *e);
void exit_cr(struct vcpu *v, const struct vm_exit *e);
void exit_dr(struct vcpu *v, const struct vm_exit *e);
void exit_cache(struct vcpu *v, const struct vm_exit *e);
void exit_xsetbv(struct vcpu *v, const struct vm_exit *e);

/* --- the back end of a vendor --- */

/* What the host can do, for vm.host(). */
struct vmm_host {
    const char *vendor; /* "svm", "vmx", or NULL */
    char reason[128];   /* why not, when vendor is NULL */
    bool nested_paging, vpid_or_asid, next_rip, decode_assists, flush_by_asid;
    bool tsc_scaling, tsc_deadline, apic_registers, virtual_interrupts;
    bool tpr_shadow, x2apic, preemption_timer, unrestricted;
    bool virtual_x2apic;
    /* It delivers virtual interrupts to a guest that takes none. */
    bool virtual_interrupts_erratum;
    uint32_t asids;
};

struct vmm_backend {
    const char *name; /* "svm", "vmx" */
    enum nested_format nested;
    /* Can this machine? Fills in *h, its reason too. 0, -ENODEV (the CPU has it
     * not), -EACCES (locked by firmware). Boot CPU, once. */
    int (*probe)(struct vmm_host *h);
    /* On each CPU, interrupts off. 0 or a negative errno. */
    int (*cpu_enable)(void);
    void (*cpu_disable)(void);

    int (*vm_create)(struct vm *vm);
    void (*vm_destroy)(struct vm *vm);
    /* In the state after power-on (Intel SDM 3A table 9-1). */
    int (*vcpu_create)(struct vcpu *v);
    void (*vcpu_destroy)(struct vcpu *v);

    /* One entry and one exit, on v's thread, interrupts on. What interrupted
     * the guest has been served on return. An event whose delivery the exit cut
     * off is put back into v->pending. */
    void (*enter)(struct vcpu *v, struct vm_exit *out);
    /* v's thread, or v is not running. */
    void (*get_state)(struct vcpu *v, struct vcpu_state *out);
    void (*set_state)(struct vcpu *v, const struct vcpu_state *in);
    /* Deliver with the next entry; the caller has checked that the guest can
     * take it now. */
    void (*inject)(struct vcpu *v, const struct injection *what);
    /* Exit as soon as the guest can take one. */
    void (*irq_window)(struct vcpu *v, bool on);
    void (*nmi_window)(struct vcpu *v, bool on);
    /* May an interrupt (NMI) be injected now? RFLAGS.IF, shadows, NMI mask. */
    bool (*can_take_irq)(struct vcpu *v);
    bool (*can_take_nmi)(struct vcpu *v);
    /* After an instruction was emulated: its shadows end. */
    void (*skipped)(struct vcpu *v);
    void (*flush_tlb)(struct vcpu *v);
    void (*set_tsc_offset)(struct vcpu *v, uint64_t offset);
    /* Vendor structure as text lines, for dumps. */
    void (*dump)(struct vcpu *v, void (*line)(void *arg, const char *text),
                 void *arg);
};

extern const struct vmm_backend svm_backend, vmx_backend;
/* The one in force; NULL: this machine cannot. Constant after the unit `vmm`.
 */
const struct vmm_backend *vmm_backend(void);
const struct vmm_host *vmm_host(void);
/* Does the CPU run the local APICs of a VM of this configuration? */
struct vm_config;
bool vmm_runs_apic(const struct vm_config *c);

#endif
