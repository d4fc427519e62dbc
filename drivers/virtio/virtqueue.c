/*
 * Split virtqueues, the driver's side (virtio 1.2 2.7). Pure: no hardware and
 * no allocation, also built for the host tests, where the device is hostile.
 * Any context but NMI; the driver's lock serializes calls on one queue.
 */
#include "virtqueue.h"

#include <errno.h>

/* Chains of up to so many descriptors are written into the ring itself while
 * there is plenty of room: a table would be one more descriptor to write. */
#define DIRECT_MAX 4

static bool is_broken(const struct virtqueue *q)
{
    return __atomic_load_n((const bool *)&q->device->broken, __ATOMIC_RELAXED);
}

/* The device has broken the rules: it is not believed any more. */
static void break_device(struct virtqueue *q)
{
    __atomic_store_n((bool *)&q->device->broken, true, __ATOMIC_RELAXED);
}

void virtqueue_init(struct virtqueue *q, void *ring)
{
    uint8_t *base = ring;

    q->desc = ring;
    q->avail = (void *)(base + virtqueue_avail_offset(q->size));
    q->used = (void *)(base + virtqueue_used_offset(q->size));
    q->used_event = &q->avail->ring[q->size];
    q->avail_event = (const uint16_t *)&q->used->ring[q->size];
    q->event_index = q->device->features & VIRTIO_F_EVENT_IDX;
    /* virtio 1.2 2.7.8.2: devices of the legacy interface may lie here. */
    q->exact_lengths = q->device->features & VIRTIO_F_VERSION_1;
    for (uint16_t i = 0; i < q->size; i++)
        q->slots[i] = (struct virtqueue_slot){
            .next = (uint16_t)(i + 1),
            .table = VIRTQUEUE_NO_TABLE,
        };
    q->free_head = 0;
    q->free_count = q->size;
    for (uint16_t i = 0; i < q->table_free; i++)
        q->table_stack[i] = i;
    virtqueue_disable_callback(q);
    if (q->callback)
        virtqueue_enable_callback(q);
}

/* --- giving buffers to the device --- */

/* Bytes that the device may write; -EINVAL when an empty buffer is among them,
 * or more than 2^32 bytes (virtio 1.2 2.7.5.2). */
static int check_buffers(const struct virtio_buffer *buffers, unsigned out,
                         unsigned in, uint32_t *writable)
{
    const struct virtio_buffer *end = buffers + out;
    uint64_t sum = 0, read;

    for (; buffers < end; sum += buffers++->length)
        if (!buffers->length)
            return -EINVAL;
    read = sum;
    for (end += in; buffers < end; sum += buffers++->length)
        if (!buffers->length)
            return -EINVAL;
    if (sum > UINT32_MAX)
        return -EINVAL;
    *writable = (uint32_t)(sum - read);
    return 0;
}

static struct vring_desc *table_at(const struct virtqueue *q, uint16_t table)
{
    return q->tables + (size_t)table * q->table_length;
}

static void write_table(struct virtqueue *q, uint16_t table,
                        const struct virtio_buffer *buffers, unsigned out,
                        unsigned count)
{
    struct vring_desc *d = table_at(q, table);

    for (unsigned i = 0; i < count; i++)
        d[i] = (struct vring_desc){
            .addr = buffers[i].phys,
            .len = buffers[i].length,
            .flags = (uint16_t)((i < out ? 0 : VRING_DESC_WRITE) |
                                (i + 1 < count ? VRING_DESC_NEXT : 0)),
            .next = (uint16_t)(i + 1),
        };
}

static void write_indirect(struct virtqueue *q, uint16_t head, uint16_t table,
                           unsigned count)
{
    q->desc[head] = (struct vring_desc){
        .addr = q->tables_phys +
                (phys_t)table * q->table_length * sizeof(struct vring_desc),
        .len = (uint32_t)(count * sizeof(struct vring_desc)),
        .flags = VRING_DESC_INDIRECT,
    };
    q->free_head = q->slots[head].next;
}

static void write_chain(struct virtqueue *q, uint16_t head,
                        const struct virtio_buffer *buffers, unsigned out,
                        unsigned count)
{
    const struct virtqueue_slot *slots = q->slots;
    struct vring_desc *desc = q->desc, *last = desc;
    uint16_t at = head;

    for (unsigned i = 0; i < count; i++) {
        last = &desc[at];
        at = slots[at].next;
        *last = (struct vring_desc){
            .addr = buffers[i].phys,
            .len = buffers[i].length,
            .flags = i < out ? VRING_DESC_NEXT
                             : VRING_DESC_NEXT | VRING_DESC_WRITE,
            .next = at,
        };
    }
    last->flags &= (uint16_t)~VRING_DESC_NEXT;
    last->next = 0;
    q->free_head = at;
}

/* Whether a chain goes through a table; -ENOSPC or -EINVAL. */
static int choose_table(const struct virtqueue *q, unsigned count, bool *table)
{
    bool fits = count <= q->table_length;
    bool scarce = count > DIRECT_MAX || q->free_count < q->size / 2;

    if (!fits && count > q->size)
        return -EINVAL;
    *table = count > 1 && fits && q->table_free && scarce;
    return q->free_count < (*table ? 1 : count) ? -ENOSPC : 0;
}

/* The ring's entry must be there before the index that covers it. */
static void publish(struct virtqueue *q, uint16_t head)
{
    q->in_flight++;
    q->avail->ring[q->avail_index & (q->size - 1)] = head;
    q->avail_index++;
    __atomic_store_n(&q->avail->index, q->avail_index, __ATOMIC_RELEASE);
}

int virtqueue_add(struct virtqueue *q, const struct virtio_buffer *buffers,
                  unsigned out, unsigned in, void *cookie)
{
    uint16_t head = q->free_head;
    struct virtqueue_slot *s;
    uint32_t writable = 0;
    bool table;
    int err;

    if (!cookie || out > UINT16_MAX || in > UINT16_MAX || out + in == 0)
        return -EINVAL;
    if (is_broken(q))
        return -EIO;
    err = check_buffers(buffers, out, in, &writable);
    if (!err)
        err = choose_table(q, out + in, &table);
    if (err)
        return err;
    s = &q->slots[head];
    s->cookie = cookie;
    s->writable = writable;
    s->count = (uint16_t)(table ? 1 : out + in);
    s->table = VIRTQUEUE_NO_TABLE;
    if (table) {
        s->table = q->table_stack[--q->table_free];
        write_table(q, s->table, buffers, out, out + in);
        write_indirect(q, head, s->table, out + in);
    } else {
        write_chain(q, head, buffers, out, out + in);
    }
    q->free_count = (uint16_t)(q->free_count - s->count);
    publish(q, head);
    return 0;
}

uint16_t virtqueue_take_table(struct virtqueue *q)
{
    if (!q->table_free || is_broken(q))
        return VIRTQUEUE_NO_TABLE;
    return q->table_stack[--q->table_free];
}

void virtqueue_drop_table(struct virtqueue *q, uint16_t table)
{
    q->table_stack[q->table_free++] = table;
}

/* The last one's NEXT goes when it is known to be the last. */
void virtqueue_fill_table(struct virtqueue *q, uint16_t table, unsigned i,
                          struct virtio_buffer buffer, bool writable)
{
    if (i < q->table_length)
        table_at(q, table)[i] = (struct vring_desc){
            .addr = buffer.phys,
            .len = buffer.length,
            .flags = writable ? VRING_DESC_WRITE | VRING_DESC_NEXT
                              : VRING_DESC_NEXT,
            .next = (uint16_t)(i + 1),
        };
}

int virtqueue_add_table(struct virtqueue *q, uint16_t table, unsigned count,
                        uint32_t writable, void *cookie)
{
    uint16_t head = q->free_head;
    struct vring_desc *last;

    if (!cookie || !count || count > q->table_length)
        return -EINVAL;
    if (is_broken(q))
        return -EIO;
    if (!q->free_count)
        return -ENOSPC;
    last = &table_at(q, table)[count - 1];
    last->flags &= (uint16_t)~VRING_DESC_NEXT;
    q->slots[head].cookie = cookie;
    q->slots[head].writable = writable;
    q->slots[head].count = 1;
    q->slots[head].table = table;
    write_indirect(q, head, table, count);
    q->free_count--;
    publish(q, head);
    return 0;
}

/* virtio 1.2 2.7.10: has `event` been passed between `old` and `now`? */
static bool event_passed(uint16_t event, uint16_t now, uint16_t old)
{
    return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

void virtqueue_kick(struct virtqueue *q)
{
    uint16_t old = q->kicked, now = q->avail_index;
    bool wanted;

    if (old == now || is_broken(q))
        return;
    q->kicked = now;
    /* The index must be visible before we look whether the device sleeps. What
     * it answers decides about its own wake-up only, so it is not checked. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (q->event_index)
        wanted = event_passed(__atomic_load_n(q->avail_event, __ATOMIC_RELAXED),
                              now, old);
    else
        wanted = !(__atomic_load_n(&q->used->flags, __ATOMIC_RELAXED) &
                   VRING_USED_NO_NOTIFY);
    if (wanted)
        q->device->transport->notify(q->device, q);
}

/* --- getting them back --- */

/* Forget a chain: by what we know of it, not by what stands in the ring. */
static void *release_chain(struct virtqueue *q, uint16_t head)
{
    struct virtqueue_slot *s = &q->slots[head];
    void *cookie = s->cookie;
    uint16_t last = head;

    for (uint16_t i = 1; i < s->count; i++)
        last = q->slots[last].next;
    if (s->table != VIRTQUEUE_NO_TABLE)
        virtqueue_drop_table(q, s->table);
    s->table = VIRTQUEUE_NO_TABLE;
    s->cookie = NULL;
    q->slots[last].next = q->free_head;
    q->free_head = head;
    q->free_count = (uint16_t)(q->free_count + s->count);
    q->in_flight--;
    return cookie;
}

static uint16_t used_index(const struct virtqueue *q)
{
    return __atomic_load_n(&q->used->index, __ATOMIC_ACQUIRE);
}

/* A copy of the next used element; each half is read once. */
static struct vring_used_element read_element(const struct virtqueue *q)
{
    const struct vring_used_element *e;

    e = &q->used->ring[q->last_used & (q->size - 1)];
    return (struct vring_used_element){
        .id = __atomic_load_n(&e->id, __ATOMIC_RELAXED),
        .len = __atomic_load_n(&e->len, __ATOMIC_RELAXED),
    };
}

/* Is that a chain of ours, with no more written than there was room for? Where
 * nothing can be written the length means nothing: QEMU's virtio-input says
 * there how much it has read. */
static bool check_element(const struct virtqueue *q,
                          struct vring_used_element *e)
{
    if (e->id >= q->size || !q->slots[e->id].cookie)
        return false;
    if (e->len <= q->slots[e->id].writable)
        return true;
    if (q->exact_lengths && q->slots[e->id].writable)
        return false;
    e->len = q->slots[e->id].writable;
    return true;
}

void *virtqueue_get(struct virtqueue *q, uint32_t *written)
{
    struct vring_used_element e;
    uint16_t ready;

    if (is_broken(q))
        return NULL;
    ready = (uint16_t)(used_index(q) - q->last_used);
    if (!ready)
        return NULL;
    e = read_element(q);
    if (ready > q->in_flight || !check_element(q, &e)) {
        break_device(q);
        return NULL;
    }
    q->last_used++;
    if (written)
        *written = e.len;
    return release_chain(q, (uint16_t)e.id);
}

/* --- interrupts --- */

void virtqueue_disable_callback(struct virtqueue *q)
{
    /* With the event index, not moving it is enough: the device passes it once
     * and is silent then. */
    if (!q->event_index)
        __atomic_store_n(&q->avail->flags, VRING_AVAIL_NO_INTERRUPT,
                         __ATOMIC_RELAXED);
}

bool virtqueue_enable_callback(struct virtqueue *q)
{
    if (q->event_index)
        __atomic_store_n(q->used_event, q->last_used, __ATOMIC_RELAXED);
    else
        __atomic_store_n(&q->avail->flags, 0, __ATOMIC_RELAXED);
    /* What the device did before it could see that must be seen by us. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return is_broken(q) || used_index(q) == q->last_used;
}

void *virtqueue_detach(struct virtqueue *q)
{
    for (; q->detach_at < q->size; q->detach_at++)
        if (q->slots[q->detach_at].cookie)
            return release_chain(q, q->detach_at);
    q->detach_at = 0;
    return NULL;
}

uint32_t virtqueue_free_slots(const struct virtqueue *q)
{
    return q->free_count;
}
