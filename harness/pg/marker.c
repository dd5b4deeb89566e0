/*
 * marker.c - see marker.h.
 */
#include "pg/marker.h"

#include "base/buf.h"
#include "pg/conninfo.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DUPLICATE_DATABASE "42P04"
#define UNDEFINED_DATABASE "3D000"
#define NAMES_MAX 1000 /* overbook_PID_N that may be taken by leftovers */

/* One row: is the table there, whatever it says. */
static const char marker_exists[] =
    "SELECT pg_catalog.to_regclass('overbook.disposable') IS NOT NULL";

static const char marker_names_us[] =
    "SELECT EXISTS (SELECT FROM overbook.disposable m JOIN pg_catalog.pg_database d "
    "ON d.oid = m.database_oid AND d.datname = m.database_name "
    "WHERE d.datname = pg_catalog.current_database())";

static const char may_be_marked[] =
    "SELECT NOT datistemplate AND NOT pg_catalog.pg_is_in_recovery() "
    "FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";

static const char leave_marker[] =
    "BEGIN;"
    "SET LOCAL client_min_messages = warning;" /* no word about what is there already */
    "CREATE SCHEMA IF NOT EXISTS overbook;"
    "CREATE TABLE IF NOT EXISTS overbook.disposable ("
    "database_oid oid NOT NULL, database_name name NOT NULL, "
    "marked_by name NOT NULL DEFAULT CURRENT_USER, "
    "marked_at timestamptz NOT NULL DEFAULT pg_catalog.now(), "
    "PRIMARY KEY (database_oid, database_name));"
    "COMMENT ON TABLE overbook.disposable IS "
    "'overbook may wipe this database; drop the table to take that back';"
    "INSERT INTO overbook.disposable (database_oid, database_name) "
    "SELECT oid, datname FROM pg_catalog.pg_database "
    "WHERE datname = pg_catalog.current_database() ON CONFLICT DO NOTHING;"
    "COMMIT";

static enum ob_result sql_error(PGconn *conn, const PGresult *answer, const char *what,
                                struct ob_error *err)
{
    const char *state = PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    const char *primary = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);

    ob_error_set(err, PQstatus(conn) == CONNECTION_OK ? OB_SQL : OB_SERVER, "could not %s", what);
    ob_error_detail(err, "%s", primary != NULL ? primary : PQerrorMessage(conn));
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state != NULL ? state : "");
    return err->code;
}

static enum ob_result run(PGconn *conn, const char *sql, const char *what, struct ob_error *err)
{
    PGresult *answer = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(answer);
    enum ob_result result = OB_OK;

    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        result = sql_error(conn, answer, what, err);
    PQclear(answer);
    return result;
}

/* The one boolean that sql gives; no row is false. */
static enum ob_result ask(PGconn *conn, const char *sql, bool *out, struct ob_error *err)
{
    PGresult *answer = PQexec(conn, sql);
    enum ob_result result = OB_OK;

    if (PQresultStatus(answer) == PGRES_TUPLES_OK)
        *out = PQntuples(answer) > 0 && strcmp(PQgetvalue(answer, 0, 0), "t") == 0;
    else
        result = sql_error(conn, answer, "look for the mark of a disposable database", err);
    PQclear(answer);
    return result;
}

static enum ob_result refuse(PGconn *conn, bool elsewhere, struct ob_error *err)
{
    ob_error_set(err, OB_REFUSED, "the database \"%s\" is not marked as disposable", PQdb(conn));
    ob_error_detail(err, "%s",
                    elsewhere ? "Its table overbook.disposable names another database: it came "
                                "here with a dump, a template or a rename.  Nothing was changed."
                              : "Runs wipe tables.  Nothing in it was changed.");
    ob_error_hint(err,
                  "If all that is in it may be lost, mark it with --disposable; otherwise name "
                  "an empty database, or leave --database-url away for a server of overbook's "
                  "own.");
    return OB_REFUSED;
}

enum ob_result ob_pg_marker_check(PGconn *conn, struct ob_error *err)
{
    struct ob_error ignored;
    bool exists = false, marked = false;
    enum ob_result result = run(conn, "BEGIN READ ONLY", "begin a transaction", err);

    if (result != OB_OK)
        return result;
    result = ask(conn, marker_exists, &exists, err);
    if (result == OB_OK && exists)
        result = ask(conn, marker_names_us, &marked, err);
    enum ob_result ended = run(conn, "ROLLBACK", "end a transaction", &ignored);
    if (result == OB_OK && ended != OB_OK) {
        *err = ignored;
        result = ended;
    }
    if (result == OB_OK && !marked)
        result = refuse(conn, exists, err);
    return result;
}

enum ob_result ob_pg_marker_leave(PGconn *conn, struct ob_error *err)
{
    struct ob_error ignored;
    bool allowed = false;
    enum ob_result result = ask(conn, may_be_marked, &allowed, err);

    if (result != OB_OK)
        return result;
    if (!allowed) {
        ob_error_set(err, OB_REFUSED, "the database \"%s\" cannot be marked as disposable",
                     PQdb(conn));
        ob_error_detail(err, "It is a template for other databases, or on a standby server.");
        ob_error_hint(err, "Create a database for overbook and name that.");
        return OB_REFUSED;
    }
    result = run(conn, leave_marker, "mark the database as disposable", err);
    if (result != OB_OK && PQtransactionStatus(conn) != PQTRANS_IDLE)
        (void)run(conn, "ROLLBACK", "end a transaction", &ignored);
    return result;
}

enum ob_result ob_pg_marker_can_create(PGconn *conn, bool *out, struct ob_error *err)
{
    return ask(conn,
               "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles "
               "WHERE rolname = CURRENT_USER",
               out, err);
}

static enum ob_result mark_new(PGconn *conn, const char *name, struct ob_error *err)
{
    char *conninfo = ob_pg_marker_conninfo(conn, name);
    PGconn *inside = PQconnectdb(conninfo);
    enum ob_result result;

    if (PQstatus(inside) == CONNECTION_OK) {
        result = ob_pg_marker_leave(inside, err);
    } else {
        result = ob_error_set(err, OB_SERVER, "could not connect to the new database \"%s\"", name);
        ob_error_detail(err, "%s", PQerrorMessage(inside));
    }
    PQfinish(inside);
    free(conninfo);
    return result;
}

enum ob_result ob_pg_marker_create(PGconn *conn, char *name, struct ob_error *err)
{
    struct ob_error ignored;
    char sql[256];
    enum ob_result result = OB_INTERNAL;

    for (int number = 1; number <= NAMES_MAX; number++) {
        snprintf(name, OB_PG_DATABASE_NAME_SIZE, "overbook_%d_%d", (int)getpid(), number);
        /* template0 has nothing in it that the server's owner put there. */
        snprintf(sql, sizeof sql, "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'", name);
        result = run(conn, sql, "create a database for overbook", err);
        if (result == OB_OK || strcmp(err->sqlstate, DUPLICATE_DATABASE) != 0)
            break;
    }
    if (result != OB_OK)
        return result;
    result = mark_new(conn, name, err);
    if (result != OB_OK && ob_pg_marker_drop(conn, name, &ignored) != OB_OK)
        ob_error_hint(err, "%s", ignored.hint);
    return result;
}

/* Whether the server takes connections, if only to refuse them.  A session whose postmaster was
 * killed may outlive it for a moment, and a DROP DATABASE in it would wait a minute for a
 * checkpoint that nobody makes. */
static bool is_there(PGconn *conn)
{
    char *conninfo = ob_pg_marker_conninfo(conn, PQdb(conn));
    bool there = PQping(conninfo) != PQPING_NO_RESPONSE;

    free(conninfo);
    return there;
}

static enum ob_result drop(PGconn *conn, const char *sql, struct ob_error *err)
{
    if (is_there(conn))
        return run(conn, sql, "drop the database", err);
    return ob_error_set(err, OB_SERVER, "the database server went away");
}

enum ob_result ob_pg_marker_drop(PGconn *conn, const char *name, struct ob_error *err)
{
    char sql[256];
    char *quoted = PQescapeIdentifier(conn, name, strlen(name));

    assert(quoted != NULL && strlen(name) < OB_PG_DATABASE_NAME_SIZE);
    snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", quoted);
    enum ob_result result = drop(conn, sql, err);
    if (result != OB_OK && strcmp(err->sqlstate, UNDEFINED_DATABASE) == 0) {
        result = OB_OK;
    } else if (result != OB_OK) {
        ob_error_context(err, "the database \"%s\" is left", name);
        ob_error_hint(err, "Drop it by hand: DROP DATABASE %s WITH (FORCE);", quoted);
    }
    PQfreemem(quoted);
    return result;
}

char *ob_pg_marker_conninfo(PGconn *conn, const char *dbname)
{
    PQconninfoOption *options = PQconninfo(conn);
    struct ob_buf text;

    ob_buf_init(&text, OB_PG_CONNINFO_MAX);
    for (const PQconninfoOption *option = options; option && option->keyword; option++)
        if (option->val != NULL && option->val[0] != '\0' && strcmp(option->keyword, "dbname") != 0)
            ob_pg_conninfo_add(&text, option->keyword, option->val);
    ob_pg_conninfo_add(&text, "dbname", dbname);
    PQconninfoFree(options);
    return ob_buf_take(&text);
}
