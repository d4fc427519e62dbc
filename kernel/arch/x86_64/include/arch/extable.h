/*
 * Fix-ups for instructions that may fault. EXTABLE("1b", "2b") inside an asm
 * statement says: when the instruction at label 1 answers #GP or #PF, go on at
 * label 2. The linker gathers the entries between __start_rayos_extable and
 * __stop_rayos_extable.
 */
#ifndef ARCH_EXTABLE_H
#define ARCH_EXTABLE_H

#include <stdint.h>

struct extable_entry {
    uint64_t fault_ip, fixup_ip;
};

#define EXTABLE(fault, fixup)                        \
    ".pushsection rayos_extable, \"a\", @progbits\n" \
    ".balign 8\n"                                    \
    ".quad " fault ", " fixup "\n"                   \
    ".popsection\n"

#endif
