/* sources: vmm/devices/pit_channel.c vmm/devices/rtc_registers.c
   vmm/devices/pic.c */
/*
 * The 8254's counters, the clock's registers and the 8259s under any writes, at
 * any times: a date has the numbers of a date, a counter's next edge is in the
 * future, what an 8259 gives is a vector of its own.
 */
#include "tests/fuzz/fuzz.h"

#include "vmm/devices/pic.h"
#include "vmm/devices/pit_channel.h"
#include "vmm/devices/rtc_registers.h"

static struct pit_channel pit;
static struct rtc_registers rtc;
static struct pic pic;
static nstime_t now;

static void pit_step(struct fuzz_input *in)
{
    uint8_t value = fuzz_byte(in);
    nstime_t edge;

    switch (fuzz_byte(in) % 6) {
    case 0:
        pit_channel_set_mode(&pit, value, now);
        break;
    case 1:
        pit_channel_write(&pit, value, now);
        break;
    case 2:
        pit_channel_read(&pit, now);
        break;
    case 3:
        pit_channel_latch_count(&pit, now);
        break;
    case 4:
        pit_channel_latch_status(&pit, now);
        break;
    case 5:
        pit_channel_set_gate(&pit, value & 1, now);
        break;
    }
    pit_channel_output(&pit, now);
    edge = pit_channel_next_edge(&pit, now);
    FUZZ_CHECK(edge > now);
}

static void rtc_step(struct fuzz_input *in)
{
    uint8_t index = fuzz_byte(in) % RTC_CMOS_SIZE, value = fuzz_byte(in);
    uint8_t how = fuzz_byte(in);
    int64_t wall = (int64_t)now;

    if (how & 1)
        rtc_registers_write(&rtc, index, value, wall);
    else
        rtc_registers_read(&rtc, index, wall);
    if (how & 2)
        rtc_registers_raise(&rtc, value & 0x70);
    rtc_registers_alarm(&rtc, wall);
    rtc_registers_period(&rtc);
}

static void pic_step(struct fuzz_input *in)
{
    static const uint16_t ports[] = {0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
    uint16_t port = ports[fuzz_byte(in) % 6];
    uint8_t value = fuzz_byte(in), vector;

    switch (fuzz_byte(in) % 4) {
    case 0:
        pic_write(&pic, port, value);
        break;
    case 1:
        pic_read(&pic, port);
        break;
    case 2:
        pic_set_line(&pic, value % PIC_LINES, value >> 7);
        break;
    case 3:
        vector = pic_acknowledge(&pic);
        FUZZ_CHECK(vector >> 3 == pic.chip[0].base >> 3 ||
                   vector >> 3 == pic.chip[1].base >> 3);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint32_t later = 0;

    now = 1000000;
    pit_channel_reset(&pit, true);
    memset(&rtc, 0, sizeof(rtc));
    rtc_registers_reset(&rtc);
    pic_reset(&pic);
    while (in.left) {
        uint8_t step = fuzz_byte(&in);

        if (step & 0x80) {
            fuzz_take(&in, &later, sizeof(later));
            now += later;
        }
        if (step % 3 == 0)
            pit_step(&in);
        else if (step % 3 == 1)
            rtc_step(&in);
        else
            pic_step(&in);
    }
    return 0;
}
