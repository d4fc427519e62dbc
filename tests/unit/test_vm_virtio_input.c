/* sources: vmm/devices/virtio_input.c vmm/devices/input_backlog.c
   vmm/devices/input_config.c vmm/devices/virtio_queue.c */
/* A guest's keyboard and tablet, with a driver on the other side. */
#include "virtio_driver.h"

#include <rayos/input.h>

#include "vmm/devices/virtio_input.h"
#include "vmm/vm.h"

#define EVENT_BYTES 8
#define BUFFERS     0x10000 /* in the guest's memory */

struct told {
    uint16_t type, code;
    uint32_t value;
};

static struct virtio_input *in;
static struct virtio_device *device;
static struct driver_queue events, status;
static unsigned leds, leds_calls;

void *kzalloc(size_t size)
{
    return calloc(1, size);
}

void kfree(void *p)
{
    free(p);
}

void virtio_device_init(struct virtio_device *d, const struct virtio_model *m,
                        struct vm *vm, void *state)
{
    *d = (struct virtio_device){.model = m,
                                .vm = vm,
                                .state = state,
                                .memory = &driver_memory,
                                .interrupt = driver_interrupt};
}

int virtio_mmio_attach(struct vm *vm, struct virtio_device *d)
{
    (void)vm, (void)d;
    return -ENOSPC;
}

static void on_leds(void *arg, unsigned now)
{
    CHECK(arg == &leds);
    leds = now;
    leds_calls++;
}

static void begin(const struct input_kind *kind)
{
    in = virtio_input_new(NULL, kind, on_leds, &leds);
    device = virtio_input_device(in);
    leds = leds_calls = 0;
    memset(driver_interrupts, 0, sizeof(driver_interrupts));
    events = driver_queue_make(device, 0);
    status = driver_queue_make(device, 1);
}

static void go(void)
{
    device->status |= VIRTIO_STATUS_DRIVER_OK;
    device->model->activated(device);
}

static void end(void)
{
    device->model->reset(device);
    device->model->destroy(device);
}

/* A buffer for one event. */
static void offer(unsigned i)
{
    driver_describe(&events, i, BUFFERS + i * EVENT_BYTES, EVENT_BYTES,
                    DRIVER_WRITE, 0);
    driver_offer(&events, i);
}

static bool told(struct told *out)
{
    uint32_t id, length;

    if (!driver_take(&events, &id, &length))
        return false;
    CHECK_EQ(length, EVENT_BYTES);
    memcpy(out, driver_memory.ram + BUFFERS + id * EVENT_BYTES, EVENT_BYTES);
    return true;
}

static void expect(uint16_t type, uint16_t code, uint32_t value)
{
    struct told t = {0xffff, 0xffff, 0};

    CHECK(told(&t));
    CHECK_EQ(t.type, type);
    CHECK_EQ(t.code, code);
    CHECK_EQ(t.value, value);
}

static void report(uint16_t type, uint16_t code, int32_t value)
{
    virtio_input_event(in, type, code, value);
    virtio_input_event(in, INPUT_SYN, 0, 0);
}

TEST(a_key_reaches_the_driver_with_one_interrupt)
{
    begin(&input_kind_keyboard);
    for (unsigned i = 0; i < 4; i++)
        offer(i);
    go();
    report(INPUT_KEY, KEY_A, 1);
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_USED], 1);
    expect(INPUT_KEY, KEY_A, 1);
    expect(INPUT_SYN, 0, 0);
    report(INPUT_KEY, BTN_LEFT, 1); /* the tablet's */
    report(INPUT_ABS, ABS_X, 1);
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_USED], 1);
    report(INPUT_KEY, KEY_A, 0);
    expect(INPUT_KEY, KEY_A, 0);
    expect(INPUT_SYN, 0, 0);
    end();
}

TEST(without_a_driver_nothing_is_kept)
{
    struct virtio_input_stats stats;
    struct told t;

    begin(&input_kind_keyboard);
    offer(0);
    report(INPUT_KEY, KEY_A, 1);
    go();
    report(INPUT_KEY, KEY_A, 0); /* it never saw the press */
    CHECK(!told(&t));
    virtio_input_get_stats(in, &stats);
    CHECK(stats.ready);
    CHECK_EQ(stats.events, 0);
    end();
}

TEST(events_wait_until_there_are_buffers)
{
    begin(&input_kind_keyboard);
    offer(0);
    go();
    report(INPUT_KEY, KEY_A, 1);
    report(INPUT_KEY, KEY_A, 0);
    expect(INPUT_KEY, KEY_A, 1);
    CHECK_EQ(events.seen, events.used->index);
    for (unsigned i = 1; i < 4; i++)
        offer(i);
    device->model->notify(device, events.q);
    expect(INPUT_SYN, 0, 0);
    expect(INPUT_KEY, KEY_A, 0);
    expect(INPUT_SYN, 0, 0);
    end();
}

TEST(a_reset_forgets_what_waited_and_what_was_held)
{
    struct told t;

    begin(&input_kind_keyboard);
    go();
    report(INPUT_KEY, KEY_A, 1);
    device->model->reset(device);
    offer(0);
    offer(1);
    go();
    device->model->notify(device, events.q);
    report(INPUT_KEY, KEY_A, 0);
    CHECK(!told(&t));
    report(INPUT_KEY, KEY_A, 1);
    expect(INPUT_KEY, KEY_A, 1);
    end();
}

TEST(a_short_buffer_breaks_the_device_and_nothing_else)
{
    begin(&input_kind_tablet);
    driver_describe(&events, 0, BUFFERS, EVENT_BYTES - 1, DRIVER_WRITE, 0);
    driver_offer(&events, 0);
    go();
    report(INPUT_KEY, BTN_LEFT, 1);
    CHECK(device->status & VIRTIO_STATUS_NEEDS_RESET);
    report(INPUT_KEY, BTN_LEFT, 0);
    CHECK_EQ(events.used->index, 0);
    end();
    begin(&input_kind_tablet);
    driver_describe(&events, 0, DRIVER_RAM, EVENT_BYTES, DRIVER_WRITE, 0);
    driver_offer(&events, 0);
    go();
    report(INPUT_KEY, BTN_LEFT, 1);
    CHECK(device->status & VIRTIO_STATUS_NEEDS_RESET);
    end();
}

static void set_led(uint16_t code, uint32_t value)
{
    struct told t = {INPUT_LED, code, value};

    memcpy(driver_memory.ram + BUFFERS, &t, sizeof(t));
    driver_describe(&status, 0, BUFFERS, EVENT_BYTES, 0, 0);
    driver_offer(&status, 0);
    device->model->notify(device, status.q);
}

TEST(leds_come_back)
{
    begin(&input_kind_keyboard);
    go();
    set_led(LED_CAPSL, 1);
    CHECK_EQ(leds, 1u << LED_CAPSL);
    set_led(LED_NUML, 1);
    CHECK_EQ(leds, 1u << LED_CAPSL | 1u << LED_NUML);
    set_led(LED_CAPSL, 0);
    set_led(40, 1);
    CHECK_EQ(leds, 1u << LED_NUML);
    CHECK_EQ(status.used->index, 4);
    device->model->reset(device);
    CHECK_EQ(leds, 0);
    end();
}

TEST(the_configuration_answers_what_is_selected)
{
    uint8_t question[2] = {INPUT_CONFIG_NAME, 0}, size = 0;
    char name[INPUT_CONFIG_ANSWER];

    begin(&input_kind_tablet);
    device->model->config_read(device, 2, &size, 1);
    CHECK_EQ(size, 0);
    device->model->config_write(device, 0, question, 2);
    device->model->config_read(device, 2, &size, 1);
    CHECK_EQ(size, strlen(input_kind_tablet.name));
    device->model->config_read(device, 8, name, sizeof(name));
    CHECK_STR(name, input_kind_tablet.name);
    question[0] = INPUT_CONFIG_EVENTS;
    device->model->config_write(device, 0, question, 1);
    question[1] = INPUT_ABS;
    device->model->config_write(device, 1, question + 1, 1);
    device->model->config_read(device, 2, &size, 1);
    CHECK_EQ(size, 1);
    device->model->config_write(device, 2, "\xff\xff\xff\xff", 4);
    device->model->config_read(device, 2, &size, 1);
    CHECK_EQ(size, 1);
    end();
}

CHECK_MAIN
