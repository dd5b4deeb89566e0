/*
 * marker.h - which databases of a user's own server overbook may wipe.
 *
 * Runs wipe tables.  A database is disposable when the table overbook.disposable names it, by oid
 * and by name: a marker that was carried elsewhere by a dump, a template or a rename does not
 * count.  Everything else is refused before anything in it is touched.  Databases that overbook
 * creates itself are marked, and dropped at the end.  One owner thread for each connection; the
 * caller owns it.
 */
#ifndef OB_PG_MARKER_H
#define OB_PG_MARKER_H

#include "base/error.h"

#include <libpq-fe.h>
#include <stdbool.h>

/* OB_OK when the database of conn is marked; OB_REFUSED, with the cure, when it is not; OB_SQL
 * when it cannot be found out.  Reads only, in a transaction that PostgreSQL itself keeps from
 * writing. */
OB_MUSTCHECK enum ob_result ob_pg_marker_check(PGconn *conn, struct ob_error *err);

/* Marks the database of conn (the explicit flag --disposable); a marked one is left as it is.
 * OB_REFUSED for a template database and on a standby. */
OB_MUSTCHECK enum ob_result ob_pg_marker_leave(PGconn *conn, struct ob_error *err);

/* Whether the role of conn may create databases. */
OB_MUSTCHECK enum ob_result ob_pg_marker_can_create(PGconn *conn, bool *out, struct ob_error *err);

#define OB_PG_DATABASE_NAME_SIZE 64

/* Creates a database of overbook's own on the server of conn (which is in some other database),
 * marks it and puts its name, overbook_PID_N, into name (OB_PG_DATABASE_NAME_SIZE bytes). */
OB_MUSTCHECK enum ob_result ob_pg_marker_create(PGconn *conn, char *name, struct ob_error *err);

/* Drops it again, connections and all; one that is no more is well.  On failure the error names
 * the database that is left and the statement that drops it. */
OB_MUSTCHECK enum ob_result ob_pg_marker_drop(PGconn *conn, const char *name, struct ob_error *err);

/* A connection string with all the parameters of conn but its database; holds the password if
 * there is one, so redact it before showing it.  The caller's to free. */
char *ob_pg_marker_conninfo(PGconn *conn, const char *dbname);

#endif
