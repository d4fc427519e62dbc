/*
 * One instruction, run by this machine's own CPU with registers that a test
 * chooses: what an emulator of it is compared with.
 */
#ifndef TESTS_UNIT_NATIVE_H
#define TESTS_UNIT_NATIVE_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* In the order of enum gpr; RSP is not loaded. */
struct native {
    uint64_t gpr[16];
    uint64_t flags;
    uint64_t xmm[16][2];
};

extern struct native native_state;
extern uint64_t native_code;
void native_run(void);
extern char native_back[];

struct native native_state;
uint64_t native_code;

/* GPR i is at native_state + 8 * i, the flags at 128, XMM registers at 136. */
__asm__(".pushsection .text\n"
        ".globl native_run, native_back\n"
        "native_run:\n"
        "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "    .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    movdqu native_state+136+16*\\i(%rip), %xmm\\i\n"
        "    .endr\n"
        "    pushq native_state+128(%rip)\n"
        "    popfq\n"
        "    mov native_state+0(%rip), %rax\n"
        "    mov native_state+8(%rip), %rcx\n"
        "    mov native_state+16(%rip), %rdx\n"
        "    mov native_state+24(%rip), %rbx\n"
        "    mov native_state+40(%rip), %rbp\n"
        "    mov native_state+48(%rip), %rsi\n"
        "    mov native_state+56(%rip), %rdi\n"
        "    .irp i, 8,9,10,11,12,13,14,15\n"
        "    mov native_state+8*\\i(%rip), %r\\i\n"
        "    .endr\n"
        "    jmp *native_code(%rip)\n"
        "native_back:\n"
        "    mov %rax, native_state+0(%rip)\n"
        "    mov %rcx, native_state+8(%rip)\n"
        "    mov %rdx, native_state+16(%rip)\n"
        "    mov %rbx, native_state+24(%rip)\n"
        "    mov %rbp, native_state+40(%rip)\n"
        "    mov %rsi, native_state+48(%rip)\n"
        "    mov %rdi, native_state+56(%rip)\n"
        "    .irp i, 8,9,10,11,12,13,14,15\n"
        "    mov %r\\i, native_state+8*\\i(%rip)\n"
        "    .endr\n"
        "    pushfq\n"
        "    popq native_state+128(%rip)\n"
        "    cld\n"
        "    .irp i, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
        "    movdqu %xmm\\i, native_state+136+16*\\i(%rip)\n"
        "    .endr\n"
        "    pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "    ret\n"
        ".popsection\n");

/* `code` has room for 14 bytes more: a jump back, which keeps the flags. */
static inline void native_execute(uint8_t *code, unsigned length)
{
    static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0};
    uint64_t back = (uint64_t)(uintptr_t)native_back;

    memcpy(code + length, jump, sizeof(jump));
    memcpy(code + length + sizeof(jump), &back, sizeof(back));
    native_code = (uint64_t)(uintptr_t)code;
    native_run();
}

/* Pages below 2 GiB that may be written and run. */
static inline uint8_t *native_pages(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

#endif
