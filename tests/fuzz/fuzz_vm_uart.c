/* sources: vmm/devices/uart.c vmm/devices/console.c */
/*
 * A guest's UART under any accesses, while somebody types and reads: its line
 * is up only for a reason that it names, no more is kept than there is room
 * for, and what is typed arrives in order.
 */
#include <errno.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/vm_device_host.h"

#include "vmm/devices/console.h"

#define LINE      4
#define LCR       3
#define LSR       5
#define LCR_DLAB  0x80u
#define IIR       2
#define IIR_NONE  1u
#define READY     1u
#define FIFO_SIZE 16
#define STEPS_MAX 4096

static struct console *console;

/* Whatever the guest has set up: the bytes come to an end. */
static void drain(void)
{
    unsigned left = CONSOLE_INPUT + FIFO_SIZE;

    host_write(LCR, 1, 0);
    host_write(4, 1, 8); /* no loop-back */
    for (; host_read(LSR, 1) & READY; left--) {
        FUZZ_CHECK(left);
        host_read(0, 1);
    }
    FUZZ_CHECK(!console_waiting(console));
}

static void step(struct fuzz_input *in)
{
    uint8_t text[64], what = fuzz_byte(in), reg;
    uint64_t at = 0;

    switch (what % 4) {
    case 0:
        reg = fuzz_byte(in) % 8;
        host_write(reg, 1, fuzz_byte(in));
        break;
    case 1:
        host_read(fuzz_byte(in) % 8, 1);
        break;
    case 2:
        reg = fuzz_byte(in) % sizeof(text);
        fuzz_take(in, text, reg);
        console_type(console, text, reg);
        break;
    case 3:
        console_read(console, &at, text, sizeof(text), 0);
        if (what > 0xf0)
            host_device->ops->reset(host_device);
        break;
    }
}

static void check(void)
{
    FUZZ_CHECK(!host_strange);
    FUZZ_CHECK(console->input_used <= CONSOLE_INPUT);
    for (unsigned i = 0; i < HOST_GSIS; i++)
        FUZZ_CHECK(i == LINE || !host_line[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};

    host_begin();
    console = host_vm.console;
    for (unsigned n = 0; in.left && n < STEPS_MAX; n++) {
        step(&in);
        check();
    }
    if (host_line[LINE])
        FUZZ_CHECK(!(host_read(IIR, 1) & IIR_NONE));
    drain();
    host_end();
    console_fini(console);
    kfree(console);
    FUZZ_CHECK(!host_blocks);
    return 0;
}
