/*
 * The tables of stdio's FILE objects, in place of newlib's own (findfp.c and
 * fwalk.c; every function that they define is defined here, so the linker
 * leaves them out).
 *
 * newlib keeps the files of all threads in one list. Ours are domains that do
 * not trust each other: a FILE made by one must not be flushed by another
 * (into a descriptor of its own table), nor be paid for by the one that happens
 * to extend the list. So each thread's struct _reent has its own list, streams
 * are used by their thread alone and need no locks, and the list goes with the
 * thread. Thread context.
 */
#include <errno.h>
#include <reent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* newlib's back ends of a stream on a descriptor. */
_READ_WRITE_RETURN_TYPE __sread(struct _reent *, void *, char *,
                                _READ_WRITE_BUFSIZE_TYPE);
_READ_WRITE_RETURN_TYPE __swrite(struct _reent *, void *, const char *,
                                 _READ_WRITE_BUFSIZE_TYPE);
_fpos_t __sseek(struct _reent *, void *, _fpos_t, int);
int __sclose(struct _reent *, void *);

/* What the rest of newlib expects of this module. */
FILE *__sfp(struct _reent *r);
struct _glue *__sfmoreglue(struct _reent *r, int n);
void __sinit(struct _reent *r);
void _cleanup_r(struct _reent *r);
void _cleanup(void);
void __sfp_lock_acquire(void);
void __sfp_lock_release(void);
void __sinit_lock_acquire(void);
void __sinit_lock_release(void);
void __fp_lock_all(void);
void __fp_unlock_all(void);
/* Its fwalk.c likewise. */
int _fwalk(struct _reent *r, int (*fn)(FILE *));
int _fwalk_reent(struct _reent *r, int (*fn)(struct _reent *, FILE *));

#define FILES_AT_ONCE 4 /* a domain opens few files, and pays for them */

struct files {
    struct _glue glue;
    FILE file[FILES_AT_ONCE];
};

/* The buffer is made at first use (newlib's __smakebuf_r), which also makes a
 * stream on a tty line buffered. */
static void stream_init(FILE *f, int flags, int fd)
{
    memset(f, 0, sizeof(*f));
    f->_flags = (short)flags;
    f->_flags2 = __SNLK; /* no locking */
    f->_file = (short)fd;
    f->_cookie = f;
    f->_read = __sread;
    f->_write = __swrite;
    f->_seek = __sseek;
    f->_close = __sclose;
}

void __sinit(struct _reent *r)
{
    if (r->__sdidinit)
        return;
    r->__cleanup = _cleanup_r;
    r->__sglue._next = NULL;
    r->__sglue._niobs = 3;
    r->__sglue._iobs = r->__sf;
    stream_init(r->_stdin, __SRD, 0);
    stream_init(r->_stdout, __SWR, 1);
    stream_init(r->_stderr, __SRW | __SNBF, 2);
    r->__sdidinit = 1;
}

struct _glue *__sfmoreglue(struct _reent *r, int n)
{
    struct files *more = _calloc_r(r, 1, sizeof(*more));

    (void)n;
    if (!more)
        return NULL;
    more->glue._niobs = FILES_AT_ONCE;
    more->glue._iobs = more->file;
    return &more->glue;
}

static FILE *stream_find_free(struct _glue *g)
{
    for (int i = 0; i < g->_niobs; i++)
        if (g->_iobs[i]._flags == 0)
            return &g->_iobs[i];
    return NULL;
}

/* A FILE for fopen and its like: reserved, the caller fills in the rest. */
FILE *__sfp(struct _reent *r)
{
    struct _glue *g = &r->__sglue;
    FILE *f;

    if (!r->__sdidinit)
        __sinit(r);
    while (!(f = stream_find_free(g))) {
        if (!g->_next)
            g->_next = __sfmoreglue(r, FILES_AT_ONCE);
        g = g->_next;
        if (!g) {
            r->_errno = ENOMEM;
            return NULL;
        }
    }
    memset(f, 0, sizeof(*f));
    f->_file = -1;
    f->_flags = 1;
    f->_flags2 = __SNLK;
    return f;
}

/* --- walks --- */

/* newlib asks for the streams of the machine where the standard says "all open
 * streams" (fflush(NULL), and what is flushed before a terminal is read): here
 * that is all of this thread's. */
static struct _reent *walk_whose(struct _reent *r)
{
    return r == _GLOBAL_REENT ? _REENT : r;
}

/* In use and on a descriptor; 1 marks one that is being opened or read. */
static bool stream_is_open(const FILE *f)
{
    return f->_flags != 0 && f->_flags != 1 && f->_file != -1;
}

int _fwalk(struct _reent *r, int (*fn)(FILE *))
{
    int result = 0;

    for (struct _glue *g = &walk_whose(r)->__sglue; g; g = g->_next)
        for (int i = 0; i < g->_niobs; i++)
            if (stream_is_open(&g->_iobs[i]))
                result |= fn(&g->_iobs[i]);
    return result;
}

int _fwalk_reent(struct _reent *r, int (*fn)(struct _reent *, FILE *))
{
    int result = 0;

    r = walk_whose(r);
    for (struct _glue *g = &r->__sglue; g; g = g->_next)
        for (int i = 0; i < g->_niobs; i++)
            if (stream_is_open(&g->_iobs[i]))
                result |= fn(r, &g->_iobs[i]);
    return result;
}

/* --- the end --- */

/* Give back what a stream owns, without touching its descriptor. */
static int stream_release(struct _reent *r, FILE *f)
{
    if (f->_flags & __SMBF)
        _free_r(r, f->_bf._base);
    if (f->_ub._base && f->_ub._base != f->_ubuf)
        _free_r(r, f->_ub._base);
    if (f->_lb._base)
        _free_r(r, f->_lb._base);
    memset(f, 0, sizeof(*f));
    return 0;
}

/* Called by _reclaim_reent at a thread's end; it frees the list itself. */
void _cleanup_r(struct _reent *r)
{
    for (struct _glue *g = &r->__sglue; g; g = g->_next)
        for (int i = 0; i < g->_niobs; i++)
            if (g->_iobs[i]._flags != 0)
                stream_release(r, &g->_iobs[i]);
}

/* newlib's exit would call these two for all threads together; ours never
 * does. */
void _cleanup(void)
{
}

void __fp_lock_all(void)
{
}

void __fp_unlock_all(void)
{
}

void __sfp_lock_acquire(void)
{
}

void __sfp_lock_release(void)
{
}

void __sinit_lock_acquire(void)
{
}

void __sinit_lock_release(void)
{
}
