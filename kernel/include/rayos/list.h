/*
 * Intrusive doubly linked lists. The head is a node of its own; an empty list
 * points at itself. No locking: the owner of the list says which lock protects
 * it.
 */
#ifndef RAYOS_LIST_H
#define RAYOS_LIST_H

#include <rayos/types.h>

struct list {
    struct list *next, *prev;
};

#define LIST_INIT(head)  \
    {                    \
        &(head), &(head) \
    }

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Put `node` before `pos`; with the head as `pos` that is the tail of the list.
 */
static inline void list_insert_before(struct list *pos, struct list *node)
{
    node->next = pos;
    node->prev = pos->prev;
    pos->prev->next = node;
    pos->prev = node;
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_insert_before(head, node);
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_insert_before(head->next, node);
}

/* Take `node` out; it is left as an empty list, so that a second removal is
 * harmless. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* First node, removed; NULL when the list is empty. */
static inline struct list *list_pop_front(struct list *head)
{
    struct list *n = head->next;

    if (n == head)
        return NULL;
    list_remove(n);
    return n;
}

#define list_for_each(n, head) \
    for (struct list *n = (head)->next; n != (head); n = n->next)
#define list_for_each_safe(n, tmp, head)                             \
    for (struct list *n = (head)->next, *tmp = n->next; n != (head); \
         n = tmp, tmp = n->next)

#endif
