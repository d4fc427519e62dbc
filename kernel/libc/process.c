/*
 * What the C library expects of a process. Here a "process" is the current
 * thread, in practice the thread of a Lua domain: exit, abort and fatal signals
 * end that domain through thread->exit_hook and nothing else, so that a library
 * that gives up cannot take the machine along. There are no other processes.
 * Thread context.
 */
#include <assert.h>
#include <errno.h>
#include <reent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rayos/log.h>
#include <rayos/panic.h>
#include <rayos/percpu.h>
#include <rayos/thread.h>

#define STATUS_SIGNAL 128 /* + the signal's number, as shells have it */

static _Noreturn void process_end(const char *what, int status)
{
    struct thread *t = thread_current();

    if (t && t->exit_hook)
        t->exit_hook(t, status);
    panic("%s with status %d on thread %s, which is no domain", what, status,
          t ? t->name : "(none)");
}

/* In place of newlib's: functions registered by atexit are the machine's, not
 * this domain's, and do not run. */
void exit(int status)
{
    process_end("exit", status);
}

void _exit(int status)
{
    process_end("_exit", status);
}

void abort(void)
{
    process_end("abort", STATUS_SIGNAL + SIGABRT);
}

void __assert_func(const char *file, int line, const char *func,
                   const char *expr)
{
    log_error("libc", "assertion failed: %s, %s:%d, %s", expr, file, line,
              func ? func : "?");
    fprintf(stderr, "assertion failed: %s, file %s, line %d\n", expr, file,
            line);
    abort();
}

void __assert(const char *file, int line, const char *expr)
{
    __assert_func(file, line, NULL, expr);
}

int _getpid_r(struct _reent *r)
{
    struct thread *t = thread_current();

    (void)r;
    return t ? (int)t->id : 0;
}

/* raise() of a signal without a handler comes here. */
int _kill_r(struct _reent *r, int pid, int sig)
{
    if (pid != _getpid_r(r)) {
        r->_errno = ESRCH;
        return -1;
    }
    if (sig == 0 || sig == SIGCHLD || sig == SIGCONT || sig == SIGURG ||
        sig == SIGWINCH)
        return 0; /* ignored by default (POSIX.1-2008, <signal.h>) */
    process_end("fatal signal", STATUS_SIGNAL + sig);
}

int _fork_r(struct _reent *r)
{
    r->_errno = ENOSYS;
    return -1;
}

int _execve_r(struct _reent *r, const char *path, char *const *argv,
              char *const *env)
{
    (void)path, (void)argv, (void)env;
    r->_errno = ENOSYS;
    return -1;
}

int _wait_r(struct _reent *r, int *status)
{
    (void)status;
    r->_errno = ECHILD;
    return -1;
}

/* There is no shell: 0 for "is there one?", failure for a command. newlib's own
 * believes in one. */
int _system_r(struct _reent *r, const char *command)
{
    if (!command)
        return 0;
    r->_errno = ENOSYS;
    return -1;
}

/* The heap is ours (libc/malloc.c); there is no break to move. */
void *_sbrk_r(struct _reent *r, ptrdiff_t increment)
{
    (void)increment;
    r->_errno = ENOMEM;
    return (void *)-1;
}

/* --- the same under their common names --- */

pid_t getpid(void)
{
    return _getpid_r(_REENT);
}

int kill(pid_t pid, int sig)
{
    return _kill_r(_REENT, pid, sig);
}

pid_t fork(void)
{
    return _fork_r(_REENT);
}

int execve(const char *path, char *const argv[], char *const env[])
{
    return _execve_r(_REENT, path, argv, env);
}

int system(const char *command)
{
    return _system_r(_REENT, command);
}

pid_t wait(int *status)
{
    return _wait_r(_REENT, status);
}

void *sbrk(ptrdiff_t increment)
{
    return _sbrk_r(_REENT, increment);
}
