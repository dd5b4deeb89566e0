/*
 * look.c - what who walks through a run looks at, between two steps.
 *
 * A query of theirs is asked through a cursor, in a savepoint that is rolled back, in a transaction
 * that is read-only until then: what is no query is no cursor's, and what writes is refused.
 */
#include "pg/world_int.h"

#include "base/buf.h"
#include "pg/interrupt.h"
#include "pg/waits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- rows of answers */

void ob_pg_world_keep_rows(struct ob_pg_world *world)
{
    world->keeps_rows = true;
}

void ob_pg_keep_rows(struct ob_pg_session *session, const PGresult *result)
{
    PQclear(session->rows);
    session->rows = PQresultStatus(result) == PGRES_TUPLES_OK
                        ? PQcopyResult(result, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES)
                        : NULL;
}

bool ob_pg_world_rows(struct ob_pg_world *world, size_t client, struct ob_arena *arena,
                      struct ob_rows *out)
{
    const PGresult *rows = world->sessions[client].rows;
    if (rows)
        ob_pg_rows(rows, arena, out);
    return rows != NULL;
}

/* --- queries */

#define BOUNDS "SET LOCAL lock_timeout = '1s'; SET LOCAL statement_timeout = '30s'"

static const struct brackets {
    const char *open, *close;
} within = {"SAVEPOINT overbook_look; SET TRANSACTION READ ONLY; " BOUNDS,
            "ROLLBACK TO SAVEPOINT overbook_look; RELEASE SAVEPOINT overbook_look"},
  alone = {"BEGIN READ ONLY; " BOUNDS, "ROLLBACK"};

/* Functions whose effect no rollback takes back. */
static const char *lasting(const char *sql)
{
    static const char *const names[] = {"pg_advisory_", "pg_try_advisory_", "pg_cancel_backend",
                                        "pg_terminate_backend", "dblink"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasestr(sql, names[i]))
            return names[i];
    return NULL;
}

static enum ob_result refuse(const struct ob_pg_world *world, size_t client, const char *why,
                             struct ob_error *err)
{
    const char *name = client != OB_NO_CLIENT && world->client_names ? world->client_names[client]
                                                                     : "the control connection";
    ob_error_set(err, OB_INPUT, "%s %s", name, why);
    ob_error_hint(err, "Ask on the control connection, which sees what is committed.");
    return OB_INPUT;
}

/* What the transaction that is open there, or none, allows. */
static enum ob_result brackets_for(const struct ob_pg_world *world, size_t client, PGconn *conn,
                                   const struct brackets **out, struct ob_error *err)
{
    switch (PQtransactionStatus(conn)) {
    case PQTRANS_IDLE:
        *out = &alone;
        return OB_OK;
    case PQTRANS_INTRANS:
        *out = &within;
        return OB_OK;
    case PQTRANS_INERROR:
        return refuse(world, client, "is in a transaction that has failed, and can only end it",
                      err);
    case PQTRANS_ACTIVE:
        return refuse(world, client, "is in the middle of a statement", err);
    case PQTRANS_UNKNOWN:
    default:
        return refuse(world, client, "has lost its session", err);
    }
}

static enum ob_result open_cursor(PGconn *conn, const char *sql, struct ob_error *err)
{
    struct ob_buf declare;
    ob_buf_init(&declare, SIZE_MAX);
    ob_buf_printf(&declare, "DECLARE overbook_look NO SCROLL CURSOR FOR %s", sql);
    PGresult *result = NULL;
    if (PQsendQueryParams(conn, declare.data, 0, NULL, NULL, NULL, NULL, 0))
        result = ob_pg_wait_result(conn); /* one statement only, unlike PQexec */
    enum ob_result code = OB_OK;
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        code = ob_pg_error(conn, result, "the query failed", err);
    PQclear(result);
    ob_buf_clear(&declare);
    return code;
}

static enum ob_result fetch(PGconn *conn, struct ob_arena *arena, struct ob_rows *out,
                            struct ob_error *err)
{
    char sql[64];
    snprintf(sql, sizeof sql, "FETCH %d FROM overbook_look", OB_PG_LOOK_ROWS + 1);
    PGresult *result = ob_pg_wait_exec(conn, sql);
    enum ob_result code = OB_OK;
    if (PQresultStatus(result) == PGRES_TUPLES_OK)
        ob_pg_rows(result, arena, out);
    else
        code = ob_pg_error(conn, result, "the query failed", err);
    PQclear(result);
    return code;
}

enum ob_result ob_pg_world_look(struct ob_pg_world *world, size_t client, const char *sql,
                                struct ob_arena *arena, struct ob_rows *out, struct ob_error *err)
{
    PGconn *conn = client == OB_NO_CLIENT ? world->control : world->sessions[client].conn;
    const struct brackets *brackets = NULL;
    struct ob_error later;
    const char *name = lasting(sql);
    if (name) {
        ob_error_set(err, OB_INPUT, "the query names %s…, whose effect outlasts the look", name);
        return OB_INPUT;
    }
    enum ob_result result = brackets_for(world, client, conn, &brackets, err);
    if (result == OB_OK)
        result = ob_pg_exec(conn, brackets->open, NULL, err);
    if (result != OB_OK)
        return result;
    result = open_cursor(conn, sql, err);
    if (result == OB_OK)
        result = fetch(conn, arena, out, err);
    enum ob_result closed = ob_pg_exec(conn, brackets->close, NULL, &later);
    if (result == OB_OK && closed != OB_OK)
        *err = later;
    return result == OB_OK ? closed : result;
}

/* --- locks */

/* $1: the clients' process ids, in their order. */
#define LOCKS                                                                                  \
    "SELECT l.pid, CASE WHEN l.locktype = 'tuple' THEN pg_catalog.format('row (%s,%s) of %s'," \
    " l.page, l.tuple, l.relation::regclass) WHEN l.relation IS NOT NULL AND l.locktype ="     \
    " 'relation' THEN l.relation::regclass::text WHEN l.relation IS NOT NULL THEN"             \
    " pg_catalog.format('%s of %s', l.locktype, l.relation::regclass) WHEN l.locktype ="       \
    " 'transactionid' THEN 'transaction of ' WHEN l.locktype = 'advisory' THEN"                \
    " pg_catalog.format('advisory %s, %s', l.classid, l.objid) ELSE l.locktype END, l.mode,"   \
    " l.granted, (SELECT h.pid FROM pg_catalog.pg_locks h WHERE h.transactionid ="             \
    " l.transactionid AND h.granted LIMIT 1), l.locktype = 'transactionid'"                    \
    " FROM pg_catalog.pg_locks l WHERE (l.pid = ANY ($1::int4[]) OR l.pid IS NULL)"            \
    " AND coalesce(l.relation, 16384) >= 16384 AND NOT (l.locktype IN ('virtualxid',"          \
    " 'transactionid') AND l.granted)"                                                         \
    " ORDER BY pg_catalog.array_position($1::int4[], l.pid), l.granted DESC,"                  \
    " l.relation, l.locktype, l.page, l.tuple, l.mode"

static const char *owner(const struct ob_pg_world *world, const PGresult *result, int row,
                         int column)
{
    if (PQgetisnull(result, row, column))
        return "a prepared transaction";
    long pid = strtol(PQgetvalue(result, row, column), NULL, 10);
    for (size_t i = 0; i < world->session_count; i++)
        if (world->sessions[i].pid == pid)
            return world->client_names ? world->client_names[i] : "a client";
    return "another session";
}

static void read_locks(const struct ob_pg_world *world, const PGresult *result,
                       struct ob_arena *arena, struct ob_rows *out)
{
    static const char *const columns[] = {"client", "on", "mode", "state"};
    size_t rows = (size_t)PQntuples(result);
    const char **cells = ob_arena_alloc(arena, 4 * rows * sizeof *cells);
    for (int row = 0; row < PQntuples(result); row++) {
        const char **cell = &cells[4 * (size_t)row];
        bool transaction = strcmp(PQgetvalue(result, row, 5), "t") == 0;
        cell[0] = ob_arena_strdup(arena, owner(world, result, row, 0));
        cell[1] = ob_arena_printf(arena, "%s%s", PQgetvalue(result, row, 1),
                                  transaction ? owner(world, result, row, 4) : "");
        cell[2] = ob_arena_strdup(arena, PQgetvalue(result, row, 2));
        cell[3] = strcmp(PQgetvalue(result, row, 3), "t") == 0 ? "held" : "waits";
    }
    *out =
        (struct ob_rows){.row_count = rows, .column_count = 4, .columns = columns, .cells = cells};
}

enum ob_result ob_pg_world_locks(struct ob_pg_world *world, struct ob_arena *arena,
                                 struct ob_rows *out, struct ob_error *err)
{
    int pids[OB_CLIENTS_MAX];
    char text[OB_PG_PIDS_SIZE];
    for (size_t i = 0; i < world->session_count; i++)
        pids[i] = world->sessions[i].pid;
    const char *params[] = {ob_pg_waits_pids(pids, world->session_count, ~(ob_client_set)0, text)};
    PGresult *result = NULL;
    enum ob_result code = ob_pg_control_prepared(world, LOCKS, 1, params, &result, err);
    if (code != OB_OK)
        return code;
    read_locks(world, result, arena, out);
    PQclear(result);
    return OB_OK;
}
