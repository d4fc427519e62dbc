/* sources: vmm/devices/virtio_console.c vmm/devices/virtio_console_control.c
   vmm/devices/virtio_queue.c vmm/devices/console.c
   vmm/devices/guest_ports.c */
/* A guest's terminal and its ports, with a driver on the other side. */
#include "virtio_console_host.h"

/* A console that is read on the host. */
static size_t read_console(struct guest_port *p, uint64_t *at, void *out,
                           size_t size)
{
    ssize_t n = console_read(&p->console, at, out, size, 0);

    return n < 0 ? 0 : (size_t)n;
}

static void expect_text(struct guest_port *p, uint64_t *at, const char *text)
{
    char said[256] = "";

    read_console(p, at, said, sizeof(said) - 1);
    CHECK_STR(said, text);
}

/* --- the protocol of control --- */

static void offer_control(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        host_buffer(VCONS_CONTROL_IN, i, 64);
    host_notify(VCONS_CONTROL_IN);
}

static void expect_message(unsigned id, unsigned event, const char *rest)
{
    char bytes[65] = "";
    struct vcons_message m;
    int n = host_taken(VCONS_CONTROL_IN, bytes);

    CHECK_EQ(n, sizeof(m) + strlen(rest));
    memcpy(&m, bytes, sizeof(m));
    CHECK_EQ(m.id, id);
    CHECK_EQ(m.event, event);
    CHECK_EQ(m.value, 1);
    if (n > (int)sizeof(m))
        CHECK_STR(bytes + sizeof(m), rest);
}

static void expect_silence(void)
{
    char bytes[65];

    CHECK_EQ(host_taken(VCONS_CONTROL_IN, bytes), -1);
}

TEST(the_driver_learns_of_all_ports)
{
    host_begin(VCONS_F_MULTIPORT);
    offer_control(8);
    expect_silence();
    host_control(7, VCONS_DEVICE_READY, 1);
    expect_message(0, VCONS_PORT_ADD, "");
    expect_message(1, VCONS_PORT_ADD, "");
    expect_silence();
    host_control(0, VCONS_PORT_READY, 1);
    expect_message(0, VCONS_CONSOLE_PORT, "");
    expect_message(0, VCONS_PORT_OPEN, "");
    host_control(1, VCONS_PORT_READY, 1);
    expect_message(1, VCONS_PORT_NAME, GUEST_AGENT);
    expect_message(1, VCONS_PORT_OPEN, "");
    expect_silence();
    CHECK(!host_vm.guest_ports->port[1].open);
    host_control(1, VCONS_PORT_OPEN, 1);
    CHECK(host_vm.guest_ports->port[1].open);
    host_end();
}

TEST(what_it_is_to_be_told_waits_for_buffers_and_is_bounded)
{
    host_begin(VCONS_F_MULTIPORT);
    for (int i = 0; i < 100; i++)
        host_control(1, VCONS_PORT_READY, 1);
    for (int i = 0; i < 100; i++)
        host_control(0, VCONS_DEVICE_READY, 1);
    offer_control(8);
    /* Being added anew, it is to be told no more than that. */
    expect_message(0, VCONS_PORT_ADD, "");
    expect_message(1, VCONS_PORT_ADD, "");
    expect_silence();
    host_end();
}

TEST(a_size_is_told_to_a_terminal_that_is_ready)
{
    char size[8] = {100, 0, 37, 0, 0};
    uint16_t told[2];

    host_begin(VCONS_F_MULTIPORT | VCONS_F_SIZE);
    offer_control(8);
    guest_ports_resize(host_vm.guest_ports, 80, 25);
    expect_silence();
    host_control(0, VCONS_PORT_READY, 1);
    host_taken(VCONS_CONTROL_IN, NULL);
    host_taken(VCONS_CONTROL_IN, NULL);
    CHECK_EQ(host_taken(VCONS_CONTROL_IN, NULL), 12);
    guest_ports_resize(host_vm.guest_ports, 100, 37);
    {
        char bytes[65];

        CHECK_EQ(host_taken(VCONS_CONTROL_IN, bytes), 12);
        CHECK(memcmp(bytes + 8, size, 4) == 0);
    }
    guest_ports_resize(host_vm.guest_ports, 100, 37);
    expect_silence();
    host_device->model->config_read(host_device, 0, told, sizeof(told));
    CHECK_EQ(told[0], 100);
    CHECK_EQ(told[1], 37);
    host_end();
}

TEST(a_message_that_is_none_breaks_the_device)
{
    host_begin(VCONS_F_MULTIPORT);
    host_control(2, VCONS_PORT_READY, 1);
    CHECK(host_broken());
    host_end();
    host_begin(VCONS_F_MULTIPORT);
    host_say(VCONS_CONTROL_OUT, "1234567", 7);
    CHECK(host_broken());
    host_end();
    host_begin(VCONS_F_MULTIPORT);
    host_buffer(VCONS_CONTROL_IN, 0, 7);
    host_control(0, VCONS_DEVICE_READY, 1);
    CHECK(host_broken());
    host_end();
    host_begin(VCONS_F_MULTIPORT);
    host_control(1, 0xffff, 1); /* an event that nobody knows */
    CHECK(!host_broken());
    host_end();
}

/* --- output --- */

TEST(what_the_guest_says_is_heard)
{
    uint64_t at[2] = {0, 0};

    host_begin(VCONS_F_MULTIPORT);
    host_say(1, "to the terminal", 15);
    host_say(5, "to the agent", 12);
    expect_text(&host_vm.guest_ports->port[0], &at[0], "to the terminal");
    expect_text(&host_vm.guest_ports->port[1], &at[1], "to the agent");
    CHECK_EQ(driver_interrupts[VIRTIO_INTERRUPT_USED], 2);
    host_say(1, "", 0);
    CHECK_EQ(host_queues[1].used->index, 2);
    host_end();
}

/* More than the console holds, in buffers larger than a part. */
TEST(a_port_loses_nothing_and_a_terminal_its_oldest)
{
    enum { BUFFER = 30000 };
    struct guest_ports *ports;
    static uint8_t all[4 * BUFFER], got[4 * BUFFER];
    uint64_t at = 0;
    size_t n = 0;

    host_begin(VCONS_F_MULTIPORT);
    ports = host_vm.guest_ports;
    for (unsigned i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)(i * 7 + i / 256);
    for (unsigned i = 0; i < 4; i++)
        host_say(5, all + i * BUFFER, BUFFER);
    CHECK_EQ(console_written(&ports->port[1].console), CONSOLE_HISTORY);
    CHECK_EQ(host_queues[5].used->index, 2);
    for (size_t k;
         (k = read_console(&ports->port[1], &at, got + n, sizeof(got) - n));
         n += k)
        ;
    CHECK_EQ(n, sizeof(all));
    CHECK(memcmp(all, got, n) == 0);
    CHECK_EQ(host_queues[5].used->index, 4);

    at = 0;
    for (unsigned i = 0; i < 4; i++)
        host_say(1, all + i * BUFFER, BUFFER);
    CHECK_EQ(host_queues[1].used->index, 4);
    n = read_console(&ports->port[0], &at, got, sizeof(got));
    CHECK_EQ(n, CONSOLE_HISTORY);
    CHECK(memcmp(all + sizeof(all) - n, got, n) == 0);
    host_end();
}

TEST(output_outside_of_memory_breaks_the_device)
{
    host_begin(VCONS_F_MULTIPORT);
    driver_describe(&host_queues[1], 0, DRIVER_RAM - 4, 8, 0, 0);
    driver_offer(&host_queues[1], 0);
    host_notify(1);
    CHECK(host_broken());
    host_end();
    /* Its end is beyond the last address there is. */
    host_begin(VCONS_F_MULTIPORT);
    driver_describe(&host_queues[1], 0, 0, 1000, DRIVER_NEXT, 1);
    driver_describe(&host_queues[1], 1, UINT64_MAX - 100, 1000, 0, 0);
    driver_offer(&host_queues[1], 0);
    host_notify(1);
    CHECK(host_broken());
    host_end();
}

TEST(an_emergency_byte_is_heard_at_once)
{
    uint32_t word = 'e';
    uint64_t at = 0;

    host_begin(0);
    host_device->model->config_write(host_device, 8, &word, 4);
    host_device->model->config_write(host_device, 0, &word, 4);
    expect_text(&host_vm.guest_ports->port[0], &at, "e");
    host_end();
}

/* --- input --- */

static void type(unsigned port, const char *text)
{
    struct guest_port *p = &host_vm.guest_ports->port[port];

    CHECK_EQ(console_type(&p->console, text, strlen(text)), strlen(text));
}

static void expect_input(unsigned queue, const char *text)
{
    char bytes[65] = "";

    CHECK_EQ(host_taken(queue, bytes), strlen(text));
    CHECK_STR(bytes, text);
}

TEST(a_driver_without_ports_has_a_terminal)
{
    host_begin(0);
    host_buffer(0, 0, 64);
    host_buffer(4, 0, 64);
    type(0, "date\n");
    expect_input(0, "date\n");
    host_control(0, VCONS_DEVICE_READY, 1); /* is not looked at */
    CHECK_EQ(host_queues[VCONS_CONTROL_OUT].used->index, 0);
    type(1, "lost to it");
    host_notify(4);
    host_say(5, "neither", 7);
    CHECK_EQ(host_taken(4, NULL), -1);
    CHECK_EQ(console_written(&host_vm.guest_ports->port[1].console), 0);
    host_end();
}

TEST(input_waits_for_the_driver_for_the_port_and_for_buffers)
{
    host_begin(VCONS_F_MULTIPORT);
    type(1, "early");
    host_buffer(4, 0, 3);
    host_notify(4);
    CHECK_EQ(host_taken(4, NULL), -1);
    host_control(1, VCONS_PORT_READY, 1);
    CHECK_EQ(host_taken(4, NULL), -1);
    host_control(1, VCONS_PORT_OPEN, 1);
    expect_input(4, "ear");
    CHECK_EQ(host_taken(4, NULL), -1);
    host_buffer(4, 1, 64);
    host_notify(4);
    expect_input(4, "ly");
    host_buffer(4, 2, 64);
    type(1, "late");
    expect_input(4, "late");
    host_end();
}

TEST(typing_is_bounded)
{
    static char much[CONSOLE_INPUT + 100];
    struct console *c;

    host_begin(VCONS_F_MULTIPORT);
    c = &host_vm.guest_ports->port[0].console;
    CHECK_EQ(console_type(c, much, sizeof(much)), CONSOLE_INPUT);
    CHECK_EQ(console_type(c, much, 1), 0);
    CHECK_EQ(c->input_refused, 101);
    host_end();
}

TEST(who_comes_next_does_not_hear_what_was_for_another)
{
    host_begin(VCONS_F_MULTIPORT);
    host_control(1, VCONS_PORT_READY, 1);
    host_control(1, VCONS_PORT_OPEN, 1);
    type(1, "for the first");
    host_control(1, VCONS_PORT_OPEN, 0);
    host_buffer(4, 0, 64);
    host_control(1, VCONS_PORT_OPEN, 1);
    CHECK_EQ(host_taken(4, NULL), -1);
    host_control(1, VCONS_PORT_OPEN, 0);
    type(1, "before the reset");
    type(0, "kept");
    host_device->model->reset(host_device);
    CHECK(!host_vm.guest_ports->port[1].open);
    CHECK_EQ(console_waiting(&host_vm.guest_ports->port[1].console), 0);
    CHECK_EQ(console_waiting(&host_vm.guest_ports->port[0].console), 4);
    host_end();
}

TEST(a_buffer_that_takes_nothing_breaks_the_device)
{
    host_begin(0);
    host_buffer(0, 0, 0);
    type(0, "x");
    CHECK(host_broken());
    host_end();
    host_begin(0);
    driver_describe(&host_queues[0], 0, DRIVER_RAM, 8, DRIVER_WRITE, 0);
    driver_offer(&host_queues[0], 0);
    type(0, "x");
    CHECK(host_broken());
    host_end();
}

TEST(without_its_device_a_console_is_patient)
{
    struct guest_ports *ports;
    uint64_t at = 0;

    host_begin(VCONS_F_MULTIPORT);
    host_say(1, "last words", 10);
    ports = host_vm.guest_ports;
    host_leave();
    CHECK_EQ(console_type(&ports->port[0].console, "x", 1), 1);
    expect_text(&ports->port[0], &at, "last words");
    guest_ports_free(ports);
}

CHECK_MAIN
