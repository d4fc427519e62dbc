/*
 * What -fsanitize=undefined calls when the kernel does something that C does
 * not define: a panic with file, line, column and kind. Compiled in always,
 * called only in builds with the sanitizer. Any context. The interface is that
 * of the compilers' run-time library; both gcc and clang call the same names.
 */
#include <rayos/fmt.h>
#include <rayos/panic.h>
#include <rayos/types.h>

/* The sanitizer must not watch its own reporter. */
#define NO_UBSAN __attribute__((no_sanitize("undefined")))

struct source_location {
    const char *file;
    uint32_t line, column;
};

/* kind 0: an integer, info = sign in bit 0, log2 of the bits above. */
struct type_descriptor {
    uint16_t kind, info;
    char name[];
};

#define TYPE_INTEGER 0

/* All data structures start with the location; most go on with types. */
struct ubsan_data {
    struct source_location where;
    const struct type_descriptor *type;
};

struct ubsan_type_mismatch {
    struct source_location where;
    const struct type_descriptor *type;
    uint8_t log_alignment, access;
};

struct ubsan_shift {
    struct source_location where;
    const struct type_descriptor *left, *right;
};

struct ubsan_bounds {
    struct source_location where;
    const struct type_descriptor *array, *index;
};

struct ubsan_nonnull {
    struct source_location where, attribute;
    int argument;
};

static NO_UBSAN _Noreturn void report(const struct source_location *where,
                                      const char *kind)
{
    panic("undefined behaviour: %s at %s:%u:%u", kind, where->file, where->line,
          where->column);
}

static NO_UBSAN bool is_signed(const struct type_descriptor *t)
{
    return t->kind == TYPE_INTEGER && (t->info & 1);
}

/* A value handle is the value itself, sign not extended, or, for integers of
 * more than 64 bits, its address. */
static NO_UBSAN void value_format(char *buf, size_t size,
                                  const struct type_descriptor *t,
                                  uintptr_t value)
{
    unsigned bits = 1u << (t->info >> 1);

    if (t->kind != TYPE_INTEGER || bits > 64)
        fmt_snprintf(buf, size, "(%s)", t->name);
    else if (is_signed(t) && bits < 64)
        fmt_snprintf(buf, size, "%ld",
                     (long)(value << (64 - bits)) >> (64 - bits));
    else if (is_signed(t))
        fmt_snprintf(buf, size, "%ld", (long)value);
    else
        fmt_snprintf(buf, size, "%lu", (unsigned long)value);
}

static NO_UBSAN _Noreturn void report_operation(const struct ubsan_data *d,
                                                const char *sign,
                                                uintptr_t left, uintptr_t right)
{
    char text[128], a[24], b[24];

    value_format(a, sizeof(a), d->type, left);
    value_format(b, sizeof(b), d->type, right);
    fmt_snprintf(text, sizeof(text), "overflow of %s %s %s in %s", a, sign, b,
                 d->type->name);
    report(&d->where, text);
}

static NO_UBSAN _Noreturn void report_value(const struct ubsan_data *d,
                                            const char *kind, uintptr_t value)
{
    char text[128], v[24];

    value_format(v, sizeof(v), d->type, value);
    fmt_snprintf(text, sizeof(text), "%s %s of %s", kind, v, d->type->name);
    report(&d->where, text);
}

/*
 * A handler, and its twin that -fno-sanitize-recover calls. The compiler
 * declares them itself; the prototypes here are for -Wmissing-prototypes.
 */
#define HANDLER(name, ...)                               \
    void __ubsan_handle_##name(__VA_ARGS__);             \
    void __ubsan_handle_##name##_abort(__VA_ARGS__)      \
        __attribute__((alias("__ubsan_handle_" #name))); \
    NO_UBSAN void __ubsan_handle_##name(__VA_ARGS__)

HANDLER(add_overflow, const struct ubsan_data *d, uintptr_t a, uintptr_t b)
{
    report_operation(d, "+", a, b);
}

HANDLER(sub_overflow, const struct ubsan_data *d, uintptr_t a, uintptr_t b)
{
    report_operation(d, "-", a, b);
}

HANDLER(mul_overflow, const struct ubsan_data *d, uintptr_t a, uintptr_t b)
{
    report_operation(d, "*", a, b);
}

HANDLER(divrem_overflow, const struct ubsan_data *d, uintptr_t a, uintptr_t b)
{
    report_operation(d, "/", a, b);
}

HANDLER(negate_overflow, const struct ubsan_data *d, uintptr_t value)
{
    report_value(d, "negation overflows:", value);
}

HANDLER(shift_out_of_bounds, const struct ubsan_shift *d, uintptr_t left,
        uintptr_t right)
{
    char text[128], a[24], b[24];

    value_format(a, sizeof(a), d->left, left);
    value_format(b, sizeof(b), d->right, right);
    fmt_snprintf(text, sizeof(text), "shift of %s (%s) by %s", a, d->left->name,
                 b);
    report(&d->where, text);
}

HANDLER(out_of_bounds, const struct ubsan_bounds *d, uintptr_t index)
{
    char text[128], i[24];

    value_format(i, sizeof(i), d->index, index);
    fmt_snprintf(text, sizeof(text), "index %s out of bounds of %s", i,
                 d->array->name);
    report(&d->where, text);
}

HANDLER(type_mismatch_v1, const struct ubsan_type_mismatch *d, uintptr_t p)
{
    static const char *const access[] = {
        "load",          "store",       "reference",
        "member access", "member call", "constructor call",
        "downcast",      "downcast",    "upcast",
        "cast",
    };
    const char *what = d->access < ARRAY_SIZE(access) ? access[d->access]
                                                      : "use";
    char text[128];

    if (!p)
        fmt_snprintf(text, sizeof(text), "%s through a null pointer to %s",
                     what, d->type->name);
    else if (p & ((UINT64_C(1) << d->log_alignment) - 1))
        fmt_snprintf(text, sizeof(text), "%s of misaligned %#lx as %s", what,
                     (unsigned long)p, d->type->name);
    else
        fmt_snprintf(text, sizeof(text), "%s of too small an object as %s",
                     what, d->type->name);
    report(&d->where, text);
}

HANDLER(load_invalid_value, const struct ubsan_data *d, uintptr_t value)
{
    report_value(d, "load of the invalid value", value);
}

HANDLER(vla_bound_not_positive, const struct ubsan_data *d, uintptr_t bound)
{
    report_value(d, "array length", bound);
}

HANDLER(pointer_overflow, const struct ubsan_data *d, uintptr_t base,
        uintptr_t result)
{
    char text[96];

    fmt_snprintf(text, sizeof(text), "pointer arithmetic from %#lx to %#lx",
                 (unsigned long)base, (unsigned long)result);
    report(&d->where, text);
}

HANDLER(function_type_mismatch, const struct ubsan_data *d, uintptr_t function)
{
    char text[128];

    fmt_snprintf(text, sizeof(text), "call of %#lx through a wrong type %s",
                 (unsigned long)function, d->type->name);
    report(&d->where, text);
}

HANDLER(nonnull_arg, const struct ubsan_nonnull *d)
{
    char text[64];

    fmt_snprintf(text, sizeof(text), "null pointer as argument %d",
                 d->argument);
    report(&d->where, text);
}

HANDLER(nonnull_return_v1, const struct ubsan_data *d,
        const struct source_location *where)
{
    (void)d; /* says only where the attribute is */
    report(where, "null pointer returned by a function that never does");
}

HANDLER(alignment_assumption, const struct ubsan_data *d, uintptr_t pointer,
        uintptr_t alignment, uintptr_t offset)
{
    char text[96];

    fmt_snprintf(text, sizeof(text),
                 "%#lx (offset %lu) assumed to be aligned to %lu",
                 (unsigned long)pointer, (unsigned long)offset,
                 (unsigned long)alignment);
    report(&d->where, text);
}

HANDLER(invalid_builtin, const struct ubsan_data *d)
{
    report(&d->where, "zero given to a count of zero bits");
}

HANDLER(float_cast_overflow, const struct ubsan_data *d, uintptr_t from)
{
    (void)from;
    report(&d->where, "floating-point value out of the integer's range");
}

/* These two never return and have no twin. */
void __ubsan_handle_builtin_unreachable(const struct ubsan_data *d);
NO_UBSAN void __ubsan_handle_builtin_unreachable(const struct ubsan_data *d)
{
    report(&d->where, "unreachable code reached");
}

void __ubsan_handle_missing_return(const struct ubsan_data *d);
NO_UBSAN void __ubsan_handle_missing_return(const struct ubsan_data *d)
{
    report(&d->where, "end of a function that returns a value");
}
