/*
 * A VM's screen and what a person tells it: a surface of the VM's name that
 * shows its virtio-gpu, and an input stream that feeds its keyboard and tablet.
 * Both stay from the first start of the VM until it is destroyed, so that a
 * guest that starts again finds its place on the screen. Thread context unless
 * said.
 */
#ifndef VMM_DEVICES_VM_DISPLAY_H
#define VMM_DEVICES_VM_DISPLAY_H

#include <rayos/types.h>

struct vm;
struct vm_display;

struct vm_display_stats {
    bool active;                   /* the guest's driver shows a picture */
    uint32_t width, height;        /* of the picture */
    uint64_t frames, frames_total; /* flushes, since the start and ever */
    uint64_t pixels;               /* flushed, ever */
    uint64_t commands, errors, memory;
    uint32_t resources;
    bool keyboard, tablet; /* a driver uses them */
    uint64_t events, dropped;
    uint32_t waiting; /* events that the drivers have not taken */
};

/* false: it has no display, or was never started. */
bool vm_display_get_stats(struct vm *vm, struct vm_display_stats *out);
/* A key or a button, whoever has the focus; SYN is the caller's. -ENODEV. */
int vm_display_inject(struct vm *vm, uint16_t type, uint16_t code,
                      int32_t value);
/* Its last reference goes. NULL: none. The VM does not run. */
void vm_display_free(struct vm_display *d);

#endif
