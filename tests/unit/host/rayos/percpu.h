/* The host's stand-in for rayos/percpu.h: the test says which CPU this is. */
#ifndef RAYOS_PERCPU_H
#define RAYOS_PERCPU_H

#include <stdint.h>

struct thread;

uint32_t cpu_id(void);
struct thread *thread_current(void);

#endif
