/* Basic types that every kernel module shares. */
#ifndef RAYOS_TYPES_H
#define RAYOS_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A physical address, in bytes. */
typedef uint64_t phys_t;

/* A point on, or a length of, the monotonic clock, in nanoseconds since the
 * kernel's entry. */
typedef uint64_t nstime_t;

#define TIME_NEVER UINT64_MAX /* a deadline that does not come */
#define NS_PER_US  UINT64_C(1000)
#define NS_PER_MS  UINT64_C(1000000)
#define NS_PER_SEC UINT64_C(1000000000)

#define PAGE_SHIFT      12
#define PAGE_SIZE       (UINT64_C(1) << PAGE_SHIFT)
#define LARGE_PAGE_SIZE (UINT64_C(2) << 20)

#define MAX_CPUS 64

#define ARRAY_SIZE(a)    (sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(x, a)   (((x) + ((a)-1)) & ~((__typeof__(x))(a)-1))
#define ALIGN_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define container_of(ptr, type, member) \
    ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
