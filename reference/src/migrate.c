/*
 * migrate.c - the schema, step by step.
 *
 * A step and its record are one transaction, so a step is done or not done, never half.  The
 * advisory lock makes a second migration wait, and the version is read again under it.
 */
#include "booking/migrate.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrations_int.h"
#include "result_int.h"

static const struct booking_migration migrations[] = {
#define MIGRATION_ROW(number, label) \
    {1##number - 10000, #label, booking_sql_text_##number##_up, booking_sql_text_##number##_down},
    BOOKING_MIGRATION_FILES(MIGRATION_ROW)
#undef MIGRATION_ROW
};

#define MIGRATION_COUNT (sizeof migrations / sizeof *migrations)

static_assert(MIGRATION_COUNT == BOOKING_SCHEMA_LATEST, "the latest version is the last file");

const struct booking_migration *booking_migrations(size_t *count)
{
    *count = MIGRATION_COUNT;
    return migrations;
}

const char *booking_sql_virtual_clock(void)
{
    return booking_sql_text_virtual_clock;
}

const char *booking_sql_without_guards(void)
{
    return booking_sql_text_without_guards;
}

const char *booking_sql_seeds(void)
{
    return booking_sql_text_seeds;
}

/* Runs SQL; false fills err with what was attempted. */
static bool run(PGconn *conn, const char *sql, const char *attempted, struct booking_error *err)
{
    PGresult *result = PQexec(conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

    if (!ok)
        booking_error_from_result(err, result, attempted);
    PQclear(result);
    return ok;
}

/* The first value of a query as a number; NULL counts as 0. */
static bool ask_number(PGconn *conn, const char *sql, int *out, struct booking_error *err)
{
    PGresult *result = PQexec(conn, sql);
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;

    if (ok)
        *out = (int)booking_result_int(result, "n");
    else
        booking_error_from_result(err, result, "read the schema's version");
    PQclear(result);
    return ok;
}

bool booking_migrate_version(PGconn *conn, int *version, struct booking_error *err)
{
    int exists = 0;

    if (!ask_number(conn, "SELECT (to_regclass('booking.schema_version') IS NOT NULL)::int AS n",
                    &exists, err))
        return false;
    if (!exists) {
        *version = 0;
        return true;
    }
    return ask_number(conn, "SELECT max(version) AS n FROM booking.schema_version", version, err);
}

/* What both directions do first, in their transaction. */
static const char lock_schema[] =
    "SELECT pg_advisory_xact_lock(hashtext('booking.schema_version'));"
    "CREATE SCHEMA IF NOT EXISTS booking;"
    "CREATE TABLE IF NOT EXISTS booking.schema_version ("
    " version integer PRIMARY KEY, name text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT clock_timestamp());";

/* The statements of a step after that; the caller's to free, NULL without memory. */
static char *step_text(int version, bool up)
{
    const struct booking_migration *step = &migrations[version - 1];
    const char *body = up ? step->up : step->down;
    size_t size = strlen(body) + strlen(step->name) + 160;
    char *text = malloc(size);

    if (text && up)
        snprintf(text, size,
                 "%s\n;INSERT INTO booking.schema_version (version, name) VALUES (%d, '%s')", body,
                 version, step->name);
    else if (text)
        snprintf(text, size, "%s\n;DELETE FROM booking.schema_version WHERE version = %d", body,
                 version);
    return text;
}

char *booking_migrate_text(int version, bool up)
{
    char *step = step_text(version, up);
    size_t size = sizeof lock_schema + (step ? strlen(step) : 0);
    char *text = step ? malloc(size) : NULL;

    if (text)
        snprintf(text, size, "%s%s", lock_schema, step);
    free(step);
    return text;
}

static bool step_body(PGconn *conn, int version, bool up, struct booking_error *err)
{
    char attempted[96];
    char *text = step_text(version, up);
    bool ok;

    snprintf(attempted, sizeof attempted, "migrate %s step %d (%s)", up ? "up" : "down", version,
             migrations[version - 1].name);
    if (!text) {
        booking_error_set(err, "could not %s: out of memory", attempted);
        return false;
    }
    ok = run(conn, text, attempted, err) && run(conn, "COMMIT", attempted, err);
    free(text);
    return ok;
}

/* One step from wherever the database is towards the target; *version is where it then is. */
static bool one_step(PGconn *conn, int target, int *version, struct booking_error *err)
{
    bool ok = run(conn, "BEGIN", "begin a migration", err);
    bool up;

    ok = ok && run(conn, lock_schema, "lock the schema", err) &&
         booking_migrate_version(conn, version, err);
    if (ok && *version == target) {
        ok = run(conn, "COMMIT", "end a migration", err);
    } else if (ok) {
        up = target > *version;
        ok = step_body(conn, up ? *version + 1 : *version, up, err);
        *version += up ? 1 : -1;
    }
    if (!ok)
        PQclear(PQexec(conn, "ROLLBACK"));
    return ok;
}

bool booking_migrate(PGconn *conn, int target,
                     void (*step)(void *arg, int version, const char *name), void *arg,
                     struct booking_error *err)
{
    int version, before, done;

    if (target < 0 || target > BOOKING_SCHEMA_LATEST) {
        booking_error_set(err, "there is no schema version %d", target);
        booking_error_hint(err, "Versions go from 0 to %d.", BOOKING_SCHEMA_LATEST);
        return false;
    }
    if (!booking_migrate_version(conn, &version, err))
        return false;
    if (version > BOOKING_SCHEMA_LATEST) {
        booking_error_set(err, "the database has schema version %d, this program knows %d", version,
                          BOOKING_SCHEMA_LATEST);
        booking_error_hint(err, "Use the program that belongs to this schema.");
        return false;
    }
    while (version != target) {
        before = version;
        if (!one_step(conn, target, &version, err))
            return false;
        if (step && version != before) {
            done = version > before ? version : version + 1;
            step(arg, done, migrations[done - 1].name);
        }
    }
    return true;
}

bool booking_migrate_check(PGconn *conn, void (*row)(void *arg, const char *line), void *arg,
                           size_t *count, struct booking_error *err)
{
    PGresult *result = PQexec(conn, "SELECT kind || ': ' || detail AS line FROM booking.dirty"
                                    " ORDER BY kind, first_id, second_id, detail");
    bool ok = PQresultStatus(result) == PGRES_TUPLES_OK;

    if (!ok) {
        booking_error_from_result(err, result, "check the data");
        booking_error_hint(err, "The check comes with schema version 2: run \"booking-migrate up "
                                "2\" first.");
    } else {
        *count = (size_t)PQntuples(result);
        for (int i = 0; row && i < PQntuples(result); i++)
            row(arg, PQgetvalue(result, i, 0));
    }
    PQclear(result);
    return ok;
}
