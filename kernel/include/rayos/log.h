/*
 * The log: a ring of structured records. Any context, NMI included; no locks (a
 * writer claims its record with one atomic add). When the ring is full the
 * oldest records go.
 */
#ifndef RAYOS_LOG_H
#define RAYOS_LOG_H

#include <rayos/fmt.h>
#include <rayos/types.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVELS };

#define LOG_MODULE_MAX 12
#define LOG_TEXT_MAX   216

struct log_record {
    uint64_t seq; /* 1, 2, 3, ... */
    nstime_t time;
    uint16_t cpu;
    uint8_t level; /* enum log_level */
    uint8_t length;
    char module[LOG_MODULE_MAX]; /* NUL terminated */
    char text[LOG_TEXT_MAX];     /* NUL terminated, cut when too long */
};

void log_write(enum log_level level, const char *module, const char *fmt, ...)
    FMT_PRINTF(3, 4);

#define log_debug(module, ...) log_write(LOG_DEBUG, module, __VA_ARGS__)
#define log_info(module, ...)  log_write(LOG_INFO, module, __VA_ARGS__)
#define log_warn(module, ...)  log_write(LOG_WARN, module, __VA_ARGS__)
#define log_error(module, ...) log_write(LOG_ERROR, module, __VA_ARGS__)

/* Sequence number of the newest record, 0 when there is none. */
uint64_t log_newest(void);
/*
 * Copy the record `*seq`, or the oldest after it that is still there, and set
 * *seq to its number. false: none so new yet.
 */
bool log_read(uint64_t *seq, struct log_record *out);
const char *log_level_name(enum log_level level);

/* Every record of `level` or above is also given to `sink` (at once, in the
 * writer's context). One sink; NULL takes it away. Used by `log=serial` on the
 * command line and by panic. */
void log_set_sink(void (*sink)(const struct log_record *r),
                  enum log_level level);

/* Every record at LOG_WARN or above is also given to this one (at once, in the
 * writer's context): the event module's. */
void log_set_watcher(void (*fn)(const struct log_record *r));

/* `log=serial` or `log=debugcon` on the command line: print every record on
 * COM1 or port 0xe9 from now on (core/log_sink.c). Boot, after cmdline_init. */
void log_sink_init(void);

#endif
