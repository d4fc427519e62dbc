/*
 * Intel's virtual-machine control structure: fields, controls, exit reasons and
 * the instructions that reach it. Numbers are those of the Intel SDM 3C
 * (appendix B for the fields, 24.6 to 24.8 for the controls, appendix C for the
 * reasons, appendix A for the capability MSRs).
 */
#ifndef VMM_VMX_VMCS_H
#define VMM_VMX_VMCS_H

#include <stdbool.h>
#include <stdint.h>

enum vmcs_field {
    VMCS_VPID = 0x0000,
    VMCS_GUEST_SELECTOR = 0x0800, /* and 7 more, ES CS SS DS FS GS LDTR TR */
    VMCS_GUEST_INTERRUPT_STATUS = 0x0810,
    VMCS_HOST_ES = 0x0c00,
    VMCS_HOST_CS = 0x0c02,
    VMCS_HOST_SS = 0x0c04,
    VMCS_HOST_DS = 0x0c06,
    VMCS_HOST_FS = 0x0c08,
    VMCS_HOST_GS = 0x0c0a,
    VMCS_HOST_TR = 0x0c0c,
    VMCS_MSR_BITMAP = 0x2004,
    VMCS_TSC_OFFSET = 0x2010,
    VMCS_VIRTUAL_APIC = 0x2012,
    VMCS_APIC_ACCESS = 0x2014,
    VMCS_EPT_POINTER = 0x201a,
    VMCS_EOI_EXIT = 0x201c, /* and 3 more */
    VMCS_GUEST_PHYSICAL = 0x2400,
    VMCS_LINK_POINTER = 0x2800,
    VMCS_GUEST_DEBUGCTL = 0x2802,
    VMCS_GUEST_PAT = 0x2804,
    VMCS_GUEST_EFER = 0x2806,
    VMCS_GUEST_PDPTE = 0x280a, /* and 3 more */
    VMCS_HOST_PAT = 0x2c00,
    VMCS_HOST_EFER = 0x2c02,
    VMCS_PIN = 0x4000,
    VMCS_PROC = 0x4002,
    VMCS_EXCEPTIONS = 0x4004,
    VMCS_PF_MASK = 0x4006,
    VMCS_PF_MATCH = 0x4008,
    VMCS_CR3_TARGETS = 0x400a,
    VMCS_EXIT = 0x400c,
    VMCS_EXIT_STORE_COUNT = 0x400e,
    VMCS_EXIT_LOAD_COUNT = 0x4010,
    VMCS_ENTRY = 0x4012,
    VMCS_ENTRY_LOAD_COUNT = 0x4014,
    VMCS_ENTRY_EVENT = 0x4016,
    VMCS_ENTRY_ERROR = 0x4018,
    VMCS_ENTRY_LENGTH = 0x401a,
    VMCS_TPR_THRESHOLD = 0x401c,
    VMCS_PROC2 = 0x401e,
    VMCS_INSTRUCTION_ERROR = 0x4400,
    VMCS_EXIT_REASON = 0x4402,
    VMCS_EXIT_EVENT = 0x4404,
    VMCS_EXIT_ERROR = 0x4406,
    VMCS_IDT_EVENT = 0x4408,
    VMCS_IDT_ERROR = 0x440a,
    VMCS_EXIT_LENGTH = 0x440c,
    VMCS_GUEST_LIMIT = 0x4800, /* and 7 more */
    VMCS_GUEST_GDTR_LIMIT = 0x4810,
    VMCS_GUEST_IDTR_LIMIT = 0x4812,
    VMCS_GUEST_RIGHTS = 0x4814, /* and 7 more */
    VMCS_GUEST_INTERRUPTIBILITY = 0x4824,
    VMCS_GUEST_ACTIVITY = 0x4826,
    VMCS_GUEST_SYSENTER_CS = 0x482a,
    VMCS_PREEMPTION_TIMER = 0x482e,
    VMCS_HOST_SYSENTER_CS = 0x4c00,
    VMCS_CR0_MASK = 0x6000,
    VMCS_CR4_MASK = 0x6002,
    VMCS_CR0_SHADOW = 0x6004,
    VMCS_CR4_SHADOW = 0x6006,
    VMCS_QUALIFICATION = 0x6400,
    VMCS_GUEST_LINEAR = 0x640a,
    VMCS_GUEST_CR0 = 0x6800,
    VMCS_GUEST_CR3 = 0x6802,
    VMCS_GUEST_CR4 = 0x6804,
    VMCS_GUEST_BASE = 0x6806, /* and 7 more */
    VMCS_GUEST_GDTR_BASE = 0x6816,
    VMCS_GUEST_IDTR_BASE = 0x6818,
    VMCS_GUEST_DR7 = 0x681a,
    VMCS_GUEST_RSP = 0x681c,
    VMCS_GUEST_RIP = 0x681e,
    VMCS_GUEST_RFLAGS = 0x6820,
    VMCS_GUEST_PENDING_DEBUG = 0x6822,
    VMCS_GUEST_SYSENTER_ESP = 0x6824,
    VMCS_GUEST_SYSENTER_EIP = 0x6826,
    VMCS_HOST_CR0 = 0x6c00,
    VMCS_HOST_CR3 = 0x6c02,
    VMCS_HOST_CR4 = 0x6c04,
    VMCS_HOST_FS_BASE = 0x6c06,
    VMCS_HOST_GS_BASE = 0x6c08,
    VMCS_HOST_TR_BASE = 0x6c0a,
    VMCS_HOST_GDTR_BASE = 0x6c0c,
    VMCS_HOST_IDTR_BASE = 0x6c0e,
    VMCS_HOST_SYSENTER_ESP = 0x6c10,
    VMCS_HOST_SYSENTER_EIP = 0x6c12,
    /* VMCS_HOST_RSP 0x6c14 and VMCS_HOST_RIP 0x6c16: vmx_entry.S */
};

/* Fields that there is one of for each segment, ... are this far apart. */
#define VMCS_STEP 2

/* Pin-based controls, table 24-5 */
#define PIN_EXTERNAL    (1u << 0)
#define PIN_NMI         (1u << 3)
#define PIN_VIRTUAL_NMI (1u << 5)
#define PIN_TIMER       (1u << 6)

/* Primary processor-based controls, table 24-6 */
#define PROC_IRQ_WINDOW  (1u << 2)
#define PROC_TSC_OFFSET  (1u << 3)
#define PROC_HLT         (1u << 7)
#define PROC_INVLPG      (1u << 9)
#define PROC_MWAIT       (1u << 10)
#define PROC_RDPMC       (1u << 11)
#define PROC_RDTSC       (1u << 12)
#define PROC_CR3_LOAD    (1u << 15)
#define PROC_CR3_STORE   (1u << 16)
#define PROC_CR8_LOAD    (1u << 19)
#define PROC_CR8_STORE   (1u << 20)
#define PROC_TPR_SHADOW  (1u << 21)
#define PROC_NMI_WINDOW  (1u << 22)
#define PROC_MOV_DR      (1u << 23)
#define PROC_IO          (1u << 24)
#define PROC_MSR_BITMAPS (1u << 28)
#define PROC_MONITOR     (1u << 29)
#define PROC_SECONDARY   (1u << 31)

/* Secondary processor-based controls, table 24-7 */
#define PROC2_APIC_ACCESS       (1u << 0)
#define PROC2_EPT               (1u << 1)
#define PROC2_RDTSCP            (1u << 3)
#define PROC2_X2APIC            (1u << 4)
#define PROC2_VPID              (1u << 5)
#define PROC2_WBINVD            (1u << 6)
#define PROC2_UNRESTRICTED      (1u << 7)
#define PROC2_APIC_REGISTERS    (1u << 8)
#define PROC2_INTERRUPTS        (1u << 9)
#define PROC2_PAUSE_LOOP        (1u << 10)
#define PROC2_DESCRIPTOR_TABLES (1u << 2)

/* VM-exit controls, table 24-12 */
#define EXIT_SAVE_DEBUG (1u << 2)
#define EXIT_HOST_64    (1u << 9)
#define EXIT_SAVE_PAT   (1u << 18)
#define EXIT_LOAD_PAT   (1u << 19)
#define EXIT_SAVE_EFER  (1u << 20)
#define EXIT_LOAD_EFER  (1u << 21)

/* VM-entry controls, table 24-15 */
#define ENTRY_LOAD_DEBUG (1u << 2)
#define ENTRY_GUEST_64   (1u << 9)
#define ENTRY_LOAD_PAT   (1u << 14)
#define ENTRY_LOAD_EFER  (1u << 15)

/* Events, in and out: tables 24-16, 24-17, 24-18 */
#define EVENT_VECTOR      0xffu
#define EVENT_TYPE_SHIFT  8
#define EVENT_TYPE_MASK   7u
#define EVENT_EXTERNAL    0u
#define EVENT_NMI         2u
#define EVENT_EXCEPTION   3u
#define EVENT_HAS_ERROR   (1u << 11)
#define EVENT_NMI_UNBLOCK (1u << 12) /* out only: by an IRET that faulted */
#define EVENT_VALID       (1u << 31)

/* Guest interrupt status, 24.4.2: the vector to deliver, that in service */
#define STATUS_SVI_SHIFT 8

/* Interruptibility, table 24-3 */
#define BLOCKED_BY_STI    (1u << 0)
#define BLOCKED_BY_MOV_SS (1u << 1)
#define BLOCKED_BY_NMI    (1u << 3)

#define REASON_ENTRY_FAILED (1u << 31)
#define REASON_BASIC        0xffffu

enum vmx_reason {
    VMX_EXCEPTION = 0, /* or NMI */
    VMX_EXTERNAL = 1,
    VMX_TRIPLE_FAULT = 2,
    VMX_INIT = 3,
    VMX_SIPI = 4,
    VMX_IO_SMI = 5,
    VMX_SMI = 6,
    VMX_IRQ_WINDOW = 7,
    VMX_NMI_WINDOW = 8,
    VMX_TASK_SWITCH = 9,
    VMX_CPUID = 10,
    VMX_GETSEC = 11,
    VMX_HLT = 12,
    VMX_INVD = 13,
    VMX_INVLPG = 14,
    VMX_RDPMC = 15,
    VMX_RDTSC = 16,
    VMX_VMCALL = 18,
    VMX_VMCLEAR = 19,
    VMX_VMXON = 27,
    VMX_CR = 28,
    VMX_DR = 29,
    VMX_IO = 30,
    VMX_RDMSR = 31,
    VMX_WRMSR = 32,
    VMX_GUEST_STATE = 33,
    VMX_MSR_LOADING = 34,
    VMX_MWAIT = 36,
    VMX_MONITOR = 39,
    VMX_PAUSE = 40,
    VMX_MACHINE_CHECK = 41,
    VMX_TPR_BELOW = 43,
    VMX_APIC_ACCESS = 44,
    VMX_EOI = 45,
    VMX_GDTR_IDTR = 46,
    VMX_LDTR_TR = 47,
    VMX_EPT_VIOLATION = 48,
    VMX_EPT_MISCONFIGURED = 49,
    VMX_INVEPT = 50,
    VMX_RDTSCP = 51,
    VMX_TIMER = 52,
    VMX_INVVPID = 53,
    VMX_WBINVD = 54,
    VMX_XSETBV = 55,
    VMX_APIC_WRITE = 56,
    VMX_INVPCID = 58,
    VMX_VMFUNC = 59,
};

/* MSR bitmap, 24.6.9: bytes of the part for writes of low MSRs; reads of them
 * come first. A bit that is set exits. */
#define MSR_BITMAP_WRITES 0x800

/* EPT pointer, 24.6.11 */
#define EPTP_WRITE_BACK 6u
#define EPTP_FOUR_LEVEL (3u << 3)

/* Segment rights, table 24-2 */
#define RIGHTS_UNUSABLE (1u << 16)

/* Capability MSRs, appendix A */
#define MSR_FEATURE_CONTROL  0x3a
#define MSR_VMX_BASIC        0x480
#define MSR_VMX_MISC         0x485
#define MSR_VMX_CR0_FIXED0   0x486
#define MSR_VMX_CR0_FIXED1   0x487
#define MSR_VMX_CR4_FIXED0   0x488
#define MSR_VMX_CR4_FIXED1   0x489
#define MSR_VMX_PROC2        0x48b
#define MSR_VMX_EPT_VPID_CAP 0x48c
#define MSR_VMX_TRUE_PIN     0x48d
#define MSR_VMX_TRUE_PROC    0x48e
#define MSR_VMX_TRUE_EXIT    0x48f
#define MSR_VMX_TRUE_ENTRY   0x490

#define FEATURE_CONTROL_LOCK (1u << 0)
#define FEATURE_CONTROL_VMX  (1u << 2) /* outside of SMX */

#define BASIC_REVISION    UINT64_C(0x7fffffff)
#define BASIC_TRUE        (UINT64_C(1) << 55)
#define MISC_TIMER_SHIFT  0x1fu
#define EPT_FOUR_LEVEL    (UINT64_C(1) << 6)
#define EPT_WB            (UINT64_C(1) << 14)
#define EPT_LARGE         (UINT64_C(1) << 16)
#define EPT_INVEPT        (UINT64_C(1) << 20)
#define EPT_INVEPT_SINGLE (UINT64_C(1) << 25)
#define EPT_INVEPT_ALL    (UINT64_C(1) << 26)
#define VPID_INVVPID      (UINT64_C(1) << 32)
#define VPID_SINGLE       (UINT64_C(1) << 41)
#define VPID_ALL          (UINT64_C(1) << 42)

/* Types of INVEPT and INVVPID, chapter 30 */
#define INVALIDATE_SINGLE 1
#define INVALIDATE_ALL    2

/* --- instructions; the VMCS of this CPU is loaded, interrupts off --- */

/* Accesses that the CPU refused, of all CPUs: a field that it has not. */
extern uint32_t vmcs_refused, vmcs_refused_field;

static inline uint64_t vmcs_read(uint32_t field)
{
    uint64_t value = 0;
    bool failed;

    __asm__ volatile("vmread %2, %0"
                     : "=r"(value), "=@ccna"(failed)
                     : "r"((uint64_t)field));
    if (failed) {
        vmcs_refused++;
        vmcs_refused_field = field;
        return 0;
    }
    return value;
}

static inline void vmcs_write(uint32_t field, uint64_t value)
{
    bool failed;

    __asm__ volatile("vmwrite %1, %2"
                     : "=@ccna"(failed)
                     : "r"(value), "r"((uint64_t)field)
                     : "memory");
    if (failed) {
        vmcs_refused++;
        vmcs_refused_field = field;
    }
}

static inline bool vmcs_load(uint64_t phys)
{
    bool failed;

    __asm__ volatile("vmptrld %1" : "=@ccna"(failed) : "m"(phys) : "memory");
    return !failed;
}

static inline bool vmcs_clear(uint64_t phys)
{
    bool failed;

    __asm__ volatile("vmclear %1" : "=@ccna"(failed) : "m"(phys) : "memory");
    return !failed;
}

#endif
