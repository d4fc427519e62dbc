/*
 * The C library in the kernel: newlib over our VFS, clock, heap and threads
 * (kernel/libc). Third-party code (Lua, LPeg, ...) is compiled against newlib's
 * headers unmodified.
 *
 * Code that may run in interrupt context, and everything below kernel/lua in
 * layering that is built with -mgeneral-regs-only, uses of newlib only the
 * header macros and types, and the functions of kernel/core/string.c: memcpy
 * memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr
 * strcpy strncpy strcat.
 */
#ifndef RAYOS_LIBC_H
#define RAYOS_LIBC_H

#include <stddef.h>

struct thread;

/* Prepare a thread's newlib state; undo it. Called by the scheduler on creation
 * and after the end. */
void libc_thread_init(struct thread *t);
void libc_thread_fini(struct thread *t);

/* snprintf for a format with one conversion, %a or %A, in glibc's way for
 * subnormal numbers too. Thread context; floating point. */
int libc_format_hex(char *out, size_t size, const char *format, double x);

#endif
