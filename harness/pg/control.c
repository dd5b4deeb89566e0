/* control.c - the control connection: who waits for whom, the clock, queries. */
#include "pg/world_int.h"

#include "pg/interrupt.h"
#include "pg/waits.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ob_result ob_pg_error(PGconn *conn, const PGresult *result, const char *what,
                           struct ob_error *err)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    if (!state) {
        ob_error_set(err, OB_SERVER, "%s: the database server went away", what);
        ob_error_detail(err, "%s", PQerrorMessage(conn));
        ob_error_hint(err, "Look into the server's log for the reason.");
        return OB_SERVER;
    }
    if (strcmp(state, "57014") == 0 && ob_pg_interrupted())
        return ob_error_set(err, OB_INTERRUPTED, "interrupted");
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
    enum ob_result code = PQstatus(conn) == CONNECTION_BAD ? OB_SERVER : OB_SQL;
    ob_error_set(err, code, "%s: %s (SQLSTATE %s)", what, message ? message : "", state);
    ob_error_detail(err, "%s", detail ? detail : "");
    ob_error_hint(err, "%s", hint ? hint : "");
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state);
    return code;
}

static bool succeeded(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

enum ob_result ob_pg_exec(PGconn *conn, const char *sql, char **value, struct ob_error *err)
{
    PGresult *result = ob_pg_wait_exec(conn, sql);
    enum ob_result code = OB_OK;
    if (!succeeded(result) && PQresultStatus(result) != PGRES_EMPTY_QUERY)
        code = ob_pg_error(conn, result, "a statement of overbook's own failed", err);
    else if (value && PQntuples(result) > 0 && PQnfields(result) > 0)
        *value = ob_strdup(PQgetvalue(result, 0, 0));
    PQclear(result);
    return code;
}

enum ob_result ob_pg_control_bound(struct ob_pg_world *world, struct ob_error *err)
{
    return ob_pg_exec(world->control, "SET lock_timeout = '5s'; SET statement_timeout = '30s'",
                      NULL, err);
}

static size_t prepared_index(struct ob_pg_world *world, const char *sql)
{
    size_t index = 0;
    while (index < world->prepared_count && strcmp(world->prepared[index].sql, sql) != 0)
        index++;
    return index;
}

static size_t client_of(const struct ob_pg_world *world, int pid)
{
    for (size_t i = 0; i < world->session_count; i++)
        if (world->sessions[i].pid == pid)
            return i;
    return OB_NO_CLIENT;
}

#define OB_PG_LOCKED                                                                     \
    "SELECT pid, relation::regclass FROM pg_catalog.pg_locks WHERE granted AND locktype" \
    " = 'relation' AND mode = 'AccessExclusiveLock' AND relation >= 16384 AND pid IS"    \
    " DISTINCT FROM pg_catalog.pg_backend_pid() ORDER BY pid NULLS LAST, relation"

/* After a wait for a lock that came to nothing: no client moves meanwhile, so who has it keeps it.
 */
static void name_holder(struct ob_pg_world *world, struct ob_error *err)
{
    PGresult *locks = ob_pg_wait_exec(world->control, OB_PG_LOCKED);
    size_t first = OB_NO_CLIENT;
    const char *who = "somebody", *table = "what is asked about";
    int rows = PQresultStatus(locks) == PGRES_TUPLES_OK ? PQntuples(locks) : 0;
    for (int row = 0; row < rows; row++) {
        size_t client = client_of(world, (int)strtol(PQgetvalue(locks, row, 0), NULL, 10));
        if (row > 0 && client >= first)
            continue;
        first = client;
        table = PQgetvalue(locks, row, 1);
        if (client != OB_NO_CLIENT)
            who = world->client_names ? world->client_names[client] : "a client";
        else
            who = PQgetisnull(locks, row, 0) ? "a prepared transaction" : "another session";
    }
    ob_error_set(err, OB_SQL, "%s holds a lock on %s", who, table);
    snprintf(err->sqlstate, sizeof err->sqlstate, "%s", OB_LOCK_NOT_AVAILABLE);
    PQclear(locks);
}

static enum ob_result prepare(struct ob_pg_world *world, const char *name, const char *sql,
                              struct ob_error *err)
{
    PGresult *result = NULL;
    if (PQsendPrepare(world->control, name, sql, 0, NULL))
        result = ob_pg_wait_result(world->control);
    enum ob_result code = OB_OK;
    if (!succeeded(result))
        code = ob_pg_error(world->control, result, "could not prepare a query", err);
    PQclear(result);
    if (code == OB_SQL && strcmp(err->sqlstate, OB_LOCK_NOT_AVAILABLE) == 0)
        name_holder(world, err);
    if (code != OB_OK)
        return code;
    world->prepared = ob_grow(world->prepared, &world->prepared_capacity, world->prepared_count + 1,
                              sizeof *world->prepared);
    world->prepared[world->prepared_count++].sql = ob_strdup(sql);
    return OB_OK;
}

enum ob_result ob_pg_control_prepared(struct ob_pg_world *world, const char *sql, int param_count,
                                      const char *const *params, PGresult **out,
                                      struct ob_error *err)
{
    size_t index = prepared_index(world, sql);
    char name[24];
    snprintf(name, sizeof name, "ob_%zu", index);
    if (index == world->prepared_count) {
        enum ob_result code = prepare(world, name, sql, err);
        if (code != OB_OK)
            return code;
    }
    PGresult *result = NULL;
    if (PQsendQueryPrepared(world->control, name, param_count, params, NULL, NULL, 0))
        result = ob_pg_wait_result(world->control);
    if (succeeded(result)) {
        *out = result;
        return OB_OK;
    }
    enum ob_result code = ob_pg_error(world->control, result, "a query failed", err);
    PQclear(result);
    if (code == OB_SQL && strcmp(err->sqlstate, OB_LOCK_NOT_AVAILABLE) == 0)
        name_holder(world, err);
    return code;
}

enum ob_result ob_pg_control_waits(void *self, ob_client_set clients, struct ob_waits *out,
                                   struct ob_error *err)
{
    struct ob_pg_world *world = self;
    int pids[OB_CLIENTS_MAX];
    for (size_t i = 0; i < world->session_count; i++)
        pids[i] = world->sessions[i].pid;
    char text[OB_PG_PIDS_SIZE];
    const char *params[] = {ob_pg_waits_pids(pids, world->session_count, clients, text)};
    PGresult *result = NULL;
    enum ob_result code = ob_pg_control_prepared(world, OB_PG_WAITS, 1, params, &result, err);
    if (code == OB_OK)
        ob_pg_waits_read(result, pids, world->session_count, OB_PG_ALL_HOLDERS, out);
    PQclear(result);
    return code;
}

enum ob_result ob_pg_control_clock(void *self, int64_t time_us, struct ob_error *err)
{
    struct ob_pg_world *world = self;
    if (!world->clock || world->clock_us == time_us)
        return OB_OK;
    char value[24];
    snprintf(value, sizeof value, "%" PRId64, time_us);
    const char *params[] = {world->clock, value};
    PGresult *result = NULL;
    enum ob_result code = ob_pg_control_prepared(
        world, "SELECT pg_catalog.setval($1::text::regclass, $2::int8)", 2, params, &result, err);
    PQclear(result);
    world->clock_us = code == OB_OK ? time_us : INT64_MIN;
    return code;
}

void ob_pg_rows(const PGresult *result, struct ob_arena *arena, struct ob_rows *out)
{
    size_t rows = (size_t)PQntuples(result), columns = (size_t)PQnfields(result);
    const char **names = ob_arena_alloc(arena, columns * sizeof *names);
    const char **cells = ob_arena_alloc(arena, rows * columns * sizeof *cells);
    for (size_t c = 0; c < columns; c++)
        names[c] = ob_arena_strdup(arena, PQfname(result, (int)c));
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            if (!PQgetisnull(result, (int)r, (int)c))
                cells[r * columns + c] = ob_arena_strdup(arena, PQgetvalue(result, (int)r, (int)c));
    *out = (struct ob_rows){
        .row_count = rows, .column_count = columns, .columns = names, .cells = cells};
}

enum ob_result ob_pg_control_query(void *self, const char *sql, int param_count,
                                   const char *const *params, struct ob_arena *arena,
                                   struct ob_rows *out, struct ob_error *err)
{
    PGresult *result = NULL;
    enum ob_result code = ob_pg_control_prepared(self, sql, param_count, params, &result, err);
    if (code != OB_OK)
        return code;
    ob_pg_rows(result, arena, out);
    PQclear(result);
    return OB_OK;
}
