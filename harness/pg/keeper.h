/*
 * keeper.h - the process that owns a home and whatever runs in it.
 *
 * A keeper makes its home and runs programs in it (initdb, then postgres) on
 * request. It sees the death of the process that opened it, by end of file on their socket and by a
 * pidfd, whatever the cause, SIGKILL included: then, or when it is closed, it ends the program
 * (SIGQUIT; SIGCONT to those that were stopped; SIGKILL after a limit, orphans too), removes shared
 * memory and the directory, and exits. It has a session of its own, so that the terminal's SIGINT
 * does not reach it, and holds none of the opener's files.  Should the keeper itself be killed, the
 * kernel sends SIGQUIT to its program, the opener cleans up when it closes, and failing that the
 * next start does.
 *
 * Threads: open before any thread is started; afterwards one owner, but ob_pg_keeper_ended() from
 * any.
 */
#ifndef OB_PG_KEEPER_H
#define OB_PG_KEEPER_H

#include "base/error.h"
#include "pg/home.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct ob_pg_keeper {
    struct ob_pg_home home; /* owned */
    pid_t pid;
    int fd; /* the socket to the keeper */
};

/* Forks a keeper, which makes a home.  Errors as of ob_pg_home_open(). */
OB_MUSTCHECK enum ob_result ob_pg_keeper_open(struct ob_pg_keeper *out, struct ob_error *err);

/* Starts a program in the home as the account, its output appended to the home's log; argv ends
 * with NULL and holds at most OB_PG_KEEPER_ARGV_MAX bytes.  One program at a time.  *pid is its
 * process. */
#define OB_PG_KEEPER_ARGV_MAX 16384
OB_MUSTCHECK enum ob_result ob_pg_keeper_run(struct ob_pg_keeper *keeper, const char *const *argv,
                                             pid_t *pid, struct ob_error *err);

/* Waits until the program has ended; *status is as waitpid() gives it.  extra_fd, if not
 * negative, ends the wait too when it becomes readable: then *ended is false.  OB_SERVER when
 * neither happens within ms_max, or when the keeper has gone. */
OB_MUSTCHECK enum ob_result ob_pg_keeper_wait(struct ob_pg_keeper *keeper, int extra_fd, int ms_max,
                                              bool *ended, int *status, struct ob_error *err);

/* The log's last whole lines, size - 1 bytes of them at the most. */
void ob_pg_keeper_log_tail(const struct ob_pg_keeper *keeper, char *tail, size_t size);

/* The error for a program, by its name, that ended with the status when it should not have:
 * OB_SERVER, with the log's last lines as the detail and a hint when they tell of a full disk. */
enum ob_result ob_pg_keeper_program_error(const struct ob_pg_keeper *keeper, const char *name,
                                          int status, struct ob_error *err);

/* True once the program or the keeper has ended; takes nothing from the socket. */
bool ob_pg_keeper_ended(const struct ob_pg_keeper *keeper);

/* Ends it all and waits for it.  True when process, directory and shared memory are gone. */
bool ob_pg_keeper_close(struct ob_pg_keeper *keeper);

#endif
