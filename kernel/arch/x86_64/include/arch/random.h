/* The CPU's own random numbers. Any context. */
#ifndef ARCH_RANDOM_H
#define ARCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* false: the CPU has no such instruction, or gave nothing in a bounded number
 * of tries (Intel SDM 1, 7.3.17). Whether a word is any good is the caller's to
 * judge. */
bool arch_rdseed(uint64_t *out);
bool arch_rdrand(uint64_t *out);

#endif
