/*
 * A VM's screen: see vm_display.h. The scanout's resource is the surface's
 * picture, so that a flushed pixel is copied by nobody but the compositor.
 *
 * Locks: the gpu's mutex is held in its operations; display->lock, a spin lock,
 * protects the pointers to devices, which go when the VM stops.
 */
#include "vmm/devices/vm_display.h"

#include <errno.h>
#include <string.h>

#include <rayos/event.h>
#include <rayos/fmt.h>
#include <rayos/input.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/surface.h>
#include <rayos/thread.h>

#include "vmm/devices/gpu_edid.h"
#include "vmm/devices/virtio_gpu.h"
#include "vmm/devices/virtio_input.h"
#include "vmm/vm.h"

/* A view may have any size, a guest's screen has at least this. */
#define WIDTH_MIN  320
#define HEIGHT_MIN 200

struct vm_display {
    struct vm_device device; /* once for each start of the VM */
    char name[SURFACE_NAME_MAX];
    uint32_t vm_id;
    struct surface *surface;
    struct input_stream stream;
    struct spinlock lock;
    /* lock: all below */
    struct virtio_gpu *gpu; /* NULL: the VM does not run */
    struct virtio_input *keyboard, *tablet;
    uint32_t wanted_width, wanted_height;
    uint32_t width, height; /* of the picture */
    bool active;
    uint64_t frames, frames_total, pixels;
};

/* --- events --- */

enum { DISPLAY_OFF, DISPLAY_ON, DISPLAY_RESIZED, DISPLAY_FIRST_FRAME };

static const struct event_constant display_codes[] = {
    {"off", DISPLAY_OFF},
    {"on", DISPLAY_ON},
    {"resized", DISPLAY_RESIZED},
    {"first_frame", DISPLAY_FIRST_FRAME},
    {0}};

#define SIZE_FIELDS                                                 \
    {.name = "width",                                               \
     .doc = "pixels",                                               \
     .kind = EVENT_U32,                                             \
     .offset = offsetof(struct event, value),                       \
     .size = sizeof(uint32_t)},                                     \
    {                                                               \
        .name = "height", .doc = "pixels", .kind = EVENT_U32,       \
        .offset = offsetof(struct event, value) + sizeof(uint32_t), \
        .size = sizeof(uint32_t)                                    \
    }

static const struct event_field display_fields[] = {
    {.name = "code",
     .doc = "what happened to its picture",
     .kind = EVENT_U32,
     .offset = offsetof(struct event, code),
     .size = sizeof(uint32_t),
     .constants = display_codes},
    EVENT_FIELD_AS("frame", source, EVENT_U32, "frames since the VM's start"),
    EVENT_FIELD_AS("vm", text, EVENT_TEXT, "its name"),
    SIZE_FIELDS,
    {0}};
EVENT_TYPE(vm_display,
           .doc = "the picture of a virtual machine's screen comes, goes, has "
                  "another size, or is drawn for the first time",
           .fields = display_fields);

static const struct event_field frame_fields[] = {
    EVENT_FIELD_AS("frame", source, EVENT_U32, "frames since the VM's start"),
    EVENT_FIELD_AS("vm", text, EVENT_TEXT, "its name"),
    SIZE_FIELDS,
    {0}};
EVENT_TYPE(vm_frame,
           .doc = "a virtual machine has finished drawing a part of its "
                  "screen, of that size",
           .fields = frame_fields);

static void raise(const struct vm_display *d, const struct event_type *type,
                  uint32_t code, uint32_t width, uint32_t height)
{
    struct event e = {.code = code,
                      .source = (uint32_t)d->frames,
                      .value = (int64_t)((uint64_t)height << 32 | width)};

    memcpy(e.text, d->name, sizeof(e.text));
    event_raise(type, &e);
}

/* --- the picture: operations of the gpu --- */

/* Until the guest draws its own, a dot: it shows where a click would go, and a
 * pointer that the guest draws itself is seen under it. */
static void set_dot(struct surface *s)
{
    enum { SIDE = 5 };
    static const uint32_t light = 0xc0ffffff, dark = 0xc0000000;
    uint32_t argb[SIDE * SIDE];

    for (uint32_t i = 0; i < SIDE * SIDE; i++) {
        uint32_t x = i % SIDE, y = i / SIDE;
        bool edge = x == 0 || y == 0 || x == SIDE - 1 || y == SIDE - 1;
        bool corner = (x == 0 || x == SIDE - 1) && (y == 0 || y == SIDE - 1);

        argb[i] = corner ? 0 : edge ? dark : light;
    }
    surface_set_pointer(s, SURFACE_POINTER_OWN,
                        &(struct surface_pointer_picture){argb, SIDE, SIDE,
                                                          SIDE / 2, SIDE / 2});
}

/* A black picture of its own. Where there is no memory for one, a dark pixel:
 * the guest's must be let go of in any case. */
static void show_nothing(struct vm_display *d)
{
    static uint32_t dark;

    if (surface_resize(d->surface, d->width, d->height) != 0)
        surface_set_picture(d->surface, &dark, 1, 1, 1);
}

static void on_scanout(struct gpu *g, uint32_t *pixels, uint32_t width,
                       uint32_t height, uint32_t stride)
{
    struct vm_display *d = g->arg;
    bool was_active = d->active, resized;
    irqflags_t flags = spin_lock(&d->lock);

    d->active = pixels != NULL;
    resized = pixels && (width != d->width || height != d->height);
    if (resized) {
        d->width = width;
        d->height = height;
    }
    spin_unlock(&d->lock, flags);
    if (pixels)
        surface_set_picture(d->surface, pixels, width, height, stride);
    else if (was_active)
        show_nothing(d);
    if (d->active != was_active)
        raise(d, &event_type_vm_display, d->active ? DISPLAY_ON : DISPLAY_OFF,
              d->width, d->height);
    else if (resized)
        raise(d, &event_type_vm_display, DISPLAY_RESIZED, width, height);
}

static void on_begin(struct gpu *g)
{
    struct vm_display *d = g->arg;
    uint32_t stride;

    surface_lock(d->surface, &stride);
}

static void on_end(struct gpu *g)
{
    struct vm_display *d = g->arg;

    surface_unlock(d->surface);
}

static void on_flush(struct gpu *g, const struct gpu_rect *r)
{
    struct vm_display *d = g->arg;
    irqflags_t flags = spin_lock(&d->lock);
    bool first = !d->frames++;

    d->frames_total++;
    d->pixels += (uint64_t)r->width * r->height;
    spin_unlock(&d->lock, flags);
    surface_damage(d->surface,
                   (struct rect){(int32_t)r->x, (int32_t)r->y,
                                 (int32_t)r->width, (int32_t)r->height});
    if (first)
        raise(d, &event_type_vm_display, DISPLAY_FIRST_FRAME, d->width,
              d->height);
    raise(d, &event_type_vm_frame, 0, r->width, r->height);
}

static void on_cursor(struct gpu *g, const uint32_t *argb, uint32_t hot_x,
                      uint32_t hot_y)
{
    struct vm_display *d = g->arg;
    const struct surface_pointer_picture p = {
        argb, GPU_CURSOR_SIDE, GPU_CURSOR_SIDE, (int32_t)hot_x, (int32_t)hot_y};

    if (argb)
        surface_set_pointer(d->surface, SURFACE_POINTER_OWN, &p);
    else if (d->active)
        surface_set_pointer(d->surface, SURFACE_POINTER_NONE, NULL);
    else
        set_dot(d->surface);
}

/* The person's pointer is where the guest's is: the tablet told it. */
static void on_cursor_move(struct gpu *g, uint32_t x, uint32_t y)
{
    (void)g, (void)x, (void)y;
}

static const struct gpu_ops gpu_ops = {
    .scanout = on_scanout,
    .begin = on_begin,
    .end = on_end,
    .flush = on_flush,
    .cursor = on_cursor,
    .cursor_move = on_cursor_move,
};

/* --- the surface --- */

static uint32_t clamp(uint32_t v, uint32_t min)
{
    return v < min ? min : v > EDID_SIDE_MAX ? EDID_SIDE_MAX : v;
}

static void on_resized(struct surface *s, uint32_t width, uint32_t height)
{
    struct vm_display *d = surface_arg(s);
    irqflags_t flags = spin_lock(&d->lock);

    d->wanted_width = clamp(width, WIDTH_MIN);
    d->wanted_height = clamp(height, HEIGHT_MIN);
    if (d->gpu)
        virtio_gpu_resize(d->gpu, d->wanted_width, d->wanted_height);
    spin_unlock(&d->lock, flags);
}

/* Who cannot see it does not type into it. */
static void on_visible(struct surface *s, bool shown)
{
    struct vm_display *d = surface_arg(s);
    struct surface_input in;
    struct surface *terminal;

    if (shown || input_focus() != &d->stream)
        return;
    terminal = surface_find("terminal");
    if (!terminal)
        return;
    surface_get_input(terminal, &in);
    input_set_focus(in.stream);
    surface_put(terminal);
}

static const struct surface_ops surface_ops = {
    .resized = on_resized,
    .visible = on_visible,
};

/* --- input --- */

/* From a pixel of the picture to a place of the tablet: the pixel's middle. */
static int32_t to_tablet(int32_t pixel, uint32_t side)
{
    int64_t range = INPUT_TABLET_MAX + 1;

    if (pixel < 0)
        return 0;
    if ((uint32_t)pixel >= side)
        return INPUT_TABLET_MAX;
    return (int32_t)((pixel * range + range / 2) / side);
}

/* Interrupt context. Each device drops what is not for it. */
static void on_event(struct input_stream *s, const struct input_event *e)
{
    struct vm_display *d = s->arg;
    irqflags_t flags = spin_lock(&d->lock);
    int32_t value = e->value;

    if (e->type == INPUT_ABS)
        value = to_tablet(value, e->code == ABS_X ? d->width : d->height);
    if (d->keyboard)
        virtio_input_event(d->keyboard, e->type, e->code, value);
    if (d->tablet)
        virtio_input_event(d->tablet, e->type, e->code, value);
    spin_unlock(&d->lock, flags);
}

static void on_leds(void *arg, unsigned leds)
{
    struct vm_display *d = arg;

    input_set_leds(&d->stream, leds);
}

int vm_display_inject(struct vm *vm, uint16_t type, uint16_t code,
                      int32_t value)
{
    if (!vm->display)
        return -ENODEV;
    input_inject_into(&vm->display->stream, type, code, value);
    return 0;
}

/* --- life --- */

void vm_display_free(struct vm_display *d)
{
    if (!d)
        return;
    surface_set_input(d->surface, &(struct surface_input){.stream = NULL});
    input_stream_remove(&d->stream);
    surface_destroy(d->surface);
    kfree(d);
}

/* The surface is the VM's, not the domain's that starts it. */
static struct surface *create_surface(struct vm_display *d)
{
    struct account *account = thread_current()->account;
    struct surface *s;

    thread_current()->account = NULL;
    s = surface_create(d->name, d->width, d->height, &surface_ops, d);
    thread_current()->account = account;
    return s;
}

static struct vm_display *display_new(struct vm *vm)
{
    struct vm_display *d = kzalloc(sizeof(*d));

    if (!d)
        return NULL;
    strncpy(d->name, vm->config.name, sizeof(d->name) - 1);
    d->vm_id = vm->id;
    d->width = d->wanted_width = clamp(vm->config.display_width, WIDTH_MIN);
    d->height = d->wanted_height = clamp(vm->config.display_height, HEIGHT_MIN);
    d->stream = (struct input_stream){
        .name = d->name, .event = on_event, .arg = d};
    d->surface = create_surface(d);
    if (!d->surface) {
        kfree(d);
        return NULL;
    }
    set_dot(d->surface);
    surface_set_input(d->surface, &(struct surface_input){.stream = &d->stream,
                                                          .focus = true});
    return d;
}

static void device_reset(struct vm_device *device)
{
    (void)device;
}

/* Before the devices: they are destroyed in the order in which they were
 * added. */
static void device_destroy(struct vm_device *device)
{
    struct vm_display *d = container_of(device, struct vm_display, device);
    irqflags_t flags = spin_lock(&d->lock);

    d->gpu = NULL;
    d->keyboard = d->tablet = NULL;
    spin_unlock(&d->lock, flags);
}

static const struct vm_device_ops device_ops = {
    .name = "display",
    .reset = device_reset,
    .destroy = device_destroy,
};

static int create_devices(struct vm *vm, struct vm_display *d)
{
    struct virtio_gpu *gpu = NULL;
    struct virtio_input *keyboard = NULL, *tablet = NULL;
    irqflags_t flags;
    int err = virtio_gpu_create(vm, d->wanted_width, d->wanted_height, &gpu_ops,
                                d, &gpu);

    if (!err)
        err = virtio_input_create(vm, &input_kind_keyboard, on_leds, d,
                                  &keyboard);
    if (!err)
        err = virtio_input_create(vm, &input_kind_tablet, NULL, d, &tablet);
    if (err)
        return err;
    flags = spin_lock(&d->lock);
    d->gpu = gpu;
    d->keyboard = keyboard;
    d->tablet = tablet;
    d->frames = 0;
    spin_unlock(&d->lock, flags);
    return 0;
}

static int display_create(struct vm *vm)
{
    if (!vm->config.display_width || !vm->config.display_height)
        return 0;
    if (!vm->display)
        vm->display = display_new(vm);
    if (!vm->display) {
        fmt_snprintf(vm->error, sizeof(vm->error),
                     "display: a surface \"%s\" is there already, or there "
                     "is no memory for one",
                     vm->config.name);
        return -ENOMEM;
    }
    vm->display->device.ops = &device_ops;
    vm_add_device(vm, &vm->display->device);
    return create_devices(vm, vm->display);
}

VM_DEVICE_TYPE(display, .create = display_create);

/* --- statistics --- */

static void add_devices(struct vm_display *d, struct vm_display_stats *out)
{
    struct virtio_gpu_stats gpu;
    struct virtio_input_stats keyboard, tablet;

    if (!d->gpu)
        return;
    virtio_gpu_get_stats(d->gpu, &gpu);
    virtio_input_get_stats(d->keyboard, &keyboard);
    virtio_input_get_stats(d->tablet, &tablet);
    out->commands = gpu.commands;
    out->errors = gpu.errors;
    out->memory = gpu.memory;
    out->resources = gpu.resources;
    out->keyboard = keyboard.ready;
    out->tablet = tablet.ready;
    out->events = keyboard.events + tablet.events;
    out->dropped = keyboard.dropped + tablet.dropped;
    out->waiting = keyboard.waiting + tablet.waiting;
}

bool vm_display_get_stats(struct vm *vm, struct vm_display_stats *out)
{
    struct vm_display *d;

    memset(out, 0, sizeof(*out));
    mutex_lock(&vm->lock); /* the devices stay meanwhile */
    d = vm->display;
    if (d) {
        irqflags_t flags = spin_lock(&d->lock);

        out->active = d->active;
        out->width = d->width;
        out->height = d->height;
        out->frames = d->frames;
        out->frames_total = d->frames_total;
        out->pixels = d->pixels;
        spin_unlock(&d->lock, flags);
        add_devices(d, out);
    }
    mutex_unlock(&vm->lock);
    return d != NULL;
}
