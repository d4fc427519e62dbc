/*
 * Linux's side of the benchmarks of virtual machines, in the initramfs of the
 * peer. Rows as peer_bench prints them.
 *
 * usage: peer_vm exits FILE              run tests/guests/bench.16 under KVM,
 * in the smallest VMM there can be peer_vm boot TEXT COMMAND...    ticks until
 * COMMAND prints TEXT; what it prints later is passed on
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

/* As vmm/load_flat.c has it. */
#define BASE   0x1000
#define MEMORY 0x10000

#define PORT_TEXT   0xe9
#define PORT_END    0xf4
#define MAX_ENTRIES 256
#define ROUNDS      10000 /* as the guest has it */

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int ask(int fd, unsigned long request, void *arg, const char *what)
{
    int found = ioctl(fd, request, arg);

    if (found < 0)
        fail(what);
    return found;
}

static void load(int vm, const char *file)
{
    uint8_t *memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = {
        .memory_size = MEMORY, .userspace_addr = (uintptr_t)memory};
    FILE *f = fopen(file, "rb");

    if (memory == MAP_FAILED || !f || !fread(memory + BASE, 1, BASE, f))
        fail(file);
    fclose(f);
    ask(vm, KVM_SET_USER_MEMORY_REGION, &region, "memory");
}

/* What every VMM gives: all that the host has. */
static void set_cpuid(int kvm, int cpu)
{
    struct kvm_cpuid2 *list = calloc(
        1, sizeof(*list) + MAX_ENTRIES * sizeof(list->entries[0]));

    list->nent = MAX_ENTRIES;
    ask(kvm, KVM_GET_SUPPORTED_CPUID, list, "CPUID");
    ask(cpu, KVM_SET_CPUID2, list, "CPUID");
    free(list);
}

static void set_registers(int cpu)
{
    struct kvm_regs regs = {.rip = BASE, .rsp = BASE, .rflags = 2};
    struct kvm_sregs sregs;

    ask(cpu, KVM_GET_SREGS, &sregs, "registers");
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    ask(cpu, KVM_SET_SREGS, &sregs, "registers");
    ask(cpu, KVM_SET_REGS, &regs, "registers");
}

static void report(const char *line)
{
    const char *row = line[0] == 'c' ? "vm_cpuid" : "vm_out";
    unsigned long long ticks = strtoull(line + 1, NULL, 16) / ROUNDS;

    printf("BENCH %s 1 %llu %llu %llu\n", row, ticks, ticks, ticks);
}

static void exits(const char *file)
{
    int kvm = open("/dev/kvm", O_RDWR), vm, cpu;
    struct kvm_run *run;
    char line[32];
    size_t n = 0;

    if (kvm < 0)
        fail("/dev/kvm");
    vm = ask(kvm, KVM_CREATE_VM, NULL, "VM");
    load(vm, file);
    cpu = ask(vm, KVM_CREATE_VCPU, NULL, "vCPU");
    run = mmap(NULL, (size_t)ask(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL, "size"),
               PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
    if (run == MAP_FAILED)
        fail("vCPU");
    set_cpuid(kvm, cpu);
    set_registers(cpu);
    for (;;) {
        char c;

        ask(cpu, KVM_RUN, NULL, "run");
        if (run->exit_reason != KVM_EXIT_IO || run->io.port == PORT_END)
            break;
        if (run->io.port != PORT_TEXT)
            continue;
        c = ((char *)run)[run->io.data_offset];
        if (c != '\n' && n < sizeof(line) - 1) {
            line[n++] = c;
            continue;
        }
        line[n] = '\0';
        n = 0;
        report(line);
    }
}

static int start(char **command)
{
    int ends[2];

    if (pipe(ends))
        fail("pipe");
    if (fork() == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        execv(command[0], command);
        fail(command[0]);
    }
    close(ends[1]);
    return ends[0];
}

static void boot(const char *text, char **command)
{
    uint64_t begin = __rdtsc();
    FILE *from = fdopen(start(command), "r");
    char line[512];

    while (fgets(line, sizeof(line), from)) {
        unsigned long long ticks = __rdtsc() - begin;

        if (strstr(line, text))
            printf("BENCH vm_boot 1 %llu %llu %llu\n", ticks, ticks, ticks);
        else
            fputs(line, stdout);
        fflush(stdout);
    }
    wait(NULL);
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "exits"))
        exits(argv[2]);
    else if (argc > 3 && !strcmp(argv[1], "boot"))
        boot(argv[2], argv + 3);
    else
        return 2;
    return 0;
}
