/*
 * interrupt.h - waiting for an answer of the server, unless the user interrupts.
 *
 * What runs on the control connection may take long (a setup, an invariant), and the user need not
 * wait for that.  A signal handler says so once for the whole process; whoever waits then has the
 * statement cancelled, and gets its error.
 */
#ifndef OB_PG_INTERRUPT_H
#define OB_PG_INTERRUPT_H

#include <libpq-fe.h>
#include <stdbool.h>

/* For a signal handler: what is being waited for is cancelled.  There is no way back. */
void ob_pg_interrupt(void);
bool ob_pg_interrupted(void);

/* The last result of what was sent on conn, as from PQexec(); NULL when there is none. */
PGresult *ob_pg_wait_result(PGconn *conn);

/* PQexec(), but that it can be interrupted. */
PGresult *ob_pg_wait_exec(PGconn *conn, const char *sql);

#endif
