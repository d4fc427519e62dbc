/* sources: vmm/devices/uart.c vmm/devices/console.c */
/* A guest's UART: what it says, what is typed, when it interrupts. */
#include <errno.h>

#include "check.h"
#include "vm_device_host.h"

#include "vmm/devices/console.h"

#define LINE     4
#define DATA     0
#define IER      1
#define IIR      2
#define FCR      2
#define LCR      3
#define MCR      4
#define LSR      5
#define MSR      6
#define SCRATCH  7
#define RECEIVED 1u
#define EMPTY    2u
#define STATUS   4u
#define FIFOS    0xc1u /* trigger at 14 */
#define OUT2     8u
#define LOOP     0x10u
#define IDLE     0x60u
#define HAS_DATA 1u
#define OVERRUN  2u

static void begin(void)
{
    host_begin();
}

static void end(void)
{
    struct console *c = host_vm.console;

    host_end();
    console_fini(c);
    kfree(c);
    CHECK_EQ(host_blocks, 0);
}

static void put(uint64_t reg, unsigned value)
{
    host_write(reg, 1, value);
}

static unsigned get(uint64_t reg)
{
    return (unsigned)host_read(reg, 1);
}

static void type(const char *text)
{
    CHECK_EQ(console_type(host_vm.console, text, strlen(text)), strlen(text));
}

/* What was said so far. */
static const char *said(void)
{
    static char text[64];
    uint64_t at = 0;
    ssize_t n = console_read(host_vm.console, &at, text, sizeof(text) - 1, 0);

    text[n > 0 ? n : 0] = '\0';
    return text;
}

TEST(what_is_written_is_said_and_the_line_is_free_again)
{
    begin();
    CHECK_EQ(get(LSR), IDLE);
    for (const char *s = "hello"; *s; s++)
        put(DATA, (unsigned char)*s);
    CHECK_STR(said(), "hello");
    CHECK_EQ(get(LSR), IDLE);
    CHECK(!host_rises[LINE]);
    end();
}

TEST(an_empty_holding_register_interrupts_once)
{
    begin();
    put(MCR, OUT2);
    put(IER, EMPTY);
    CHECK(host_line[LINE]);
    CHECK_EQ(get(IIR), 2); /* which is the answer */
    CHECK(!host_line[LINE]);
    CHECK_EQ(get(IIR), 1);
    put(DATA, 'x');
    CHECK(host_line[LINE]);
    put(IER, 0);
    CHECK(!host_line[LINE]);
    put(MCR, 0); /* cuts the line off, too */
    put(IER, EMPTY);
    CHECK(!host_line[LINE]);
    end();
}

TEST(without_fifos_one_byte_waits)
{
    begin();
    put(MCR, OUT2);
    put(IER, RECEIVED);
    type("abc");
    CHECK(host_line[LINE]);
    CHECK_EQ(get(IIR), 4);
    CHECK_EQ(get(DATA), 'a');
    CHECK_EQ(get(LSR), IDLE | HAS_DATA);
    CHECK_EQ(get(DATA), 'b');
    CHECK_EQ(get(DATA), 'c');
    CHECK_EQ(get(LSR), IDLE);
    CHECK(!host_line[LINE]);
    CHECK_EQ(get(DATA), 0);
    end();
}

TEST(fifos_have_a_trigger_and_a_timeout)
{
    begin();
    put(MCR, OUT2);
    put(FCR, FIFOS);
    put(IER, RECEIVED);
    type("0123456789abcdefghij");
    CHECK_EQ(get(IIR), 0xc4);
    for (const char *s = "0123456789abcdefgh"; *s; s++)
        CHECK_EQ(get(DATA), (unsigned char)*s);
    CHECK_EQ(get(IIR), 0xcc);
    CHECK_EQ(get(DATA), 'i');
    put(FCR, FIFOS | 2); /* clears what is in it */
    CHECK_EQ(get(LSR), IDLE);
    CHECK(!host_line[LINE]);
    end();
}

TEST(in_loop_back_it_hears_itself)
{
    begin();
    put(MCR, OUT2 | LOOP | 3);
    CHECK_EQ(get(MSR), 0xb0);
    put(DATA, 'x');
    CHECK_STR(said(), "");
    type("typed"); /* the line is cut */
    CHECK_EQ(get(LSR), IDLE | HAS_DATA);
    put(DATA, 'y'); /* no room */
    CHECK_EQ(get(LSR), IDLE | HAS_DATA | OVERRUN);
    CHECK_EQ(get(LSR), IDLE | HAS_DATA); /* which is the answer */
    CHECK_EQ(get(DATA), 'x');
    CHECK_EQ(get(LSR), IDLE);
    put(MCR, OUT2);
    CHECK_EQ(get(DATA), 't');
    end();
}

TEST(registers_keep_what_they_have)
{
    begin();
    put(SCRATCH, 0x5a);
    put(IER, 0xff);
    put(LCR, 0x83);
    put(DATA, 1);
    put(IER, 2);
    CHECK_EQ(get(DATA), 1);
    CHECK_EQ(get(IER), 2);
    put(LCR, 3);
    CHECK_EQ(get(IER), 0x0f);
    CHECK_EQ(get(LCR), 3);
    CHECK_EQ(get(SCRATCH), 0x5a);
    CHECK_EQ(get(MSR), 0xb0);
    CHECK_STR(said(), "");
    host_device->ops->reset(host_device);
    CHECK_EQ(get(SCRATCH), 0);
    CHECK_EQ(get(IER), 0);
    end();
}

CHECK_MAIN
