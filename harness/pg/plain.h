/*
 * plain.h - sessions as the server makes them, and all that they say, for specs whose output is
 * compared byte for byte with that of isolationtester.
 *
 * A world (world.h) has settings of its own, and keeps the last result of a step.  Here nothing is
 * set or put back, a step may have any number of results, and notices, results and notifications
 * are kept in the order in which libpq hands them over.  Deadlocks and timeouts are the server's
 * own business (server_timers in engine/run.h).
 *
 * Connections outlive a spec, since to make one costs more than most specs do.
 *
 * An interrupt (interrupt.h) ends what is waited for, and with it the run: OB_INTERRUPTED.
 *
 * Threads: one owner.
 */
#ifndef OB_PG_PLAIN_H
#define OB_PG_PLAIN_H

#include "base/error.h"
#include "engine/port.h"

#include <libpq-fe.h>
#include <stdbool.h>

struct ob_pg_plain;

enum ob_pg_said_kind {
    OB_PG_SAID_NOTICE,    /* text: as libpq formats it */
    OB_PG_SAID_CANCELLED, /* it took too long and was cancelled */
    OB_PG_SAID_ANSWER,    /* the first result is complete: what follows is the step's outcome */
    OB_PG_SAID_RESULT,    /* result */
    OB_PG_SAID_NOTIFY,    /* notify */
};

/* Something that a session said; all of it is the session's. */
struct ob_pg_said {
    enum ob_pg_said_kind kind;
    char *text;
    PGresult *result;
    PGnotify *notify;
};

/* Connects to the database, for control and for asking who waits. */
OB_MUSTCHECK enum ob_result ob_pg_plain_open(const char *conninfo, struct ob_pg_plain **out,
                                             struct ob_error *err);
void ob_pg_plain_close(struct ob_pg_plain *plain); /* NULL is legal */

/* Makes the sessions of a spec ready, as if each was new, their application names
 * "APPLICATION/NAME" (application NULL: what the connection has by itself).  Nothing is left of
 * earlier specs' sessions.  What they are told from now on is kept.  OB_SERVER, and the detail is
 * libpq's message. */
OB_MUSTCHECK enum ob_result ob_pg_plain_begin(struct ob_pg_plain *plain, const char *application,
                                              const char *const *names, size_t count,
                                              struct ob_error *err);

/* Runs SQL at once, on the control connection (OB_NO_CLIENT), whose notices nobody hears, or on a
 * session; an interrupt (interrupt.h) cancels it.  The result is the last one, the caller's to
 * clear. */
PGresult *ob_pg_plain_exec(struct ob_pg_plain *plain, size_t client, const char *sql);
/* libpq's message about that. */
const char *ob_pg_plain_message(const struct ob_pg_plain *plain, size_t client);

/* The next thing that the session said and that was not asked for yet; NULL: none.  Valid until
 * the session's next operation. */
const struct ob_pg_said *ob_pg_plain_next(struct ob_pg_plain *plain, size_t client);
/* The same, without taking it. */
const struct ob_pg_said *ob_pg_plain_peek(const struct ob_pg_plain *plain, size_t client);

/* False when the server itself has gone. */
bool ob_pg_plain_is_there(const struct ob_pg_plain *plain);

/* The session with this process, or OB_NO_CLIENT. */
size_t ob_pg_plain_client_of(const struct ob_pg_plain *plain, int pid);

/* The error's message when a session could not be sent its operation. */
#define OB_PG_PLAIN_SEND_FAILED "failed to send query"

/* For QUERY operations only; replies have no native result. */
struct ob_ports ob_pg_plain_ports(struct ob_pg_plain *plain);

#endif
