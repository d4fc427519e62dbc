/*
 * Timer heap: see timer_heap.h. Pure module, compiled for the host by
 * tests/unit/test_timer_heap.c. Any context; the caller's lock protects it.
 */
#include "timer_heap.h"

static bool before(const struct timer *a, const struct timer *b)
{
    if (a->deadline != b->deadline)
        return a->deadline < b->deadline;
    return a->order < b->order;
}

static void swap(struct timer **a, struct timer **b)
{
    struct timer *t = *a;

    *a = *b;
    *b = t;
}

/* Two heaps to one; siblings of the roots are not looked at, and the caller
 * sets the slot of the root that comes back. */
static struct timer *meld(struct timer *a, struct timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (before(b, a))
        swap(&a, &b);
    b->next = a->child;
    if (b->next)
        b->next->slot = &b->next;
    b->slot = &a->child;
    a->child = b;
    a->next = NULL;
    return a;
}

/* A list of siblings to one heap: in pairs from left to right, then those from
 * right to left. The order is what makes the bound; no recursion, for kernel
 * stacks are short. */
static struct timer *meld_siblings(struct timer *first)
{
    struct timer *pairs = NULL, *all = NULL;

    while (first) {
        struct timer *a = first, *b = a->next;

        first = b ? b->next : NULL;
        a->next = NULL;
        if (b)
            b->next = NULL;
        a = meld(a, b);
        a->next = pairs;
        pairs = a;
    }
    while (pairs) {
        struct timer *rest = pairs->next;

        pairs->next = NULL;
        all = meld(all, pairs);
        pairs = rest;
    }
    return all;
}

static void set_root(struct timer_heap *h, struct timer *t)
{
    h->root = t;
    if (t)
        t->slot = &h->root;
}

void timer_heap_insert(struct timer_heap *h, struct timer *t)
{
    t->child = t->next = NULL;
    t->order = h->armed++;
    set_root(h, meld(h->root, t));
}

void timer_heap_remove(struct timer_heap *h, struct timer *t)
{
    struct timer *orphans = meld_siblings(t->child);

    *t->slot = t->next;
    if (t->next)
        t->next->slot = t->slot;
    t->child = t->next = NULL;
    t->slot = NULL;
    set_root(h, meld(h->root, orphans));
}
