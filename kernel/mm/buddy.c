/*
 * The buddy allocator behind frame.c. Pure; any context, under the caller's
 * lock.
 *
 * Invariant: state[i] is FREE|order or USED|order exactly when a block begins
 * at frame i, else STATE_NONE (inside of a block, or a hole that was never
 * handed over). So a hole is never merged with, and an address that is not the
 * beginning of an allocated block of the order given is never freed.
 */
#include <errno.h>
#include <string.h>

#include "buddy.h"

#define STATE_NONE         0x00u
#define STATE_FREE         0x40u
#define STATE_USED         0x80u
#define ORDER_FRAME(order) (UINT32_C(1) << (order))

size_t buddy_metadata_size(uint32_t frames)
{
    return (size_t)frames * (sizeof(struct buddy_link) + sizeof(uint8_t));
}

void buddy_init(struct buddy *b, uint32_t frames, void *metadata)
{
    memset(b, 0, sizeof(*b));
    b->frames = frames;
    b->link = metadata;
    b->state = (uint8_t *)(b->link + frames);
    memset(b->state, STATE_NONE, frames);
    for (unsigned order = 0; order < BUDDY_ORDERS; order++)
        b->head[order] = BUDDY_NONE;
}

static void free_list_push(struct buddy *b, uint32_t index, unsigned order)
{
    uint32_t next = b->head[order];

    b->state[index] = (uint8_t)(STATE_FREE | order);
    b->link[index] = (struct buddy_link){.next = next, .prev = BUDDY_NONE};
    if (next != BUDDY_NONE)
        b->link[next].prev = index;
    b->head[order] = index;
    b->nonempty |= 1u << order;
    b->free_blocks[order]++;
}

static void free_list_remove(struct buddy *b, uint32_t index, unsigned order)
{
    struct buddy_link l = b->link[index];

    if (l.next != BUDDY_NONE)
        b->link[l.next].prev = l.prev;
    if (l.prev != BUDDY_NONE)
        b->link[l.prev].next = l.next;
    else
        b->head[order] = l.next;
    if (b->head[order] == BUDDY_NONE)
        b->nonempty &= ~(1u << order);
    b->state[index] = STATE_NONE;
    b->free_blocks[order]--;
}

/* Make a block free, together with every buddy that is free as a whole. */
static void block_release(struct buddy *b, uint32_t index, unsigned order)
{
    b->free += ORDER_FRAME(order);
    b->state[index] = STATE_NONE;
    while (order < BUDDY_ORDERS - 1) {
        uint32_t other = index ^ ORDER_FRAME(order);

        if (other >= b->frames || b->state[other] != (STATE_FREE | order))
            break;
        free_list_remove(b, other, order);
        index &= other;
        order++;
    }
    free_list_push(b, index, order);
}

/* Largest order of a block that begins at `index` and has at most `count`
 * frames. */
static unsigned order_at(uint32_t index, uint32_t count)
{
    unsigned order = 31u - (unsigned)__builtin_clz(count);

    if (index && (unsigned)__builtin_ctz(index) < order)
        order = (unsigned)__builtin_ctz(index);
    return order < BUDDY_ORDERS ? order : BUDDY_ORDERS - 1;
}

int buddy_add(struct buddy *b, uint32_t first, uint32_t count)
{
    if (first > b->frames || count > b->frames - first)
        return -EINVAL;
    b->total += count;
    while (count) {
        unsigned order = order_at(first, count);

        block_release(b, first, order);
        first += ORDER_FRAME(order);
        count -= ORDER_FRAME(order);
    }
    return 0;
}

uint32_t buddy_alloc(struct buddy *b, unsigned order)
{
    uint32_t fitting, index;
    unsigned have;

    if (order >= BUDDY_ORDERS)
        return BUDDY_NONE;
    fitting = b->nonempty >> order << order;
    if (!fitting)
        return BUDDY_NONE;
    have = (unsigned)__builtin_ctz(fitting);
    index = b->head[have];
    free_list_remove(b, index, have);
    while (have > order) {
        have--;
        free_list_push(b, index + ORDER_FRAME(have), have);
    }
    b->state[index] = (uint8_t)(STATE_USED | order);
    b->free -= ORDER_FRAME(order);
    return index;
}

int buddy_free(struct buddy *b, uint32_t index, unsigned order)
{
    if (order >= BUDDY_ORDERS || index >= b->frames ||
        b->state[index] != (STATE_USED | order))
        return -EINVAL;
    block_release(b, index, order);
    return 0;
}

uint32_t buddy_alloc_run(struct buddy *b, uint32_t count)
{
    uint32_t index, used = 0, whole;
    unsigned order;

    if (!count || count > ORDER_FRAME(BUDDY_ORDERS - 1))
        return BUDDY_NONE;
    order = count == 1 ? 0 : 32u - (unsigned)__builtin_clz(count - 1);
    index = buddy_alloc(b, order);
    if (index == BUDDY_NONE)
        return BUDDY_NONE;
    /* Cut the block into one of each power of two in `count`, largest first, so
     * that each is aligned; then what is left over, likewise. */
    while (used < count) {
        unsigned part = order_at(used, count - used);

        b->state[index + used] = (uint8_t)(STATE_USED | part);
        used += ORDER_FRAME(part);
    }
    whole = ORDER_FRAME(order);
    while (used < whole) {
        unsigned part = order_at(used, whole - used);

        block_release(b, index + used, part);
        used += ORDER_FRAME(part);
    }
    return index;
}

int buddy_free_run(struct buddy *b, uint32_t index, uint32_t count)
{
    if (!count || index >= b->frames || count > b->frames - index)
        return -EINVAL;
    for (uint32_t done = 0; done < count;) {
        unsigned part = order_at(done, count - done);

        if (b->state[index + done] != (STATE_USED | part))
            return -EINVAL;
        done += ORDER_FRAME(part);
    }
    for (uint32_t done = 0; done < count;) {
        unsigned part = order_at(done, count - done);

        block_release(b, index + done, part);
        done += ORDER_FRAME(part);
    }
    return 0;
}
