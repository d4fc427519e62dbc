/* The host's stand-in for rayos/percpu.h: the test says which CPU this is. */
#ifndef RAYOS_PERCPU_H
#define RAYOS_PERCPU_H

#include <stdint.h>

struct thread;

struct cpu {
    uint32_t apic_id;
};

uint32_t cpu_id(void);
uint32_t cpu_count(void);
struct cpu *cpu_get(uint32_t id);
struct thread *thread_current(void);

#endif
