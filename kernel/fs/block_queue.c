/*
 * What happens to the requests of a block device between their user and the
 * driver: they are checked, cut into pieces that the device takes, wait while
 * it has no room, are watched by one timer for each disk, and are tried again
 * after a reset. Nothing is allocated. Any context but NMI, unless said.
 *
 * A request is in `active` while the driver has it and in `waiting` while it
 * has not; b->lock protects both, and is held while the driver is asked.
 */
#include "block_queue.h"

#include <errno.h>

#include <rayos/clock.h>
#include <rayos/irq.h>
#include <rayos/log.h>

static nstime_t timeout_ns = BLOCK_TIMEOUT;

void block_queue_set_timeout(nstime_t timeout)
{
    timeout_ns = timeout;
}

static nstime_t slow_ns = BLOCK_SLOW_NS;

void block_queue_set_slow(nstime_t slow)
{
    slow_ns = slow;
}

static void finish(struct block_request *r, int status)
{
    r->status = status;
    r->done(r);
}

/* --- checks --- */

static bool in_range(const struct block_device *b,
                     const struct block_request *r)
{
    uint32_t unit = b->logical_sector / BLOCK_SECTOR;

    if (unit > 1 && (r->sector % unit || r->sectors % unit))
        return false;
    return r->sectors && r->sector < b->sectors &&
           r->sectors <= b->sectors - r->sector;
}

/* Whole sectors that add up to the request's length. */
static bool segments_fit(const struct block_request *r)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < r->segment_count; i++) {
        const struct block_segment *s = &r->segments[i];

        if (!s->length || s->length % BLOCK_SECTOR || s->phys % BLOCK_ALIGN)
            return false;
        sum += s->length;
    }
    return sum == (uint64_t)r->sectors * BLOCK_SECTOR;
}

/* 0: to be done; 1: done already; or why not. */
static int check(const struct block_device *b, const struct block_request *r)
{
    if (b->gone)
        return -ENODEV;
    switch (r->op) {
    case BLOCK_FLUSH: /* a device that cannot has nothing to flush */
        return b->can_flush ? 0 : 1;
    case BLOCK_DISCARD:
        if (b->read_only)
            return -EROFS;
        if (!b->can_discard)
            return -ENOTSUP;
        return in_range(b, r) ? 0 : -EINVAL;
    case BLOCK_WRITE:
        if (b->read_only)
            return -EROFS;
        break;
    case BLOCK_READ:
        break;
    default:
        return -EINVAL;
    }
    return in_range(b, r) && segments_fit(r) ? 0 : -EINVAL;
}

/* --- pieces --- */

/* Let the piece be as many of the `left` sectors from there on as the device
 * takes at once. */
static int cut_piece(const struct block_device *b, struct block_request *r,
                     uint32_t left)
{
    struct block_piece *p = &r->piece;
    uint32_t unit = b->logical_sector;
    uint32_t most = r->op == BLOCK_DISCARD ? b->max_discard : b->max_sectors;
    uint64_t limit = (uint64_t)(left < most ? left : most) * BLOCK_SECTOR;
    uint64_t bytes = r->op == BLOCK_DISCARD ? limit : 0;
    uint32_t n = 0;

    for (; n < p->segment_count && n < b->max_segments && bytes < limit; n++)
        bytes += p->segments[n].length - (n ? 0 : p->skip);
    bytes = bytes < limit ? bytes : limit;
    bytes -= bytes % unit;
    if (!bytes)
        return -EINVAL;
    p->segment_count = n;
    p->sectors = (uint32_t)(bytes / BLOCK_SECTOR);
    r->sectors_left = left - p->sectors;
    return 0;
}

static int first_piece(const struct block_device *b, struct block_request *r,
                       uint64_t offset)
{
    r->sectors_left = 0;
    r->piece = (struct block_piece){
        .sector = r->sector + offset,
        .sectors = r->sectors,
        .segments = r->segments,
        .segment_count = r->segment_count,
    };
    if (r->op == BLOCK_FLUSH)
        return 0;
    if (r->op != BLOCK_DISCARD && r->sectors <= b->max_sectors &&
        r->segment_count <= b->max_segments)
        return 0;
    return cut_piece(b, r, r->sectors);
}

/* The one behind the piece that is done. */
static int next_piece(const struct block_device *b, struct block_request *r)
{
    struct block_piece *p = &r->piece;
    uint64_t done = (uint64_t)p->sectors * BLOCK_SECTOR + p->skip;

    p->sector += p->sectors;
    if (r->op != BLOCK_DISCARD) {
        while (done && done >= p->segments->length)
            done -= p->segments++->length;
        p->skip = (uint32_t)done;
        p->segment_count = r->segment_count -
                           (uint32_t)(p->segments - r->segments);
    }
    return cut_piece(b, r, r->sectors_left);
}

/* --- starting --- */

static nstime_t timeout_of(const struct block_device *b)
{
    return b->timeout ? b->timeout : timeout_ns;
}

static void arm_timer(struct block_device *b, nstime_t deadline)
{
    b->timer_armed = true;
    timer_start(&b->timer, deadline);
}

static void forget(struct block_device *b, struct block_request *r)
{
    if (b->ops->forget)
        b->ops->forget(b, r);
}

/* Give it to the driver, or keep it; lock held. An error ends it. */
static int start(struct block_device *b, struct block_request *r, nstime_t now)
{
    int err = b->failed ? -EIO : -ENOSPC;

    r->submitted = now;
    if (!b->resetting && !b->failed && list_empty(&b->waiting))
        err = b->ops->submit(b, r);
    else
        forget(b, r);
    if (err && err != -ENOSPC)
        return err;
    list_push_back(err ? &b->waiting : &b->active, &r->node);
    if (!b->timer_armed && b->ops->cancel)
        arm_timer(b, r->submitted + timeout_of(b));
    return 0;
}

/* Before there is a request for it to watch: so that the longest way under the
 * lock, which a reflex may have to wait for, is not longer still. */
static void arm_timer_early(struct block_device *b, nstime_t now)
{
    irqflags_t flags = spin_lock(&b->lock);

    if (!b->timer_armed && !b->gone)
        arm_timer(b, now + timeout_of(b));
    spin_unlock(&b->lock, flags);
}

static void kick(struct block_device *b)
{
    irqflags_t flags;

    if (!b->ops->kick)
        return;
    flags = spin_lock(&b->lock);
    b->ops->kick(b);
    spin_unlock(&b->lock, flags);
}

/* It is checked, and cut. An error ends it. */
static int submit_first(struct block_device *b, struct block_device *disk,
                        struct block_request *r)
{
    nstime_t now = clock_now();
    irqflags_t flags;
    int err = -ENODEV;

    if (!disk->timer_armed && disk->ops->cancel)
        arm_timer_early(disk, now);
    if (disk->ops->prepare)
        disk->ops->prepare(disk, r);
    flags = spin_lock(&disk->lock);
    if (r->op == BLOCK_WRITE || r->op == BLOCK_FLUSH)
        disk->dirty = r->op == BLOCK_WRITE;
    if (b->gone || disk->gone)
        forget(disk, r);
    else
        err = start(disk, r, now);
    spin_unlock(&disk->lock, flags);
    if (!err)
        kick(disk);
    return err;
}

void block_submit(struct block_device *b, struct block_request *r)
{
    struct block_device *disk = b->parent ? b->parent : b;
    int err = check(b, r);

    r->device = disk;
    r->via = b->parent ? b : NULL;
    r->tries = 0;
    r->status = 0;
    if (!err)
        err = first_piece(disk, r, b->first_sector);
    if (!err)
        err = submit_first(b, disk, r);
    if (err)
        finish(r, err < 0 ? err : 0);
}

/* Ask the driver again for those that wait; lock held. What ends by that goes
 * to `ended`. */
static void pump(struct block_device *b, struct list *ended)
{
    while (!b->resetting && !list_empty(&b->waiting)) {
        struct list *n = b->waiting.next;
        struct block_request *r = container_of(n, struct block_request, node);
        int err = b->gone ? -ENODEV : b->failed ? -EIO : b->ops->submit(b, r);

        if (err == -ENOSPC)
            return;
        list_remove(n);
        r->status = err;
        list_push_back(err ? ended : &b->active, n);
    }
}

static void finish_all(struct list *ended)
{
    struct list *n;

    while ((n = list_pop_front(ended))) {
        struct block_request *r = container_of(n, struct block_request, node);

        if (r->status && !r->device->gone)
            block_event(r->via ? r->via : r->device, BLOCK_ERROR, r->status);
        finish(r, r->status);
    }
}

/* --- ending --- */

static void count(struct block_stats *s, const struct block_request *r,
                  int status, nstime_t took)
{
    s->busy += took;
    if (status) {
        s->errors++;
        return;
    }
    switch (r->op) {
    case BLOCK_READ:
        s->reads++;
        s->read_sectors += r->piece.sectors;
        break;
    case BLOCK_WRITE:
        s->writes++;
        s->write_sectors += r->piece.sectors;
        break;
    case BLOCK_FLUSH:
        s->flushes++;
        break;
    case BLOCK_DISCARD:
        s->discards++;
        break;
    }
}

/* It came back from a reset: true: it waits to be tried again. Lock held. */
static bool try_again(struct block_device *b, struct block_request *r)
{
    if (b->gone) {
        r->status = -ENODEV;
        return false;
    }
    if (r->tries >= BLOCK_TRIES) { /* the status says why */
        b->stats.errors++;
        return false;
    }
    b->stats.retries++;
    list_push_back(&b->waiting, &r->node);
    return true;
}

/* true: it goes on with its next piece, or waits for another try; else its
 * status says how it ended. Lock held. */
static bool goes_on(struct block_device *b, struct block_request *r, int status)
{
    nstime_t now = clock_now();

    if (status == -EAGAIN)
        return try_again(b, r);
    b->last_done = now;
    count(&b->stats, r, status, now - r->submitted);
    if (r->via)
        count(&r->via->stats, r, status, now - r->submitted);
    if (now - r->submitted > slow_ns)
        block_event_slow(r->via ? r->via : b, now - r->submitted);
    r->status = status;
    if (status || !r->sectors_left)
        return false;
    r->status = b->gone ? -ENODEV : next_piece(b, r);
    if (!r->status)
        r->status = start(b, r, now);
    return !r->status;
}

void block_complete(struct block_request *r, int status)
{
    struct block_device *b = r->device;
    struct list ended = LIST_INIT(ended);
    irqflags_t flags = spin_lock(&b->lock);
    bool more;

    list_remove(&r->node);
    more = goes_on(b, r, status);
    if (!more)
        list_push_front(&ended, &r->node);
    if (!list_empty(&b->waiting)) {
        pump(b, &ended);
        more = true;
    }
    spin_unlock(&b->lock, flags);
    irq_window();
    if (more)
        kick(b);
    finish_all(&ended);
}

/* --- time-outs --- */

/* When it has waited too long: longer, when meanwhile the device did other
 * things. */
static nstime_t deadline_of(const struct block_device *b,
                            const struct block_request *r)
{
    nstime_t timeout = timeout_of(b);
    nstime_t last = r->submitted + BLOCK_PATIENCE * timeout;
    nstime_t from = b->last_done > r->submitted ? b->last_done : r->submitted;

    return from + timeout < last ? from + timeout : last;
}

static nstime_t first_deadline(const struct block_device *b,
                               const struct list *head)
{
    if (list_empty(head))
        return TIME_NEVER;
    return deadline_of(b, container_of(head->next, struct block_request, node));
}

/* Lock held. */
static void ask_reset(struct block_device *b)
{
    b->resetting = true;
    block_reset_submit(b);
}

static void timer_fired(struct timer *t)
{
    struct block_device *b = container_of(t, struct block_device, timer);
    irqflags_t flags = spin_lock(&b->lock);
    nstime_t first = first_deadline(b, &b->active);
    nstime_t waiting = first_deadline(b, &b->waiting);

    first = first < waiting ? first : waiting;
    b->timer_armed = false;
    if (!b->gone && !b->resetting && first != TIME_NEVER) {
        if (first <= clock_now())
            ask_reset(b);
        else
            arm_timer(b, first);
    }
    spin_unlock(&b->lock, flags);
}

void block_needs_reset(struct block_device *b)
{
    irqflags_t flags = spin_lock(&b->lock);

    if (!b->gone && !b->resetting && !b->failed && b->ops->cancel) {
        b->blame_all = true;
        ask_reset(b);
    }
    spin_unlock(&b->lock, flags);
}

/* Those who have waited too long, or whom the device may have broken on, have
 * failed once more; lock held. */
static void blame(struct block_device *b, struct list *head, bool all)
{
    nstime_t now = clock_now();

    list_for_each (n, head) {
        struct block_request *r = container_of(n, struct block_request, node);

        if (!all && deadline_of(b, r) > now)
            continue;
        r->tries++;
        r->status = all ? -EIO : -ETIMEDOUT;
        b->stats.timeouts += !all;
    }
}

/* Those that wait and have used up their tries go to `ended`; the time of the
 * others begins anew. Lock held. */
static void sort_out_waiting(struct block_device *b, struct list *ended)
{
    nstime_t now = clock_now();

    list_for_each_safe (n, next, &b->waiting) {
        struct block_request *r = container_of(n, struct block_request, node);

        r->submitted = now;
        if (r->tries < BLOCK_TRIES)
            continue;
        list_remove(n);
        list_push_back(ended, n);
        b->stats.errors++;
    }
}

/* Thread context. */
static void reset_work(struct work *w)
{
    struct block_device *b = container_of(w, struct block_device, reset_work);
    struct list ended = LIST_INIT(ended);
    irqflags_t flags = spin_lock(&b->lock);
    bool broke = b->blame_all;
    int err;

    blame(b, &b->active, broke);
    if (!broke)
        blame(b, &b->waiting, false);
    b->blame_all = false;
    b->stats.resets++;
    spin_unlock(&b->lock, flags);
    log_warn("block", "%s %s and is reset", b->name,
             broke ? "broke the rules" : "does not answer");
    block_event(b, BLOCK_RESET, broke ? -EIO : -ETIMEDOUT);
    b->ops->cancel(b);
    err = b->gone ? 0 : b->ops->restart(b);
    if (err)
        block_event(b, BLOCK_LOST, err);
    if (err)
        log_error("block", "%s is lost: error %d after its reset", b->name,
                  -err);

    flags = spin_lock(&b->lock);
    b->failed = err != 0;
    b->resetting = false;
    sort_out_waiting(b, &ended);
    pump(b, &ended);
    if (!(list_empty(&b->active) && list_empty(&b->waiting)) && !b->timer_armed)
        arm_timer(b, clock_now() + timeout_of(b));
    spin_unlock(&b->lock, flags);
    kick(b);
    finish_all(&ended);
}

/* --- life --- */

void block_queue_init(struct block_device *b)
{
    b->lock = (struct spinlock)SPINLOCK_INIT;
    b->stats = (struct block_stats){0};
    list_init(&b->active);
    list_init(&b->waiting);
    b->last_done = 0;
    b->resetting = b->failed = b->blame_all = b->timer_armed = false;
    b->dirty = false;
    b->scanned = b->gone = false;
    timer_init(&b->timer, timer_fired);
    work_init(&b->reset_work, reset_work);
}

void block_queue_close(struct block_device *b)
{
    struct list ended = LIST_INIT(ended);
    irqflags_t flags = spin_lock(&b->lock);

    b->gone = true;
    spin_unlock(&b->lock, flags);
    block_reset_flush();
    timer_cancel_sync(&b->timer);
    if (b->ops->cancel)
        b->ops->cancel(b);
    flags = spin_lock(&b->lock);
    b->resetting = false;
    pump(b, &ended); /* ends them all */
    spin_unlock(&b->lock, flags);
    finish_all(&ended);
}

void block_get_stats(struct block_device *b, struct block_stats *out)
{
    struct block_device *disk = b->parent ? b->parent : b;
    irqflags_t flags = spin_lock(&disk->lock);

    *out = b->stats;
    spin_unlock(&disk->lock, flags);
}
