/*
 * Nested page tables: see nested.h. Pure; any context that `ops` allow, one
 * writer at a time.
 */
#include "vmm/nested.h"

#include <errno.h>

#define LEVELS      4
#define ENTRIES     512
#define LEVEL_LARGE 2 /* whose entries may map 2 MiB */
#define ADDRESS     UINT64_C(0x000ffffffffff000)

/* Bits that both formats have in the same place. */
#define ENTRY_LARGE (UINT64_C(1) << 7)

/* APM 2 5.3.3 and 15.25.5: nested walks are user accesses. Accessed and dirty
 * are set at once, which spares the CPU the locked writes. */
#define NPT_PRESENT  (UINT64_C(1) << 0)
#define NPT_WRITE    (UINT64_C(1) << 1)
#define NPT_USER     (UINT64_C(1) << 2)
#define NPT_ACCESSED (UINT64_C(1) << 5)
#define NPT_DIRTY    (UINT64_C(1) << 6)

/* Intel SDM 3C tables 28-2 to 28-7 */
#define EPT_READ       (UINT64_C(1) << 0)
#define EPT_WRITE      (UINT64_C(1) << 1)
#define EPT_EXECUTE    (UINT64_C(1) << 2)
#define EPT_WRITE_BACK (UINT64_C(6) << 3)
#define EPT_ACCESSED   (UINT64_C(1) << 8)
#define EPT_DIRTY      (UINT64_C(1) << 9)

/* Bytes that an entry of a level maps; 1 is the last. */
static uint64_t level_size(unsigned level)
{
    return PAGE_SIZE << 9 * (level - 1);
}

static unsigned level_index(gpa_t gpa, unsigned level)
{
    return gpa / level_size(level) % ENTRIES;
}

static uint64_t leaf_make(const struct nested *n, phys_t phys, unsigned rights)
{
    if (!(rights & NESTED_READ))
        return 0;
    if (n->format == NESTED_EPT)
        return phys | EPT_WRITE_BACK | EPT_ACCESSED | EPT_DIRTY | EPT_READ |
               (rights & NESTED_WRITE ? EPT_WRITE : 0) |
               (rights & NESTED_EXEC ? EPT_EXECUTE : 0);
    return phys | NPT_PRESENT | NPT_USER | NPT_ACCESSED | NPT_DIRTY |
           (rights & NESTED_WRITE ? NPT_WRITE : 0) |
           (rights & NESTED_EXEC ? 0 : n->nx);
}

static unsigned leaf_rights(const struct nested *n, uint64_t entry)
{
    unsigned rights = NESTED_READ;

    if (n->format == NESTED_EPT)
        return rights | (entry & EPT_WRITE ? NESTED_WRITE : 0) |
               (entry & EPT_EXECUTE ? NESTED_EXEC : 0);
    return rights | (entry & NPT_WRITE ? NESTED_WRITE : 0) |
           (entry & n->nx ? 0 : NESTED_EXEC);
}

/* Tables give all rights; leaves decide. */
static uint64_t table_make(const struct nested *n, phys_t table)
{
    if (n->format == NESTED_EPT)
        return table | EPT_READ | EPT_WRITE | EPT_EXECUTE | EPT_ACCESSED;
    return table | NPT_PRESENT | NPT_WRITE | NPT_USER | NPT_ACCESSED;
}

static bool is_present(uint64_t entry)
{
    return entry & 1; /* NPT: present; EPT: readable */
}

static bool is_leaf(uint64_t entry, unsigned level)
{
    return level == 1 || (entry & ENTRY_LARGE);
}

static void entry_write(uint64_t *entry, uint64_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static phys_t table_alloc(struct nested *n)
{
    phys_t frame = n->ops->alloc();

    if (frame != GPA_NONE)
        n->frames++;
    return frame;
}

/* A table under `entry`, which is empty, or a large page that is cut into
 * entries of the next level which say the same. */
static int table_open(struct nested *n, uint64_t *entry, unsigned level)
{
    phys_t frame;
    uint64_t *table;

    if (is_present(*entry) && !is_leaf(*entry, level))
        return 0;
    frame = table_alloc(n);
    if (frame == GPA_NONE)
        return -ENOMEM;
    table = n->ops->table(frame);
    if (is_present(*entry)) {
        uint64_t low = *entry;

        if (level - 1 == 1)
            low &= ~ENTRY_LARGE;
        for (unsigned i = 0; i < ENTRIES; i++)
            table[i] = low + i * level_size(level - 1);
    }
    entry_write(entry, table_make(n, frame));
    return 0;
}

static void table_free(struct nested *n, phys_t frame, unsigned level)
{
    uint64_t *table = n->ops->table(frame);

    for (unsigned i = 0; level > 1 && i < ENTRIES; i++)
        if (is_present(table[i]) && !is_leaf(table[i], level))
            table_free(n, table[i] & ADDRESS, level - 1);
    n->ops->free(frame);
    n->frames--;
}

int nested_init(struct nested *n, enum nested_format format, uint64_t nx,
                const struct nested_ops *ops)
{
    *n = (struct nested){.ops = ops, .format = format, .nx = nx};
    n->root = table_alloc(n);
    return n->root == GPA_NONE ? -ENOMEM : 0;
}

void nested_destroy(struct nested *n)
{
    if (n->frames)
        table_free(n, n->root, LEVELS);
}

static bool range_is_valid(gpa_t gpa, uint64_t size)
{
    return (gpa | size) % PAGE_SIZE == 0 && gpa <= NESTED_LIMIT &&
           size <= NESTED_LIMIT - gpa;
}

/* The entry for gpa at `level`, with tables made on the way down. */
static int entry_find(struct nested *n, gpa_t gpa, unsigned level,
                      uint64_t **out)
{
    uint64_t *table = n->ops->table(n->root);

    for (unsigned l = LEVELS;; l--) {
        uint64_t *entry = &table[level_index(gpa, l)];
        int err;

        if (l == level) {
            *out = entry;
            return 0;
        }
        err = table_open(n, entry, l);
        if (err)
            return err;
        table = n->ops->table(*entry & ADDRESS);
    }
}

int nested_map(struct nested *n, gpa_t gpa, phys_t phys, uint64_t size,
               unsigned rights)
{
    if (!range_is_valid(gpa, size) || phys % PAGE_SIZE)
        return -EINVAL;
    while (size) {
        bool large = (gpa | phys) % LARGE_PAGE_SIZE == 0 &&
                     size >= LARGE_PAGE_SIZE;
        unsigned level = large ? LEVEL_LARGE : 1;
        uint64_t old, leaf = leaf_make(n, phys, rights), *entry;
        int err = entry_find(n, gpa, level, &entry);

        if (err)
            return err;
        old = *entry;
        entry_write(entry, leaf && large ? leaf | ENTRY_LARGE : leaf);
        if (is_present(old) && !is_leaf(old, level))
            table_free(n, old & ADDRESS, level - 1);
        gpa += level_size(level);
        phys += level_size(level);
        size -= level_size(level);
    }
    return 0;
}

/* The entry that decides about gpa, and its level; it may be empty. */
static uint64_t *leaf_find(const struct nested *n, gpa_t gpa, unsigned *level)
{
    uint64_t *table = n->ops->table(n->root);

    for (*level = LEVELS;; --*level) {
        uint64_t *entry = &table[level_index(gpa, *level)];

        if (!is_present(*entry) || is_leaf(*entry, *level))
            return entry;
        table = n->ops->table(*entry & ADDRESS);
    }
}

int nested_protect(struct nested *n, gpa_t gpa, uint64_t size, unsigned rights)
{
    if (!range_is_valid(gpa, size))
        return -EINVAL;
    while (size) {
        unsigned level;
        uint64_t *entry = leaf_find(n, gpa, &level), step = level_size(level);

        /* Only a part of what the entry maps: cut it. */
        if (is_present(*entry) && (gpa % step || size < step)) {
            int err = table_open(n, entry, level);

            if (err)
                return err;
            continue;
        }
        if (is_present(*entry))
            entry_write(
                entry,
                leaf_make(n, *entry & ADDRESS & ~(step - 1), rights) |
                    (level > 1 && (rights & NESTED_READ) ? ENTRY_LARGE : 0));
        step -= gpa % step; /* a hole may begin before the range */
        step = step < size ? step : size;
        gpa += step;
        size -= step;
    }
    return 0;
}

bool nested_lookup(const struct nested *n, gpa_t gpa, struct nested_entry *out)
{
    unsigned level;
    uint64_t *entry, offset;

    if (gpa >= NESTED_LIMIT)
        return false;
    entry = leaf_find(n, gpa, &level);
    if (!is_present(*entry))
        return false;
    offset = gpa % level_size(level);
    *out = (struct nested_entry){
        .phys = (*entry & ADDRESS & ~(level_size(level) - 1)) + offset,
        .size = level_size(level),
        .rights = leaf_rights(n, *entry),
    };
    return true;
}
