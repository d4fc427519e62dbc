/*
 * The virtual machine control block (APM 2 appendix B) and the numbers that go
 * with it.
 */
#ifndef VMM_SVM_VMCB_H
#define VMM_SVM_VMCB_H

#include <rayos/types.h>

/* APM 2 15.30: MSRs, and CPUID 8000_000A */
#define MSR_VM_CR          0xc0010114
#define VM_CR_SVMDIS       (UINT64_C(1) << 4)
#define VM_CR_LOCK         (UINT64_C(1) << 3)
#define MSR_VM_HSAVE_PA    0xc0010117
#define MSR_EFER           0xc0000080
#define EFER_SVME          (UINT64_C(1) << 12)
#define CPUID_SVM          0x8000000a
#define SVM_NPT            (1u << 0)
#define SVM_NEXT_RIP       (1u << 3)
#define SVM_TSC_RATE       (1u << 4)
#define SVM_CLEAN          (1u << 5)
#define SVM_FLUSH_ASID     (1u << 6)
#define SVM_DECODE_ASSISTS (1u << 7)
#define SVM_AVIC           (1u << 13)

/* Intercept vector words, APM 2 table B-1: offsets 000h to 010h */
#define INTERCEPT_CR_READ(n)   (1u << (n)) /* word 0 */
#define INTERCEPT_CR_WRITE(n)  (1u << (16 + (n)))
#define INTERCEPT_DR_ALL       0xffffffffu /* word 1 */
#define INTERCEPT_EXCEPTION(v) (1u << (v)) /* word 2 */
/* word 3 */
#define INTERCEPT_INTR     (1u << 0)
#define INTERCEPT_NMI      (1u << 1)
#define INTERCEPT_SMI      (1u << 2)
#define INTERCEPT_INIT     (1u << 3)
#define INTERCEPT_VINTR    (1u << 4)
#define INTERCEPT_RDPMC    (1u << 15)
#define INTERCEPT_CPUID    (1u << 18)
#define INTERCEPT_IRET     (1u << 20)
#define INTERCEPT_INVD     (1u << 22)
#define INTERCEPT_HLT      (1u << 24)
#define INTERCEPT_INVLPGA  (1u << 26)
#define INTERCEPT_IOIO     (1u << 27)
#define INTERCEPT_MSR      (1u << 28)
#define INTERCEPT_TASK     (1u << 29)
#define INTERCEPT_FERR     (1u << 30)
#define INTERCEPT_SHUTDOWN (1u << 31)
/* word 4 */
#define INTERCEPT_VMRUN   (1u << 0)
#define INTERCEPT_VMMCALL (1u << 1)
#define INTERCEPT_VMLOAD  (1u << 2)
#define INTERCEPT_VMSAVE  (1u << 3)
#define INTERCEPT_STGI    (1u << 4)
#define INTERCEPT_CLGI    (1u << 5)
#define INTERCEPT_SKINIT  (1u << 6)
#define INTERCEPT_WBINVD  (1u << 9)
#define INTERCEPT_MONITOR (1u << 10)
#define INTERCEPT_MWAIT   (1u << 11)
#define INTERCEPT_XSETBV  (1u << 13)
#define INTERCEPT_WORDS   5

enum tlb_control { /* offset 05Ch */
                   TLB_KEEP = 0,
                   TLB_FLUSH_ALL = 1,
                   TLB_FLUSH_ASID = 3
};

/* Offset 060h */
#define V_IRQ          (UINT64_C(1) << 8)
#define V_PRIORITY_MAX (UINT64_C(15) << 16)
#define V_IGNORE_TPR   (UINT64_C(1) << 20)
#define V_INTR_MASKING (UINT64_C(1) << 24)
/* Offset 068h */
#define INTERRUPT_SHADOW (UINT64_C(1) << 0)
/* Offset 090h */
#define NESTED_PAGING (UINT64_C(1) << 0)

/* EVENTINJ and EXITINTINFO, APM 2 15.20 */
#define EVENT_VECTOR      UINT64_C(0xff)
#define EVENT_TYPE_SHIFT  8
#define EVENT_TYPE_MASK   7
#define EVENT_HAS_ERROR   (UINT64_C(1) << 11)
#define EVENT_VALID       (UINT64_C(1) << 31)
#define EVENT_ERROR_SHIFT 32
enum event_type_code {
    EVENT_INTR = 0,
    EVENT_NMI = 2,
    EVENT_EXCEPTION = 3,
    EVENT_SOFTWARE = 4
};

/* VMCB clean field, APM 2 15.15.4 */
#define CLEAN_INTERCEPTS (1u << 0) /* also TSC offset */
#define CLEAN_PERMISSION (1u << 1)
#define CLEAN_ASID       (1u << 2)
#define CLEAN_V_INTR     (1u << 3)
#define CLEAN_NESTED     (1u << 4)
#define CLEAN_CR         (1u << 5)
#define CLEAN_DR         (1u << 6)
#define CLEAN_TABLES     (1u << 7)
#define CLEAN_SEGMENTS   (1u << 8)
#define CLEAN_CR2        (1u << 9)
#define CLEAN_LBR        (1u << 10)
#define CLEAN_ALL        0x7ffu

/* Exit codes, APM 2 appendix C */
#define SVM_EXIT_CR_READ   0x000
#define SVM_EXIT_CR_WRITE  0x010
#define SVM_EXIT_DR_READ   0x020
#define SVM_EXIT_DR_WRITE  0x030
#define SVM_EXIT_EXCEPTION 0x040
#define SVM_EXIT_INTR      0x060
#define SVM_EXIT_NMI       0x061
#define SVM_EXIT_SMI       0x062
#define SVM_EXIT_INIT      0x063
#define SVM_EXIT_VINTR     0x064
#define SVM_EXIT_RDPMC     0x06f
#define SVM_EXIT_CPUID     0x072
#define SVM_EXIT_IRET      0x074
#define SVM_EXIT_INVD      0x076
#define SVM_EXIT_PAUSE     0x077
#define SVM_EXIT_HLT       0x078
#define SVM_EXIT_INVLPG    0x079
#define SVM_EXIT_INVLPGA   0x07a
#define SVM_EXIT_IOIO      0x07b
#define SVM_EXIT_MSR       0x07c
#define SVM_EXIT_TASK      0x07d
#define SVM_EXIT_FERR      0x07e
#define SVM_EXIT_SHUTDOWN  0x07f
#define SVM_EXIT_VMRUN     0x080
#define SVM_EXIT_VMMCALL   0x081
#define SVM_EXIT_SKINIT    0x086
#define SVM_EXIT_WBINVD    0x089
#define SVM_EXIT_MONITOR   0x08a
#define SVM_EXIT_MWAIT     0x08b
#define SVM_EXIT_XSETBV    0x08d
#define SVM_EXIT_NPF       0x400
#define SVM_EXIT_INVALID   0xffffffffu /* compare the low half */

/* EXITINFO1 of IOIO, APM 2 15.10.2 */
#define IOIO_IN         (1u << 0)
#define IOIO_STRING     (1u << 2)
#define IOIO_REP        (1u << 3)
#define IOIO_SIZE_SHIFT 4 /* one-hot: 1, 2, 4 bytes */
#define IOIO_PORT_SHIFT 16
/* EXITINFO1 of a nested page fault, APM 2 15.25.6 */
#define NPF_PRESENT (UINT64_C(1) << 0)
#define NPF_WRITE   (UINT64_C(1) << 1)
#define NPF_FETCH   (UINT64_C(1) << 4)
#define NPF_TABLE   (UINT64_C(1) << 33)
/* EXITINFO1 of a CR access with decode assists, APM 2 15.33.1 */
#define CR_INFO_MOV (UINT64_C(1) << 63)

struct vmcb_segment {
    uint16_t selector, attributes; /* 12 bits: descriptor's, without a gap */
    uint32_t limit;
    uint64_t base;
};

struct vmcb_control {
    uint32_t intercept[INTERCEPT_WORDS];
    uint8_t reserved014[0x3c - 0x14];
    uint16_t pause_threshold, pause_count;
    uint64_t iopm_base, msrpm_base, tsc_offset;
    uint32_t asid;
    uint8_t tlb_control, reserved05d[3];
    uint64_t v_intr, interrupt_shadow;
    uint64_t exit_code, exit_info1, exit_info2, exit_int_info;
    uint64_t nested_paging, avic_bar, ghcb;
    uint64_t event_injection, nested_cr3, lbr_enable;
    uint32_t clean, reserved0c4;
    uint64_t next_rip;
    uint8_t fetched, bytes[15];
    uint8_t reserved0e0[0x400 - 0xe0];
};

struct vmcb_save {
    struct vmcb_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
    uint8_t reserved0a0[0xcb - 0xa0];
    uint8_t cpl;
    uint32_t reserved0cc;
    uint64_t efer;
    uint8_t reserved0d8[0x148 - 0xd8];
    uint64_t cr4, cr3, cr0, dr7, dr6, rflags, rip;
    uint8_t reserved180[0x1d8 - 0x180];
    uint64_t rsp;
    uint8_t reserved1e0[0x1f8 - 0x1e0];
    uint64_t rax, star, lstar, cstar, sfmask, kernel_gs_base;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
    uint8_t reserved248[0x268 - 0x248];
    uint64_t pat, debug_ctl;
    uint8_t reserved278[0xc00 - 0x278];
};

struct vmcb {
    struct vmcb_control control;
    struct vmcb_save save;
};

_Static_assert(sizeof(struct vmcb) == PAGE_SIZE, "APM 2 appendix B");
_Static_assert(offsetof(struct vmcb, control.iopm_base) == 0x40, "IOPM");
_Static_assert(offsetof(struct vmcb, control.asid) == 0x58, "ASID");
_Static_assert(offsetof(struct vmcb, control.exit_code) == 0x70, "EXITCODE");
_Static_assert(offsetof(struct vmcb, control.event_injection) == 0xa8, "EVTI");
_Static_assert(offsetof(struct vmcb, control.nested_cr3) == 0xb0, "N_CR3");
_Static_assert(offsetof(struct vmcb, control.next_rip) == 0xc8, "nRIP");
_Static_assert(offsetof(struct vmcb, save.cpl) == 0x4cb, "CPL");
_Static_assert(offsetof(struct vmcb, save.efer) == 0x4d0, "EFER");
_Static_assert(offsetof(struct vmcb, save.cr4) == 0x548, "CR4");
_Static_assert(offsetof(struct vmcb, save.rip) == 0x578, "RIP");
_Static_assert(offsetof(struct vmcb, save.rsp) == 0x5d8, "RSP");
_Static_assert(offsetof(struct vmcb, save.rax) == 0x5f8, "RAX");
_Static_assert(offsetof(struct vmcb, save.cr2) == 0x640, "CR2");
_Static_assert(offsetof(struct vmcb, save.pat) == 0x668, "G_PAT");

#endif
