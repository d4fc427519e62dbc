/*
 * Where drivers report keys and the consumer takes them. Any context but NMI.
 */
#include <rayos/input.h>

#include <rayos/clock.h>

static void (*_Atomic input_sink)(const struct input_event *e);

void input_set_sink(void (*sink)(const struct input_event *e))
{
    input_sink = sink;
}

void input_report_key(uint16_t code, int32_t value)
{
    void (*sink)(const struct input_event *e) = input_sink;
    struct input_event e = {.time = clock_now(), .code = code, .value = value};

    if (sink)
        sink(&e);
}
