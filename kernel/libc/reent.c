/*
 * newlib's state per thread: each thread carries its own struct _reent (errno,
 * strtok, standard streams, ...); before there are threads the library's static
 * one serves. Thread context.
 */
#include <rayos/libc.h>

#include <reent.h>
#include <stdlib.h>
#include <string.h>

#include <rayos/percpu.h>
#include <rayos/thread.h>

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

/* The thread has ended and its descriptors are no longer its own to use: only
 * memory is given back. What its streams still hold must have been flushed by
 * the thread itself. */
void libc_thread_fini(struct thread *t)
{
    struct _reent *r = &t->reent;

    _reclaim_reent(r);
    free(r->_sig_func); /* which _reclaim_reent forgets */
    _REENT_INIT_PTR(r);
}
