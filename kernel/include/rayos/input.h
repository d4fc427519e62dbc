/*
 * Keys, in the way of evdev: a key has a code (the names and numbers of Linux's
 * input-event-codes) and a value, 0 released, 1 pressed, 2 repeated. Drivers
 * report; the focus gets them (today: the screen's terminal).
 */
#ifndef RAYOS_INPUT_H
#define RAYOS_INPUT_H

#include <rayos/types.h>

struct input_event {
    nstime_t time;
    uint16_t code;
    int32_t value;
};

/* Interrupt or thread context. */
void input_report_key(uint16_t code, int32_t value);
/* The one consumer for now; called in the reporter's context. */
void input_set_sink(void (*sink)(const struct input_event *e));

#endif
