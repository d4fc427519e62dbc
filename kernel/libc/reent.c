/*
 * newlib's state per thread: each thread carries its own struct _reent (errno,
 * strtok, standard streams, ...); before there are threads the library's static
 * one serves. Thread context.
 */
#include <rayos/libc.h>

#include <reent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rayos/percpu.h>
#include <rayos/thread.h>

/* newlib's walk over the streams of one thread; in none of its headers. */
int _fwalk_reent(struct _reent *r, int (*fn)(struct _reent *, FILE *));

/* newlib asks here for everything that is per thread, errno included. */
struct _reent *__getreent(void)
{
    struct thread *t = thread_current();

    return t ? &t->reent : _impure_ptr;
}

void libc_thread_init(struct thread *t)
{
    _REENT_INIT_PTR(&t->reent);
}

/* On the thread itself what its streams still hold is written; when another
 * thread cleans up, the descriptors are no longer this thread's to use, and
 * only memory is given back. */
void libc_thread_fini(struct thread *t)
{
    struct _reent *r = &t->reent;

    if (t == thread_current())
        _fwalk_reent(r, _fflush_r);
    _reclaim_reent(r);
    free(r->_sig_func); /* which _reclaim_reent forgets */
    _REENT_INIT_PTR(r);
}
