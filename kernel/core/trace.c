/*
 * The flight recorder: see trace.h. A ring is written by its own CPU with
 * interrupts off, so a record needs no lock; readers come when all is stopped.
 */
#include <errno.h>

#include <rayos/clock.h>
#include <rayos/mm.h>
#include <rayos/percpu.h>
#include <rayos/smp.h>
#include <rayos/trace.h>

#define TRACE_RING_RECORDS 16384 /* a power of two; half a MiB a CPU */

struct trace_ring {
    uint64_t written; /* records since the start; own CPU */
    struct trace_record records[TRACE_RING_RECORDS];
};

_Atomic uint32_t trace_mask;

_Static_assert(TRACE_CLASSES <= 32, "the mask has a bit for each class");

static struct trace_ring *rings[MAX_CPUS]; /* made once, kept for good */

void trace_write(enum trace_type type, uint64_t a, uint64_t b)
{
    irqflags_t flags = arch_irq_save();
    struct trace_ring *ring = rings[cpu_id()];

    if (ring) {
        ring->records[ring->written++ % TRACE_RING_RECORDS] =
            (struct trace_record){
                .time = clock_now(),
                .type = type,
                .cpu = cpu_id(),
                .a = a,
                .b = b,
            };
    }
    arch_irq_restore(flags);
}

int trace_start(uint32_t mask)
{
    trace_stop();
    for (uint32_t i = 0; i < cpu_count(); i++) {
        if (!rings[i])
            rings[i] = kspace_alloc(sizeof(*rings[i]), KSPACE_RW);
        if (!rings[i])
            return -ENOMEM;
        rings[i]->written = 0;
    }
    trace_mask = mask;
    return 0;
}

static void nothing(void *arg)
{
    (void)arg;
}

/* A CPU that answers an interrupt has left every trace point behind that it
 * entered before. */
void trace_stop(void)
{
    trace_mask = 0;
    smp_call_all(nothing, NULL);
}

bool trace_get(uint32_t cpu, uint32_t index, struct trace_record *out)
{
    const struct trace_ring *ring = cpu < MAX_CPUS ? rings[cpu] : NULL;
    uint64_t first = ring ? trace_lost(cpu) : 0;

    if (!ring || index >= ring->written - first)
        return false;
    *out = ring->records[(first + index) % TRACE_RING_RECORDS];
    return true;
}

uint64_t trace_lost(uint32_t cpu)
{
    const struct trace_ring *ring = cpu < MAX_CPUS ? rings[cpu] : NULL;

    if (!ring || ring->written <= TRACE_RING_RECORDS)
        return 0;
    return ring->written - TRACE_RING_RECORDS;
}

#define CLASS_NAME(ident, name) [TRACE_##ident] = (name),
#define TYPE_INFO(ident, class, shape, name, a, b) \
    [TRACE_##ident] = {name, TRACE_##class, TRACE_SHAPE_##shape, a, b},

const char *trace_class_name(uint32_t class)
{
    static const char *const names[TRACE_CLASSES] = {
        TRACE_CLASS_TABLE(CLASS_NAME)};

    return class < TRACE_CLASSES ? names[class] : NULL;
}

const struct trace_type_info *trace_type_info(uint32_t type)
{
    static const struct trace_type_info types[TRACE_TYPES] = {
        TRACE_TYPE_TABLE(TYPE_INFO)};

    return type < TRACE_TYPES ? &types[type] : NULL;
}
