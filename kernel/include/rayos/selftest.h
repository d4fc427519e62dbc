/*
 * Self-tests: what the kernel can prove about itself only while it runs
 * (threads, interrupts, several CPUs). They are part of every image and refused
 * unless the command line says `testhooks`; written with
 * tests/kernel/selftest.h. Thread context.
 */
#ifndef RAYOS_SELFTEST_H
#define RAYOS_SELFTEST_H

#include <rayos/types.h>

struct selftest {
    const char *name;
    const char *sentence; /* what it proves */
    void (*run)(void);
};

/* i-th test for listings, NULL past the end. */
const struct selftest *selftest_at(size_t i);

/*
 * Run one test on a thread of its own; one runs at a time, others wait. 0 when
 * it passed; -EIO when not, with the first failure as "file:line: text" in
 * `why`; -ENOENT: no such test; -EPERM: no `testhooks`; -ENOMEM, -ECANCELED.
 */
int selftest_run(const char *name, char *why, size_t size);
/* Let threads wait for each other's mutexes in a circle, which must end in a
 * panic; returns after two seconds if it does not. */
void selftest_deadlock(void);

#endif
