/* What the files of the event module share. */
#ifndef CORE_EVENT_INTERNAL_H
#define CORE_EVENT_INTERNAL_H

#include <rayos/event.h>

/* --- event_type.c --- */
/* Find the declared types. Boot, once; panics on two of one name. */
void event_types_init(void);

/* --- event.c --- */
/* Take the oldest event of all CPUs; false: none. The event thread. */
bool event_take(struct event *out);
/* Wait until there may be one. The event thread. */
void event_wait_any(void);
int event_rings_start(void);

/* --- event_source.c: any context --- */
/* Count an event of this source; false: too many of it for subscribers. */
bool event_source_admit(uint16_t type, uint32_t source, uint64_t tsc);

/* --- event_match.c: pure --- */
bool event_filter_valid(const struct event_filter *f);
/* Does one of the filters let it through? */
bool event_filters_match(const struct event_filter *filters, size_t count,
                         const struct event *e);

#endif
