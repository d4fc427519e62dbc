/* sources: drivers/virtio/virtqueue.c */
/*
 * A virtqueue with a hostile device: the input is a list of steps, of the
 * driver's (add, get, kick, ...) and of a device that writes any byte anywhere
 * in the memory that it knows. Whatever it does, a buffer comes back once at
 * most, never with more bytes than there was room for, and after a reset all
 * that is inside comes back.
 */
#include "tests/fuzz/fuzz.h"

#include "drivers/virtio/virtqueue.h"

#define SIZE        8
#define TABLE       6
#define TABLES      2
#define RING_BYTES  (2 * 4096)
#define BUFFERS_MAX 10

enum step {
    ADD,
    GET,
    KICK,
    ENABLE,
    DISABLE,
    RESET,
    GIVE,     /* the device: a used element, as it should be made */
    SCRIBBLE, /* the device: a byte of a ring */
    SCRIBBLE_TABLE,
    ADD_TABLE,
    STEPS
};

struct buffer {
    uint32_t room;
    bool inside;
};

static struct virtqueue q;
static struct virtio_device device;
static struct virtqueue_slot slots[SIZE];
static uint16_t stack[TABLES];
static struct vring_desc tables[TABLES * TABLE];
static _Alignas(4096) uint8_t ring[RING_BYTES];
static struct buffer inside[SIZE];

static void ignore_notify(struct virtio_device *v, struct virtqueue *which)
{
    (void)v, (void)which;
}

static void ignore_callback(struct virtqueue *which, void *arg)
{
    (void)which, (void)arg;
}

static const struct virtio_transport transport = {.notify = ignore_notify};

static void start(uint8_t flags)
{
    memset(ring, 0, sizeof(ring));
    device = (struct virtio_device){.transport = &transport};
    device.features = (flags & 1 ? VIRTIO_F_EVENT_IDX : 0) |
                      (flags & 2 ? VIRTIO_F_VERSION_1 : 0);
    q = (struct virtqueue){
        .device = &device,
        .size = SIZE,
        .slots = slots,
        .callback = ignore_callback,
    };
    if (flags & 4) {
        q.tables = tables;
        q.tables_phys = 0x10000;
        q.table_length = TABLE;
        q.table_free = TABLES;
        q.table_stack = stack;
    }
    virtqueue_init(&q, ring);
    memset(inside, 0, sizeof(inside));
}

static void add(struct fuzz_input *in)
{
    unsigned out = fuzz_byte(in) % 6, back = fuzz_byte(in) % 5;
    struct virtio_buffer buffers[BUFFERS_MAX];
    uint32_t room = 0;
    struct buffer *b = inside;

    while (b < inside + SIZE && b->inside)
        b++;
    if (b == inside + SIZE)
        return;
    for (unsigned i = 0; i < out + back; i++) {
        buffers[i] = (struct virtio_buffer){i * 4096, fuzz_byte(in) % 4};
        room += i < out ? 0 : buffers[i].length;
    }
    if (virtqueue_add(&q, buffers, out, back, b) == 0)
        *b = (struct buffer){room, true};
}

/* In steps; or it is thought better of. */
static void add_table(struct fuzz_input *in)
{
    unsigned count = fuzz_byte(in) % (TABLE + 2);
    uint16_t table = virtqueue_take_table(&q);
    struct buffer *b = inside;

    while (b < inside + SIZE && b->inside)
        b++;
    if (table == VIRTQUEUE_NO_TABLE)
        return;
    for (unsigned i = 0; i < count; i++)
        virtqueue_fill_table(&q, table, i, (struct virtio_buffer){i, 4}, true);
    if (b == inside + SIZE || fuzz_byte(in) % 8 == 0 ||
        virtqueue_add_table(&q, table, count, count * 4, b))
        virtqueue_drop_table(&q, table);
    else
        *b = (struct buffer){count * 4, true};
}

static void came_back(struct buffer *b)
{
    FUZZ_CHECK(b >= inside && b < inside + SIZE);
    FUZZ_CHECK(b->inside);
    b->inside = false;
}

static void get(void)
{
    uint32_t written = 0;
    struct buffer *b = virtqueue_get(&q, &written);

    if (!b)
        return;
    came_back(b);
    FUZZ_CHECK(written <= b->room);
}

static void reset(void)
{
    struct buffer *b;

    while ((b = virtqueue_detach(&q)))
        came_back(b);
    for (int i = 0; i < SIZE; i++)
        FUZZ_CHECK(!inside[i].inside);
    FUZZ_CHECK(virtqueue_free_slots(&q) == SIZE);
    FUZZ_CHECK(!q.table_length || q.table_free == TABLES);
}

static void give(struct fuzz_input *in)
{
    uint32_t id = fuzz_byte(in) % (SIZE + 1);

    q.used->ring[q.used->index % SIZE] = (struct vring_used_element){
        id, fuzz_byte(in)};
    q.used->index++;
}

static void take_step(struct fuzz_input *in, uint8_t flags)
{
    uint16_t at;

    switch ((enum step)(fuzz_byte(in) % STEPS)) {
    case ADD:
        add(in);
        break;
    case GET:
        get();
        break;
    case KICK:
        virtqueue_kick(&q);
        break;
    case ENABLE:
        virtqueue_enable_callback(&q);
        break;
    case DISABLE:
        virtqueue_disable_callback(&q);
        break;
    case RESET:
        reset();
        start(flags);
        break;
    case GIVE:
        give(in);
        break;
    case SCRIBBLE: /* the used ring begins the second page */
        fuzz_take(in, &at, sizeof(at));
        ring[(at & 0x100 ? 4096 : 0) + (at & 0xff)] = fuzz_byte(in);
        break;
    case SCRIBBLE_TABLE:
        ((uint8_t *)tables)[fuzz_byte(in) % sizeof(tables)] = fuzz_byte(in);
        break;
    case ADD_TABLE:
        add_table(in);
        break;
    case STEPS:
        break;
    }
    FUZZ_CHECK(virtqueue_free_slots(&q) <= SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t flags = fuzz_byte(&in);

    start(flags);
    while (in.left)
        take_step(&in, flags);
    reset();
    return 0;
}
