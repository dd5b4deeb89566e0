/*
 * db_libpq.c - a database session on a libpq connection of its own.
 *
 * The connection string is kept for reconnecting.  Passwords: libpq quotes pieces of a connection
 * string only when it cannot parse it, so in that case its message is not passed on.
 */
#include "booking/db.h"

#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "result_int.h"

struct libpq_db {
    struct booking_db db;
    PGconn *conn; /* NULL after kill */
    char *conninfo;
};

static const struct {
    const char *sql, *name;
} isolations[] = {
    [BOOKING_READ_COMMITTED] = {"READ COMMITTED", "read-committed"},
    [BOOKING_REPEATABLE_READ] = {"REPEATABLE READ", "repeatable-read"},
    [BOOKING_SERIALIZABLE] = {"SERIALIZABLE", "serializable"},
};

const char *booking_isolation_sql(enum booking_isolation isolation)
{
    return isolations[isolation].sql;
}

const char *booking_isolation_name(enum booking_isolation isolation)
{
    return isolations[isolation].name;
}

static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

/* A connection in UTC, or NULL with err filled. */
static PGconn *connect_utc(const char *conninfo, struct booking_error *err)
{
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *result;

    if (PQstatus(conn) != CONNECTION_OK) {
        booking_error_set(err, "could not connect to the database");
        booking_error_detail(err, "%s", PQerrorMessage(conn));
        booking_error_hint(err, "Check that the server runs and that --database-url or "
                                "DATABASE_URL names it.");
        PQfinish(conn);
        return NULL;
    }
    PQsetNoticeProcessor(conn, ignore_notice, NULL);
    result = PQexec(conn, "SET TimeZone = 'UTC'");
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        booking_error_from_result(err, result, "set the session's time zone");
        PQclear(result);
        PQfinish(conn);
        return NULL;
    }
    PQclear(result);
    return conn;
}

/* Sorts a result: OK, the server's no, or a connection that is gone. */
static enum booking_db_result outcome(const struct libpq_db *self, PGresult *result, PGresult **out)
{
    ExecStatusType status = PQresultStatus(result);

    if (PQstatus(self->conn) != CONNECTION_OK) {
        PQclear(result);
        return BOOKING_DB_LOST;
    }
    *out = result;
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? BOOKING_DB_OK
                                                                   : BOOKING_DB_ERROR;
}

static enum booking_db_result libpq_exec(struct booking_db *db, const char *sql, int param_count,
                                         const char *const *params, PGresult **out)
{
    struct libpq_db *self = (struct libpq_db *)db;

    *out = NULL;
    if (!self->conn)
        return BOOKING_DB_LOST;
    return outcome(self, PQexecParams(self->conn, sql, param_count, NULL, params, NULL, NULL, 0),
                   out);
}

static enum booking_db_result run_plain(struct booking_db *db, const char *sql)
{
    PGresult *result;
    enum booking_db_result ended = libpq_exec(db, sql, 0, NULL, &result);

    PQclear(result);
    return ended;
}

static enum booking_db_result libpq_begin(struct booking_db *db, enum booking_isolation isolation)
{
    char sql[64];

    snprintf(sql, sizeof sql, "BEGIN ISOLATION LEVEL %s", booking_isolation_sql(isolation));
    return run_plain(db, sql);
}

static enum booking_db_result libpq_commit(struct booking_db *db, PGresult **error)
{
    enum booking_db_result ended = libpq_exec(db, "COMMIT", 0, NULL, error);

    /* COMMIT of a transaction that failed before succeeds as a ROLLBACK. */
    if (ended == BOOKING_DB_OK && strcmp(PQcmdStatus(*error), "COMMIT") != 0)
        return BOOKING_DB_ERROR;
    if (ended == BOOKING_DB_OK) {
        PQclear(*error);
        *error = NULL;
    }
    return ended;
}

static enum booking_db_result libpq_rollback(struct booking_db *db)
{
    return run_plain(db, "ROLLBACK");
}

static void libpq_kill(struct booking_db *db)
{
    struct libpq_db *self = (struct libpq_db *)db;

    PQfinish(self->conn);
    self->conn = NULL;
}

static enum booking_db_result libpq_reconnect(struct booking_db *db)
{
    struct libpq_db *self = (struct libpq_db *)db;
    struct booking_error ignored;

    libpq_kill(db);
    self->conn = connect_utc(self->conninfo, &ignored);
    return self->conn ? BOOKING_DB_OK : BOOKING_DB_LOST;
}

/* A back-off has no event to wait for: a poll of nothing with a limit. */
static void libpq_pause(struct booking_db *db, int64_t delay_us)
{
    struct timespec limit = {.tv_sec = delay_us / 1000000, .tv_nsec = delay_us % 1000000 * 1000};

    (void)db;
    ppoll(NULL, 0, &limit, NULL);
}

static const struct booking_db_ops libpq_ops = {
    .begin = libpq_begin,
    .exec = libpq_exec,
    .commit = libpq_commit,
    .rollback = libpq_rollback,
    .reconnect = libpq_reconnect,
    .pause = libpq_pause,
    .kill = libpq_kill,
};

static bool parses(const char *conninfo)
{
    char *message = NULL;
    PQconninfoOption *options = PQconninfoParse(conninfo, &message);
    bool ok = options != NULL;

    PQconninfoFree(options);
    PQfreemem(message);
    return ok;
}

enum booking_db_result booking_db_open(const char *conninfo, struct booking_db **out,
                                       struct booking_error *err)
{
    struct libpq_db *self;
    PGconn *conn;

    if (!parses(conninfo)) {
        booking_error_set(err, "could not read the database URL");
        booking_error_hint(err, "It looks like postgresql://user@host:5432/database; special "
                                "characters are written as %%XX.");
        return BOOKING_DB_LOST;
    }
    conn = connect_utc(conninfo, err);
    if (!conn)
        return BOOKING_DB_LOST;
    self = calloc(1, sizeof *self);
    if (self)
        self->conninfo = strdup(conninfo);
    if (!self || !self->conninfo) {
        booking_error_set(err, "out of memory");
        PQfinish(conn);
        free(self);
        return BOOKING_DB_LOST;
    }
    self->db.ops = &libpq_ops;
    self->conn = conn;
    *out = &self->db;
    return BOOKING_DB_OK;
}

void booking_db_close(struct booking_db *db)
{
    struct libpq_db *self = (struct libpq_db *)db;

    if (!self)
        return;
    PQfinish(self->conn);
    free(self->conninfo);
    free(self);
}

PGconn *booking_db_connection(struct booking_db *db)
{
    return ((struct libpq_db *)db)->conn;
}
