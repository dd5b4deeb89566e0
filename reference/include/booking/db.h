/*
 * db.h - the port through which the flow reaches the database, and libpq behind it.
 *
 * One call is one round trip with one statement: what a test harness puts behind this port is
 * scheduled statement by statement, and is the same code that serves.  A session belongs to one
 * thread at a time and has at most one transaction open.  Outside begin … commit a statement is its
 * own transaction.
 */
#ifndef BOOKING_DB_H
#define BOOKING_DB_H

#include <stdint.h>
#include <libpq-fe.h>

#include "booking/error.h"

enum booking_db_result {
    BOOKING_DB_OK,
    BOOKING_DB_ERROR, /* the server said no: the SQLSTATE is in the PGresult */
    BOOKING_DB_LOST   /* the connection is gone; what was in flight has an unknown outcome */
};

enum booking_isolation { BOOKING_READ_COMMITTED, BOOKING_REPEATABLE_READ, BOOKING_SERIALIZABLE };

struct booking_db; /* embedded as the first member by an implementation */

struct booking_db_ops {
    /* Opens a transaction at the given level.  After LOST there is none. */
    enum booking_db_result (*begin)(struct booking_db *db, enum booking_isolation isolation);

    /* Runs one statement with text parameters (NULL is SQL null).  On OK and ERROR *out is a
     * result that the caller clears; on LOST it is NULL. */
    enum booking_db_result (*exec)(struct booking_db *db, const char *sql, int param_count,
                                   const char *const *params, PGresult **out);

    /* Commits.  A COMMIT can fail (40001, 23P01 of a deferred constraint, …): then the
     * transaction is over, and *error is a result that the caller clears; otherwise it is NULL.
     * LOST: committed or not, nobody knows. */
    enum booking_db_result (*commit)(struct booking_db *db, PGresult **error);

    /* Ends the transaction without keeping it; also one that failed. */
    enum booking_db_result (*rollback)(struct booking_db *db);

    /* A fresh session in place of the one that was lost.  OK, or LOST when there is still no
     * server. */
    enum booking_db_result (*reconnect)(struct booking_db *db);

    /* Backs off before a retry, for so many microseconds. */
    void (*pause)(struct booking_db *db, int64_t delay_us);

    /* Breaks the session off as if the process had died: the server rolls back what was open.
     * May be NULL, then rollback takes its place.  Until reconnect every call returns LOST. */
    void (*kill)(struct booking_db *db);
};

struct booking_db {
    const struct booking_db_ops *ops;
};

/* "READ COMMITTED" and so on, as BEGIN ISOLATION LEVEL takes it; "read-committed" for options
 * and labels. */
const char *booking_isolation_sql(enum booking_isolation isolation);
const char *booking_isolation_name(enum booking_isolation isolation);

/* Connects by a libpq connection string or URI; the session's time zone is UTC.  On failure
 * returns LOST, fills err and leaves *out alone. */
enum booking_db_result booking_db_open(const char *conninfo, struct booking_db **out,
                                       struct booking_error *err);

/* Closes a session of booking_db_open; NULL is legal.  An open transaction is rolled back. */
void booking_db_close(struct booking_db *db);

/* The connection below a session of booking_db_open, for migrations; still owned by the session,
 * NULL after kill. */
PGconn *booking_db_connection(struct booking_db *db);

#endif
