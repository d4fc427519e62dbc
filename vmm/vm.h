/*
 * Virtual machines: definition, life cycle, the buses on which device models
 * listen, and the exit dispatch. Thread context unless said; which lock
 * protects what stands beside each field.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <rayos/list.h>
#include <rayos/sync.h>
#include <rayos/workq.h>

#include "vmm/vcpu.h"

#define VM_NAME_MAX    32
#define VM_CPUS_MAX    8
#define VM_ERROR_MAX   256
#define VM_CPUID_EDITS 16
#define VM_OUTPUT_SIZE (64 * 1024)

enum vm_state {
    VM_DEFINED, /* known, holds no memory */
    VM_STARTING,
    VM_RUNNING,
    VM_PAUSED,
    VM_STOPPED, /* ended as asked, by itself or by us; may start again */
    VM_CRASHED  /* stopped by what it did; `error` and the dump say why */
};

const char *vm_state_name(enum vm_state s);

/* One line of the CPUID table: what the guest sees for a leaf and subleaf. */
struct vm_cpuid {
    uint32_t leaf, subleaf;
    bool any_subleaf;
    uint32_t eax, ebx, ecx, edx;
};

/* Who runs a guest's local APICs: see vmm_runs_apic. */
enum vm_apic {
    VM_APIC_BEST, /* the CPU where it can, and does it right */
    VM_APIC_SOFTWARE,
    VM_APIC_HARDWARE /* the CPU, whatever is known of it */
};

#define VM_DISKS_MAX 8
#define VM_NETS_MAX  4
#define VM_PORTS_MAX 6

/* A virtio disk. */
struct vm_disk {
    /* A block device of ours ("vda1"), or a file by its path ("/tmp/x.img"). */
    char source[256];
    char serial[21]; /* virtio 1.2 5.2.6: 20 bytes; "" */
    bool read_only;
};

/* A virtio network card: a port of a switch, which exists while it has one. */
struct vm_net {
    char network[32];
    uint8_t mac[6]; /* all zero: made from the VM's id */
    bool spoof;     /* may send from other addresses than its own */
};

/* What `vm.define` gives; copied. */
struct vm_config {
    char name[VM_NAME_MAX];
    uint32_t cpus;
    uint64_t memory; /* bytes */
    /* What to load: vmm/loader.h. Paths of the VFS; empty: none. */
    char kernel[256], initrd[256];
    char cmdline[2048];
    char loader[16]; /* by name; empty: the first that knows the image */
    struct vm_disk disks[VM_DISKS_MAX];
    uint32_t disk_count;
    struct vm_net nets[VM_NETS_MAX];
    uint32_t net_count;
    /* virtio-console: the terminal hvc0, then ports for programs by name, such
     * as "org.qemu.guest_agent.0". Ports only with has_console. */
    bool has_console;
    char ports[VM_PORTS_MAX][48];
    uint32_t port_count;
    bool has_rng;
    enum vm_apic apic;
    /* virtio-gpu, keyboard and tablet; 0: none. Pixels. */
    uint32_t display_width, display_height;
    /* Lines that replace those of the same leaf and subleaf, or add some. */
    struct vm_cpuid cpuid[VM_CPUID_EDITS];
    uint32_t cpuid_count;
};

/* --- device buses --- */

enum mmio_result { MMIO_HANDLED, MMIO_NOT_MINE, MMIO_ERROR };

/*
 * A device model's range of ports or of guest-physical memory. Callbacks run on
 * a vCPU's thread, several at once: the device has its own lock. `offset` is
 * from `base`, `size` 1, 2, 4 or 8, inside the range. Reads of what is not
 * there leave all ones.
 */
struct vm_region {
    uint64_t base, size;
    const char *name;
    enum mmio_result (*read)(struct vcpu *v, void *device, uint64_t offset,
                             unsigned size, uint64_t *value);
    enum mmio_result (*write)(struct vcpu *v, void *device, uint64_t offset,
                              unsigned size, uint64_t value);
    void *device;
    uint64_t reads, writes;
    struct list node;
};

/* A device model, one file each, found in a linker section by name. */
struct vm_device;
struct vm_device_ops {
    const char *name;
    void (*reset)(struct vm_device *d);
    /* Everything given back. The VM does not run. */
    void (*destroy)(struct vm_device *d);
    /* The VM pauses (true) or goes on: stop threads and timers. May be NULL. */
    void (*pause)(struct vm_device *d, bool paused);
};

struct vm_device {
    const struct vm_device_ops *ops;
    struct vm *vm;
    struct list node;
};

/*
 * A kind of device that every VM has, declared where it is defined:
 *
 *	VM_DEVICE_TYPE(uart, .create = uart_create);
 *
 * vm_start calls them in no particular order, vCPUs and interrupt controllers
 * exist already.
 */
struct vm_device_type {
    const char *name;
    int (*create)(struct vm *vm);
};

#define VM_DEVICE_TYPE(ident, ...)                                         \
    static const struct vm_device_type vm_device_type_##ident              \
        __attribute__((used, section("rayos_vm_devices"), aligned(8))) = { \
            .name = #ident, __VA_ARGS__}

/* What a guest says on its debug port, the oldest bytes overwritten. */
struct vm_output {
    struct spinlock lock;
    uint64_t written; /* lock */
    char bytes[VM_OUTPUT_SIZE];
};

struct console;      /* vmm/devices/console.h */
struct exit_history; /* vmm/exit_history.h */
struct guest_ports;  /* vmm/devices/guest_ports.h */
struct vm_display;   /* vmm/devices/vm_display.h */
struct virtio_bus;   /* vmm/devices/virtio_mmio.c */
struct irqchip;      /* vmm/devices/irqchip.h: PIC, IOAPIC and local APICs */

struct vm {
    struct vm_config config; /* constant while not VM_DEFINED/STOPPED */
    uint32_t id;
    struct list all;
    _Atomic uint32_t refs;
    struct mutex lock; /* life cycle */
    _Atomic enum vm_state state;
    char error[VM_ERROR_MAX]; /* lock */
    struct guest_memory *memory;
    struct vcpu *vcpus[VM_CPUS_MAX];
    uint32_t vcpu_count;
    void *backend;
    struct list ports, mmio; /* of vm_region, sorted; constant while running */
    struct list devices;
    struct irqchip *irqchip;
    struct virtio_bus *virtio; /* vmm/devices/virtio_mmio.c; NULL: no device */
    struct vm_cpuid *cpuid;    /* constant while running */
    size_t cpuid_count;
    struct cond changed; /* lock: state */
    nstime_t started;
    uint64_t boots;
    /* Why the vCPUs were asked to stop: first come, first kept. */
    _Atomic uint32_t end_reason; /* enum vm_end */
    struct work end_work;        /* takes apart what has ended */
    _Atomic uint32_t threads; /* vCPUs whose threads run, and who starts them */
    uint32_t parked;          /* vCPUs that pause; lock */
    _Atomic bool pause_wanted;
    uint64_t tsc_offset;        /* of all its vCPUs; constant while running */
    _Atomic uint32_t exit_code; /* what it wrote to the debug-exit port */
    _Atomic uint64_t unknown_msrs, unknown_ports, unknown_memory;
    struct vm_output *output;
    struct console *console;         /* COM1's; NULL before the first start */
    struct guest_ports *guest_ports; /* virtio-console's; NULL: as above */
    struct vm_display *display;      /* NULL: none, or before the first start */
    char *dump;                      /* of the last crash, NULL: none; lock */
    bool listed;                     /* lock */
    bool has_backend;                /* vm_create was called; lock */
    /* Counters of CPUs that are gone; lock. */
    uint64_t exits_before[EXIT_REASONS];
    uint64_t delivered_before, retried_before, failed_before, ticks_before;
    struct exit_history *last_exits[VM_CPUS_MAX]; /* as above; NULL: none */
};

enum vm_end {
    VM_END_NONE,
    VM_END_POWEROFF, /* S5 or the debug-exit port */
    VM_END_RESET,    /* the guest's own reset: starts again */
    VM_END_KILLED,
    VM_END_CRASHED,
    VM_END_HALTED /* every CPU waits with interrupts off */
};

/* --- life cycle --- */

/* -EEXIST, -EINVAL (error says which field), -ENODEV: this machine cannot. */
int vm_define(const struct vm_config *config, struct vm **out, char *error,
              size_t error_size);
struct vm *vm_find(const char *name); /* with a reference; NULL */
struct vm *vm_at(size_t i);           /* with a reference; NULL */
void vm_get(struct vm *vm);
void vm_put(struct vm *vm);
int vm_start(
    struct vm *vm); /* loads, makes devices, runs; error in vm->error */
int vm_pause(struct vm *vm); /* on return no vCPU is inside the guest */
int vm_resume(struct vm *vm);
int vm_reset(struct vm *vm);
/* A non-maskable interrupt for its first CPU; -EBUSY: it does not run. */
int vm_nmi(struct vm *vm);
int vm_kill(struct vm *vm);    /* on return VM_STOPPED, memory returned */
int vm_destroy(struct vm *vm); /* kills, and takes it out of the list */
/* The end of all of them; false: one does not end. */
bool vm_end_all(void);
/* -ETIMEDOUT, -ECANCELED */
int vm_wait(struct vm *vm, enum vm_state state, nstime_t deadline);

/* --- for device models and the exit code --- */

int vm_add_ports(struct vm *vm, struct vm_region *r);
int vm_add_mmio(struct vm *vm, struct vm_region *r);
void vm_add_device(struct vm *vm, struct vm_device *d);
/* Any thread, also a vCPU's: end, or crash with a reason. The first one counts.
 */
void vm_request_end(struct vm *vm, enum vm_end why);
/* The guest asked for its own reset, `how`: for the log. */
void vm_guest_reset(struct vcpu *v, const char *how);
void vm_crash(struct vcpu *v, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One of vm->threads less; the last one has the VM taken apart. */
void vm_thread_ends(struct vm *vm);
void vm_output_write(struct vm *vm, const char *bytes, size_t n);
/* Copy at most n bytes from position *from on (the oldest kept, when they are
 * gone), and set *from behind them. Any context but NMI. */
size_t vm_output_read(struct vm *vm, uint64_t *from, char *out, size_t n);
/* Drive an interrupt line (GSI) of the guest. Any context but NMI. */
void vm_set_irq(struct vm *vm, uint32_t gsi, bool level);
/* A message-signalled interrupt, as written to 0xfeexxxxx. */
void vm_send_msi(struct vm *vm, uint64_t address, uint32_t data);

#endif
