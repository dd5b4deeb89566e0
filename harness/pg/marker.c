/*
 * marker.c - see marker.h.
 */
#include "pg/marker.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "pg/conninfo.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DUPLICATE_DATABASE "42P04"
#define UNDEFINED_DATABASE "3D000"
#define OBJECT_IN_USE "55006"
#define NAMES_MAX 1000 /* overbook_PID_N that may be taken by leftovers */

/* Is the table there, whatever it says.  An ordinary one: a view says what others make it say. */
static const char marker_exists[] = "SELECT relkind = 'r' FROM pg_catalog.pg_class "
                                    "WHERE oid = pg_catalog.to_regclass('overbook.disposable')";

static const char marker_names_us[] =
    "SELECT EXISTS (SELECT FROM overbook.disposable m JOIN pg_catalog.pg_database d "
    "ON d.oid = m.database_oid AND d.datname = m.database_name "
    "WHERE d.datname = pg_catalog.current_database())";

/* "postgres" is where other programs look first, and so nobody's to give away. */
static const char may_be_marked[] =
    "SELECT NOT datistemplate AND datname <> 'postgres' AND NOT pg_catalog.pg_is_in_recovery() "
    "FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";

/* The comment of a database that overbook made: which one, by name and oid, and the session that
 * made it. */
#define OURS "'made by overbook, which drops it: %s, oid %s, session %s'"

static const char comment_on[] =
    "SELECT pg_catalog.format('COMMENT ON DATABASE %I IS %L', datname, pg_catalog.format(" OURS
    ", datname, oid, pg_catalog.pg_backend_pid())) FROM pg_catalog.pg_database WHERE datname = $1";

/* Ours by comment, which has the name and the oid, made by a session that is no more, used by none,
 * and to drop.  The name is a plain identifier, as all of ours are. */
static const char left_behind[] =
    "SELECT datname FROM pg_catalog.pg_database d, LATERAL (SELECT "
    "pg_catalog.shobj_description(oid, 'pg_database') AS comment) c, LATERAL (SELECT "
    "pg_catalog.substring(comment, ', session ([0-9]+)$') AS maker) m "
    "WHERE datname ~ '^[a-z_][a-z0-9_]*$' "
    "AND comment = pg_catalog.format(" OURS ", datname, oid, maker) "
    "AND pg_catalog.pg_has_role(datdba, 'USAGE') "
    "AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a "
    "WHERE a.datid = d.oid OR a.pid::text = maker) ORDER BY datname";

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
    "'overbook may work on this server; DROP SCHEMA overbook CASCADE takes that back';"
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
    ob_error_detail(err, "%s  Nothing was changed.",
                    elsewhere ? "Its table overbook.disposable names another database: it came "
                                "here with a dump, a template or a rename."
                              : "Runs happen in databases that overbook makes beside a marked one "
                                "and drops again; the mark says that it may.");
    ob_error_hint(err, "Create a database for overbook, and mark it with --disposable; or leave "
                       "--database-url out for a server of overbook's own.");
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

enum ob_result ob_pg_marker_allowed(PGconn *conn, struct ob_error *err)
{
    bool allowed = false;
    enum ob_result result = ask(conn, may_be_marked, &allowed, err);

    if (result != OB_OK)
        return result;
    if (!allowed) {
        ob_error_set(err, OB_REFUSED, "the database \"%s\" cannot be marked as disposable",
                     PQdb(conn));
        ob_error_detail(err, "It is \"postgres\", a template for other databases, or on a standby "
                             "server.");
        ob_error_hint(err, "Create a database for overbook, and name that.");
        return OB_REFUSED;
    }
    return OB_OK;
}

enum ob_result ob_pg_marker_leave(PGconn *conn, struct ob_error *err)
{
    struct ob_error ignored;
    enum ob_result result = ob_pg_marker_allowed(conn, err);

    if (result != OB_OK)
        return result;
    result = run(conn, leave_marker, "mark the database as disposable", err);
    if (result != OB_OK && PQtransactionStatus(conn) != PQTRANS_IDLE)
        (void)run(conn, "ROLLBACK", "end a transaction", &ignored);
    return result;
}

/* Tries, in a transaction that comes to nothing. */
static enum ob_result may_set_role(PGconn *conn, bool *out, struct ob_error *err)
{
    enum ob_result result = run(conn, "BEGIN", "begin a transaction", err);

    if (result != OB_OK)
        return result;
    result =
        run(conn, "SET LOCAL session_replication_role = replica", "try the role's rights", err);
    if (result != OB_OK && result != OB_SQL)
        return result;
    *out = result == OB_OK;
    return run(conn, "ROLLBACK", "end a transaction", err);
}

/* The role, as it has to be written in a statement; the caller's to free. */
static char *role_of(PGconn *conn)
{
    PGresult *answer = PQexec(conn, "SELECT pg_catalog.quote_ident(CURRENT_USER)");
    bool known = PQresultStatus(answer) == PGRES_TUPLES_OK;
    char *role = ob_strdup(known ? PQgetvalue(answer, 0, 0) : PQuser(conn));

    PQclear(answer);
    return role;
}

static enum ob_result refuse_role(PGconn *conn, bool create, bool set, struct ob_error *err)
{
    char *role = role_of(conn);
    bool grantable = set || PQserverVersion(conn) >= 150000;

    if (create || set)
        ob_error_set(err, OB_REFUSED, "the role %s may not %s", role,
                     create ? "set session_replication_role" : "create databases");
    else
        ob_error_set(err, OB_REFUSED,
                     "the role %s may not create databases, and not set session_replication_role",
                     role);
    ob_error_detail(err, "Runs happen in databases that overbook makes and drops again, and rows "
                         "are put back between them with triggers and foreign keys off.");
    if (!grantable)
        ob_error_hint(err, "Connect as a superuser: before version 15 nobody else has the right.");
    else
        ob_error_hint(err, "%s%s%s%s%s%s", create ? "" : "ALTER ROLE ", create ? "" : role,
                      create ? "" : " CREATEDB;", create || set ? "" : " ",
                      set ? "" : "GRANT SET ON PARAMETER session_replication_role TO ",
                      set ? "" : role);
    if (!set && grantable)
        ob_error_hint(err, "%s;", err->hint);
    free(role);
    return OB_REFUSED;
}

enum ob_result ob_pg_marker_rights(PGconn *conn, struct ob_error *err)
{
    bool create = false, set = false;
    enum ob_result result = ask(conn,
                                "SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles "
                                "WHERE rolname = CURRENT_USER",
                                &create, err);

    if (result == OB_OK)
        result = may_set_role(conn, &set, err);
    if (result != OB_OK || (create && set))
        return result;
    return refuse_role(conn, create, set, err);
}

/* Says in a comment whose the database is: that can be read without a session in it. */
static enum ob_result comment_new(PGconn *conn, const char *name, struct ob_error *err)
{
    PGresult *answer = PQexecParams(conn, comment_on, 1, NULL, &name, NULL, NULL, 0);
    enum ob_result result = OB_OK;

    if (PQresultStatus(answer) == PGRES_TUPLES_OK && PQntuples(answer) == 1)
        result = run(conn, PQgetvalue(answer, 0, 0), "comment on the new database", err);
    else
        result = sql_error(conn, answer, "comment on the new database", err);
    PQclear(answer);
    return result;
}

/* Files are copied with a checkpoint before and one after, which is the quicker way only where
 * nothing is synced. */
static bool copies_files(PGconn *conn)
{
    struct ob_error ignored;
    bool unsynced = false;

    return PQserverVersion(conn) >= 150000 &&
           ask(conn, "SELECT pg_catalog.current_setting('fsync') = 'off'", &unsynced, &ignored) ==
               OB_OK &&
           unsynced;
}

/* name is quoted where it needs to be; template0 has nothing in it that the server's owner put
 * there. */
static enum ob_result create(PGconn *conn, const char *name, const char *from, struct ob_error *err)
{
    char *template = PQescapeIdentifier(conn, from, strlen(from));
    char *sql = ob_asprintf("CREATE DATABASE %s TEMPLATE %s ENCODING 'UTF8'%s", name, template,
                            copies_files(conn) ? " STRATEGY file_copy" : "");
    enum ob_result result = run(conn, sql, "create a database for overbook", err);

    free(sql);
    PQfreemem(template);
    return result;
}

enum ob_result ob_pg_marker_create_named(PGconn *conn, const char *name, struct ob_error *err)
{
    struct ob_error ignored;
    enum ob_result result = create(conn, name, "template0", err);

    if (result == OB_SQL && strcmp(err->sqlstate, DUPLICATE_DATABASE) == 0) {
        ob_error_set(err, OB_REFUSED, "the server has a database \"%s\" already", name);
        ob_error_hint(err, "Overbook needs that name for one of its own: drop it, or rename it.");
        return OB_REFUSED;
    }
    if (result != OB_OK)
        return result;
    result = comment_new(conn, name, err);
    if (result != OB_OK && ob_pg_marker_drop(conn, name, &ignored) != OB_OK)
        ob_error_hint(err, "%s", ignored.hint);
    return result;
}

enum ob_result ob_pg_marker_create_from(PGconn *conn, const char *from, char *name,
                                        struct ob_error *err)
{
    struct ob_error ignored;
    enum ob_result result = OB_INTERNAL;

    for (int number = 1; number <= NAMES_MAX; number++) {
        snprintf(name, OB_PG_DATABASE_NAME_SIZE, "overbook_%d_%d", (int)getpid(), number);
        result = create(conn, name, from, err);
        if (result == OB_OK || strcmp(err->sqlstate, DUPLICATE_DATABASE) != 0)
            break;
    }
    if (result != OB_OK)
        return result;
    result = comment_new(conn, name, err);
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

/* A transaction that was left prepared keeps its database, against FORCE too, and can be ended only
 * from within.  False: there is none. */
static bool end_prepared(PGconn *conn, const char *name)
{
    PGresult *left = PQexecParams(conn,
                                  "SELECT pg_catalog.format('ROLLBACK PREPARED %L', gid) "
                                  "FROM pg_catalog.pg_prepared_xacts WHERE database = $1",
                                  1, NULL, &name, NULL, NULL, 0);
    int count = PQresultStatus(left) == PGRES_TUPLES_OK ? PQntuples(left) : 0;
    char *conninfo = ob_pg_marker_conninfo(conn, name);
    PGconn *inside = count > 0 ? PQconnectdb(conninfo) : NULL;

    for (int row = 0; row < count; row++)
        PQclear(PQexec(inside, PQgetvalue(left, row, 0)));
    PQfinish(inside);
    PQclear(left);
    free(conninfo);
    return count > 0;
}

static bool is_kept(enum ob_result result, const struct ob_error *err)
{
    return result != OB_OK && strcmp(err->sqlstate, OBJECT_IN_USE) == 0;
}

static enum ob_result drop_one(PGconn *conn, const char *name, struct ob_error *err)
{
    char sql[256];
    char *quoted = PQescapeIdentifier(conn, name, strlen(name));

    assert(quoted != NULL && strlen(name) < OB_PG_DATABASE_NAME_SIZE);
    snprintf(sql, sizeof sql, "DROP DATABASE %s WITH (FORCE)", quoted);
    enum ob_result result = drop(conn, sql, err);
    if (is_kept(result, err) && end_prepared(conn, name))
        result = drop(conn, sql, err);
    if (result != OB_OK && strcmp(err->sqlstate, UNDEFINED_DATABASE) == 0) {
        result = OB_OK;
    } else if (result != OB_OK) {
        ob_error_context(err, "the database \"%s\" is left", name);
        ob_error_hint(err, "Drop it by hand: DROP DATABASE %s WITH (FORCE);", quoted);
    }
    PQfreemem(quoted);
    return result;
}

/* A copy is dropped by who made it, as a rule. */
static bool exists(PGconn *conn, const char *name)
{
    PGresult *answer = PQexecParams(conn, "SELECT FROM pg_catalog.pg_database WHERE datname = $1",
                                    1, NULL, &name, NULL, NULL, 0);
    bool found = PQresultStatus(answer) == PGRES_TUPLES_OK && PQntuples(answer) == 1;

    PQclear(answer);
    return found;
}

enum ob_result ob_pg_marker_drop(PGconn *conn, const char *name, struct ob_error *err)
{
    char *copy = ob_asprintf("%s" OB_PG_CLEAN_SUFFIX, name);
    struct ob_error ignored; /* an overbook that comes later sweeps it up */
    enum ob_result result = drop_one(conn, name, err);

    if (result == OB_OK && exists(conn, copy))
        (void)drop_one(conn, copy, &ignored);
    free(copy);
    return result;
}

enum ob_result ob_pg_marker_copy(PGconn *conn, const char *name, const char *from,
                                 struct ob_error *err)
{
    enum ob_result result = exists(conn, name) ? drop_one(conn, name, err) : OB_OK;
    char *to = PQescapeIdentifier(conn, name, strlen(name));

    if (result == OB_OK)
        result = create(conn, to, from, err);
    if (result == OB_OK)
        result = comment_new(conn, name, err);
    PQfreemem(to);
    return result;
}

enum ob_result ob_pg_marker_adopt(PGconn *conn, const char *name, struct ob_error *err)
{
    return comment_new(conn, name, err);
}

size_t ob_pg_marker_sweep(PGconn *conn)
{
    PGresult *answer = PQexec(conn, left_behind);
    int count = PQresultStatus(answer) == PGRES_TUPLES_OK ? PQntuples(answer) : 0;
    size_t dropped = 0;

    for (int row = 0; row < count; row++) {
        static const char what[] = "drop what was left behind";
        const char *name = PQgetvalue(answer, row, 0);
        struct ob_error ignored;
        char sql[256];
        /* Without FORCE: who connects meanwhile keeps it.  The name is one of ours, see above. */
        snprintf(sql, sizeof sql, "DROP DATABASE %s", name);
        enum ob_result result = run(conn, sql, what, &ignored);
        if (is_kept(result, &ignored) && end_prepared(conn, name))
            result = run(conn, sql, what, &ignored);
        dropped += result == OB_OK;
    }
    PQclear(answer);
    return dropped;
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
