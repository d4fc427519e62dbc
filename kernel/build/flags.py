"""The compilers' flags, and which source gets which."""

from __future__ import annotations

import re

WARNINGS = ("-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes "
            "-Wundef -Wvla -Werror").split()
# What all code in the kernel has in common, third-party code too.
MACHINE_FLAGS = (
    "-std=gnu11 -O2 -g -nostdinc -mno-red-zone -mcmodel=kernel -fno-pic "
    "-fno-pie -fno-stack-protector -fno-omit-frame-pointer "
    "-fno-strict-aliasing -fno-asynchronous-unwind-tables "
    "-fcf-protection=none -D__DYNAMIC_REENT__ "
    "-fstack-clash-protection "  # frames over a page meet the guard page
    "-D_CLOCKS_PER_SEC_=1000000").split()  # newlib: 1000
KERNEL_INCLUDES = ["-Ikernel/include", "-Ikernel/arch/x86_64/include", "-I."]
# Code that may run in interrupt context must not touch SSE registers.
NO_FLOAT = ["-mgeneral-regs-only"]
LOADER_FLAGS = (
    "-std=gnu11 -O2 -g -ffreestanding -nostdinc -fpic -fshort-wchar "
    "-mno-red-zone -fno-stack-protector -fno-strict-aliasing "
    "-fcf-protection=none -DGNU_EFI_USE_MS_ABI").split()
# Pure modules of the kernel that the loader uses too.
LOADER_SHARED = ("kernel/core/fmt.c", "kernel/core/sha256.c",
                 "kernel/core/string.c")

KERNEL_SOURCES = (
    "kernel/arch", "kernel/core", "kernel/mm", "kernel/sched", "kernel/fs",
    "kernel/display", "kernel/libc", "kernel/reflex", "kernel/net", "drivers",
    "vmm", "lua", "tests/kernel")
FLOAT_SOURCES = re.compile(r"lua/|kernel/libc/|kernel/display/terminal")
# Wrappers of ours around third-party files, which they include: the sanitizer
# spares them, and what they include is not compiled by itself.
WRAPPERS = re.compile(r"lua/limit_")
