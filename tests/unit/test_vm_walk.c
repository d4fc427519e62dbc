/* sources: vmm/walk.c */
/* The guest's page tables: every mode, rights, reserved bits, accessed bits. */
#include <errno.h>
#include <string.h>

#include <arch/features.h>

#include "check.h"

#include "vmm/vm.h"
#include "vmm/walk.h"

#define RAM     0x100000u
#define P       UINT64_C(1)
#define W       UINT64_C(2)
#define U       UINT64_C(4)
#define ACC     UINT64_C(0x20)
#define DIRTY   UINT64_C(0x40)
#define LARGE   UINT64_C(0x80)
#define NX      (UINT64_C(1) << 63)
#define PG      (UINT64_C(1) << 31)
#define WP      (UINT64_C(1) << 16)
#define PSE     (UINT64_C(1) << 4)
#define PAE     (UINT64_C(1) << 5)
#define SMEP    (UINT64_C(1) << 20)
#define SMAP    (UINT64_C(1) << 21)
#define LMA     (UINT64_C(1) << 10)
#define NXE     (UINT64_C(1) << 11)
#define ROOT    0x1000u
#define VA      UINT64_C(0x40201234) /* entries 1, 1, 1 below the top */
#define TARGET  UINT64_C(0x80000)
#define ENTRY_1 8u

struct guest_memory {
    uint8_t ram[RAM];
};

static struct guest_memory memory;
static struct vm vm = {.memory = &memory};
static struct vcpu vcpu = {.vm = &vm};
static struct vcpu_state s;
static struct guest_fault f;
static gpa_t gpa;

/* --- what walk.c stands on --- */

int guest_read(const struct guest_memory *m, gpa_t at, void *out, size_t n)
{
    if (at > RAM || n > RAM - at)
        return -EFAULT;
    memcpy(out, m->ram + at, n);
    return 0;
}

int guest_write(struct guest_memory *m, gpa_t at, const void *data, size_t n)
{
    if (at > RAM || n > RAM - at)
        return -EFAULT;
    memcpy(m->ram + at, data, n);
    return 0;
}

void *guest_span(struct guest_memory *m, gpa_t at, size_t n, size_t *got)
{
    *got = at < RAM && n <= RAM - at ? n : 0;
    return *got ? m->ram + at : NULL;
}

const struct arch_cpu_info *arch_cpu_info(void)
{
    static const struct arch_cpu_info info = {.phys_bits = 36};

    return &info;
}

const struct vmm_backend *vmm_backend(void)
{
    return NULL;
}

void vcpu_fault(struct vcpu *v, uint8_t vector, bool has_error, uint32_t error)
{
    (void)v, (void)vector, (void)has_error, (void)error;
}

/* --- tables --- */

static void put64(gpa_t at, uint64_t entry)
{
    memcpy(memory.ram + at, &entry, sizeof(entry));
}

static uint64_t get64(gpa_t at)
{
    uint64_t entry;

    memcpy(&entry, memory.ram + at, sizeof(entry));
    return entry;
}

/* Long mode: 0x1000, 0x2000, 0x3000, 0x4000 lead to TARGET. */
static void begin(void)
{
    memset(&memory, 0, sizeof(memory));
    s = (struct vcpu_state){
        .cr0 = PG | WP, .cr3 = ROOT, .cr4 = PAE, .efer = LMA | NXE};
    put64(0x1000, 0x2000 | P | W | U);
    put64(0x2000 + ENTRY_1, 0x3000 | P | W | U);
    put64(0x3000 + ENTRY_1, 0x4000 | P | W | U);
    put64(0x4000 + ENTRY_1, TARGET | P | W | U);
    vcpu.regs.rflags = 0;
}

static int try(unsigned access)
{
    f = (struct guest_fault){0};
    return walk_translate(&vcpu, &s, VA, access, &gpa, &f);
}

/* The fault's error code; -1: there was none. */
static int error_of(unsigned access)
{
    return try(access) == -EFAULT && f.vector == 14 && f.address == VA
               ? (int)f.error
               : -1;
}

TEST(four_levels_lead_to_the_page_and_are_marked)
{
    begin();
    CHECK_EQ(try(0), 0);
    CHECK_EQ(gpa, TARGET + 0x234);
    CHECK_EQ(get64(0x1000), 0x2000 | P | W | U | ACC);
    CHECK_EQ(get64(0x4000 + ENTRY_1), TARGET | P | W | U | ACC);
    CHECK_EQ(try(WALK_WRITE), 0);
    CHECK_EQ(get64(0x3000 + ENTRY_1), 0x4000 | P | W | U | ACC);
    CHECK_EQ(get64(0x4000 + ENTRY_1), TARGET | P | W | U | ACC | DIRTY);
    begin();
    CHECK_EQ(try(WALK_WRITE | WALK_PEEK), 0);
    CHECK_EQ(get64(0x4000 + ENTRY_1), TARGET | P | W | U);
}

TEST(what_is_not_there_faults_with_its_access)
{
    begin();
    put64(0x3000 + ENTRY_1, 0);
    CHECK_EQ(error_of(0), 0);
    CHECK_EQ(error_of(WALK_WRITE | WALK_USER), 6);
    CHECK_EQ(error_of(WALK_FETCH), 16);
    put64(0x3000 + ENTRY_1, RAM | P);
    CHECK_EQ(try(0), -EIO);
    CHECK_EQ(walk_translate(&vcpu, &s, UINT64_C(1) << 50, 0, &gpa, &f),
             -EFAULT);
    CHECK_EQ(f.vector, 13);
}

TEST(rights_are_those_of_all_levels)
{
    begin();
    put64(0x2000 + ENTRY_1, 0x3000 | P | W);
    CHECK_EQ(error_of(WALK_USER), 5);
    CHECK_EQ(try(WALK_WRITE), 0);
    put64(0x2000 + ENTRY_1, 0x3000 | P | U);
    CHECK_EQ(error_of(WALK_WRITE), 3);
    CHECK_EQ(error_of(WALK_WRITE | WALK_USER), 7);
    s.cr0 = PG;
    CHECK_EQ(try(WALK_WRITE), 0);
    put64(0x1000, 0x2000 | P | W | U | NX);
    CHECK_EQ(error_of(WALK_FETCH), 17);
    CHECK_EQ(try(0), 0);
}

TEST(a_kernel_keeps_off_what_is_a_users)
{
    begin();
    s.cr4 |= SMEP | SMAP;
    CHECK_EQ(error_of(0), 1);
    CHECK_EQ(error_of(WALK_FETCH), 17);
    vcpu.regs.rflags = UINT64_C(1) << 18;
    CHECK_EQ(try(0), 0);
    CHECK_EQ(try(WALK_USER), 0);
}

TEST(large_pages)
{
    begin();
    put64(0x3000 + ENTRY_1, LARGE | P | W | U | 0x1000); /* PAT */
    CHECK_EQ(try(0), 0);
    CHECK_EQ(gpa, VA & 0x1fffff);
    put64(0x2000 + ENTRY_1, LARGE | P | W | U);
    CHECK_EQ(try(0), 0);
    CHECK_EQ(gpa, VA & 0x3fffffff);
}

TEST(reserved_bits_fault)
{
    begin();
    s.efer = LMA;
    put64(0x4000 + ENTRY_1, TARGET | P | W | U | NX);
    CHECK_EQ(error_of(0), 9);
    begin();
    put64(0x1000, 0x2000 | P | W | U | LARGE);
    CHECK_EQ(error_of(WALK_WRITE), 11);
    begin();
    put64(0x3000 + ENTRY_1, 0x2000 | LARGE | P | W | U);
    CHECK_EQ(error_of(WALK_USER), 13);
    begin();
    put64(0x2000 + ENTRY_1, 0x200000 | LARGE | P | W | U);
    CHECK_EQ(error_of(0), 9);
}

TEST(two_levels_of_32_bits)
{
    uint32_t entry = 0x3000 | P | W | U;

    begin();
    s.cr4 = PSE;
    s.efer = 0;
    memcpy(memory.ram + ROOT + (VA >> 22) * 4, &entry, sizeof(entry));
    entry = (uint32_t)(TARGET | P | W | U);
    memcpy(memory.ram + 0x3000 + (VA >> 12 & 0x3ff) * 4, &entry, sizeof(entry));
    CHECK_EQ(try(WALK_WRITE), 0);
    CHECK_EQ(gpa, TARGET + 0x234);
    entry = 0x2000 | LARGE | P | W | U; /* bit 32 of the address */
    memcpy(memory.ram + ROOT + (VA >> 22) * 4, &entry, sizeof(entry));
    CHECK_EQ(try(0), 0);
    CHECK_EQ(gpa, (UINT64_C(1) << 32) + (VA & 0x3fffff));
    s.cr0 = 0;
    CHECK_EQ(try(WALK_WRITE), 0);
    CHECK_EQ(gpa, VA);
}

TEST(three_levels_of_pae)
{
    begin();
    s.efer = NXE;
    s.cr3 = 0x2020;                      /* 32 bytes are enough for it */
    put64(0x2020 + ENTRY_1, 0x3000 | P); /* no rights there */
    CHECK_EQ(try(WALK_WRITE | WALK_USER), 0);
    CHECK_EQ(gpa, TARGET + 0x234);
    CHECK_EQ(get64(0x2020 + ENTRY_1), 0x3000 | P);
}

TEST(top_entries_of_pae)
{
    uint64_t entries[WALK_PDPTES];

    begin();
    CHECK(!walk_pdptes_read(&vcpu, &s, entries)); /* long mode */
    s.efer = NXE;
    s.cr3 = 0x2027; /* the low five bits are none of the address */
    put64(0x2020, 0x3000 | P | 1 << 3 | 7 << 9);
    put64(0x2028, 0xffe); /* not present */
    put64(0x2030, 0);
    put64(0x2038, UINT64_C(0xffffff000) | P);
    CHECK(walk_pdptes_read(&vcpu, &s, entries));
    CHECK_EQ(entries[1], 0xffe);
    CHECK(walk_pdptes_valid(entries));
    for (unsigned bit = 0; bit < 64; bit++) {
        uint64_t fine = 0x19 | 0xe00 | UINT64_C(0xffffff000);

        entries[3] = P | UINT64_C(1) << bit;
        CHECK_EQ(walk_pdptes_valid(entries), fine >> bit & 1);
    }
    s.cr3 = RAM;
    CHECK(!walk_pdptes_read(&vcpu, &s, entries));
    s.cr3 = 0x2020;
    s.cr4 = PSE;
    CHECK(!walk_pdptes_read(&vcpu, &s, entries));
}

TEST(copies_cross_pages)
{
    uint8_t bytes[0x20];

    begin();
    put64(0x4000 + 2 * ENTRY_1, 0x90000 | P | W | U);
    memset(memory.ram + TARGET + 0xff0, 1, 16);
    memset(memory.ram + 0x90000, 2, 16);
    CHECK_EQ(
        walk_read(&vcpu, &s, (VA & ~UINT64_C(0xfff)) + 0xff0, bytes, 32, 0, &f),
        0);
    CHECK_EQ(bytes[15], 1);
    CHECK_EQ(bytes[16], 2);
    put64(0x4000 + 2 * ENTRY_1, 0);
    CHECK_EQ(walk_write(&vcpu, &s, (VA & ~UINT64_C(0xfff)) + 0xff0, bytes, 32,
                        0, &f),
             -EFAULT);
    CHECK_EQ(f.address, (VA & ~UINT64_C(0xfff)) + 0x1000);
}

CHECK_MAIN
