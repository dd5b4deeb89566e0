/*
 * home.h - the temporary directory that a server lives in, and everything that may be left of it.
 *
 *     $TMPDIR/overbook-pg-XXXXXX/
 *         overbook.home     marks it as ours to remove
 *         data-XXXXXX/      the cluster
 *         log               what the programs print
 *         .s.PGSQL.5432     the socket
 *
 * The directory itself is locked (flock) by overbook and the keeper for as long as either lives.
 * One whose lock is free is a leftover of processes that were killed, and the next start sweeps it
 * away together with what still runs in it: every program of ours is started, and every server
 * process stays, with its working directory inside its home, which is how they are known.
 */
#ifndef OB_PG_HOME_H
#define OB_PG_HOME_H

#include "base/error.h"
#include "pg/account.h"

#include <stdbool.h>
#include <stddef.h>

struct ob_pg_home {
    char *path; /* absolute, without symbolic links; owned */
    char *data; /* the cluster in it; owned; made by whoever fills it */
    char *log;  /* path/log; owned */
    int lock_fd;
    struct ob_pg_account account;
};

/* Makes a home in $TMPDIR, or in /tmp when that is not set, when the socket's path would not fit
 * there (107 bytes, no comma) or when the account cannot enter it.  Sweeps leftovers first.
 * OB_IO with the cure when it cannot be made. */
OB_MUSTCHECK enum ob_result ob_pg_home_open(struct ob_pg_home *out, struct ob_error *err);

/* The same with the places to try given, in order; without a sweep. */
OB_MUSTCHECK enum ob_result ob_pg_home_open_in(const char *const *places, size_t count,
                                               struct ob_pg_home *out, struct ob_error *err);

/* Fills *home for a directory so named that is already there; lock_fd becomes the home's. */
void ob_pg_home_init(struct ob_pg_home *home, const char *path, int lock_fd,
                     const struct ob_pg_account *account);

/* Gives the directory to the account, which is root's own until then.  Once, when it is filled. */
OB_MUSTCHECK enum ob_result ob_pg_home_hand_over(const struct ob_pg_home *home,
                                                 struct ob_error *err);

/* Kills what runs in the home, removes its shared memory and the directory.  True when all is
 * gone. */
bool ob_pg_home_destroy(const struct ob_pg_home *home);

/* Frees the memory and this process's hold on the lock; the directory stays. */
void ob_pg_home_clear(struct ob_pg_home *home);

/* Destroys the homes in place whose lock is free and that are the account's or our own. */
void ob_pg_home_sweep(const char *place, const struct ob_pg_account *account);

/* Sends the signal to every process whose working directory is dir or below; returns how many
 * there are. */
size_t ob_pg_home_signal(const char *dir, int signal_number);

#endif
