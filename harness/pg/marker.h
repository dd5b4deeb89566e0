/*
 * marker.h - on which of a user's own servers overbook may work, and with what it makes there.
 *
 * Runs happen in databases that overbook creates beside the one that it was given, and drops at the
 * end.  That one must be disposable, which says that the user knows: the table overbook.disposable
 * names it, by oid and by name, so that a marker that was carried elsewhere by a dump, a template
 * or a rename does not count.  Everything else is refused before anything in it is touched.  What
 * overbook creates has a comment with its oid, its name and the session that made it; that a killed
 * overbook left such a database behind is known by that alone.  One owner thread for each
 * connection; the caller owns it.
 */
#ifndef OB_PG_MARKER_H
#define OB_PG_MARKER_H

#include "base/error.h"

#include <libpq-fe.h>
#include <stddef.h>

/* OB_OK when the database of conn is marked; OB_REFUSED, with the cure, when it is not; OB_SQL
 * when it cannot be found out.  Reads only, in a transaction that PostgreSQL itself keeps from
 * writing. */
OB_MUSTCHECK enum ob_result ob_pg_marker_check(PGconn *conn, struct ob_error *err);

/* Whether the database of conn may be marked: OB_REFUSED for "postgres", for a template database
 * and on a standby.  Changes nothing. */
OB_MUSTCHECK enum ob_result ob_pg_marker_allowed(PGconn *conn, struct ob_error *err);

/* Marks the database of conn (the explicit flag --disposable) if it may be marked; a marked one is
 * left as it is. */
OB_MUSTCHECK enum ob_result ob_pg_marker_leave(PGconn *conn, struct ob_error *err);

/* OB_REFUSED, with the statements that cure it, when the role of conn may not create databases or
 * not set session_replication_role.  Changes nothing. */
OB_MUSTCHECK enum ob_result ob_pg_marker_rights(PGconn *conn, struct ob_error *err);

#define OB_PG_DATABASE_NAME_SIZE 64

/* Creates a database of overbook's own on the server of conn (which is in some other database) as a
 * copy of one in which nobody may be ("template0": an empty one), and puts its name,
 * overbook_PID_N, into name (OB_PG_DATABASE_NAME_SIZE bytes). */
OB_MUSTCHECK enum ob_result ob_pg_marker_create_from(PGconn *conn, const char *from, char *name,
                                                     struct ob_error *err);

/* Creates one with a name (a plain identifier) that what is played in it may show.  OB_REFUSED when
 * there is one of that name. */
OB_MUSTCHECK enum ob_result ob_pg_marker_create_named(PGconn *conn, const char *name,
                                                      struct ob_error *err);

/* Drops it and its copy again, connections and all; one that is no more is well.  On failure the
 * error names the database that is left and the statement that drops it. */
OB_MUSTCHECK enum ob_result ob_pg_marker_drop(PGconn *conn, const char *name, struct ob_error *err);

/* Makes the database name a copy of from, in place of one of that name; no session but conn may be
 * in from.  It is overbook's own, made by the session of conn. */
OB_MUSTCHECK enum ob_result ob_pg_marker_copy(PGconn *conn, const char *name, const char *from,
                                              struct ob_error *err);

/* Says that what overbook made belongs to the session of conn from now on. */
OB_MUSTCHECK enum ob_result ob_pg_marker_adopt(PGconn *conn, const char *name,
                                               struct ob_error *err);

/* The copy of a database's clean state is called that, and dropped with it. */
#define OB_PG_CLEAN_SUFFIX "_clean"

/* Drops what overbooks that are no more have left on the server of conn: databases with a comment
 * of overbook's own that is about them and that no session uses, of a session that has ended.  How
 * many; what cannot be dropped is left for the next time. */
size_t ob_pg_marker_sweep(PGconn *conn);

/* A connection string with all the parameters of conn but its database; holds the password if
 * there is one, so redact it before showing it.  The caller's to free. */
char *ob_pg_marker_conninfo(PGconn *conn, const char *dbname);

#endif
