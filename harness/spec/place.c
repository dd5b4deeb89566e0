#include "spec/place.h"

#include "base/alloc.h"
#include "pg/server.h"

#include <stdlib.h>

/* What overbook's own server has otherwise, for races to be repeatable; specs see the usual. */
static const struct ob_pg_setting usual[] = {
    {"deadlock_timeout", "1s"},
    {"max_prepared_transactions", "3"},
    {"track_counts", "on"},
    {"log_lock_waits", "off"},
    {"max_parallel_workers", "8"},
    {"max_parallel_workers_per_gather", "2"},
    {"max_parallel_maintenance_workers", "2"},
    {"synchronize_seqscans", "on"},
    {"geqo", "on"},
    {"wal_level", "replica"},
};

/* As pg_regress sets its databases up. */
#define SET "ALTER DATABASE " OB_SPEC_DATABASE " SET "
static const char set_up[] =
    SET "lc_messages TO 'C'; " SET "lc_monetary TO 'C'; " SET "lc_numeric TO 'C'; " SET
        "lc_time TO 'C'; " SET "bytea_output TO 'hex'; " SET "timezone_abbreviations TO 'Default'";

struct ob_spec_place {
    struct ob_pg_server *server;
    char *conninfo; /* owned */
    struct ob_pg_plain *plain;
};

void ob_spec_place_conditions(const char *isolation)
{
    const char *given = getenv("PGOPTIONS");
    char *options = ob_asprintf("%s -c intervalstyle=postgres_verbose%s%s", given ? given : "",
                                isolation ? " -c default_transaction_isolation=" : "",
                                isolation ? isolation : "");
    setenv("PGOPTIONS", options, 1);
    setenv("PGTZ", "America/Los_Angeles", 1);
    setenv("PGDATESTYLE", "Postgres, MDY", 1);
    free(options);
}

static enum ob_result run(const char *conninfo, const char *sql, struct ob_error *err)
{
    PGconn *conn = PQconnectdb(conninfo);
    PGresult *done = PQexec(conn, sql);
    enum ob_result result = OB_OK;
    if (PQresultStatus(done) != PGRES_COMMAND_OK) {
        result = ob_error_set(err, OB_SERVER, "could not set the database for specs up");
        ob_error_detail(err, "%s", PQerrorMessage(conn));
    }
    PQclear(done);
    PQfinish(conn);
    return result;
}

static enum ob_result set_up_at(struct ob_spec_place *place, const char *conninfo,
                                struct ob_error *err)
{
    place->conninfo = ob_strdup(conninfo);
    enum ob_result result = run(conninfo, set_up, err);
    return result == OB_OK ? ob_pg_plain_open(conninfo, &place->plain, err) : result;
}

static enum ob_result finish_opening(struct ob_spec_place *place, enum ob_result result,
                                     struct ob_spec_place **out)
{
    if (result == OB_OK)
        *out = place;
    else
        ob_spec_place_close(place);
    return result;
}

enum ob_result ob_spec_place_open_at(const char *conninfo, struct ob_spec_place **out,
                                     struct ob_error *err)
{
    struct ob_spec_place *place = ob_alloc(sizeof *place);
    return finish_opening(place, set_up_at(place, conninfo, err), out);
}

static enum ob_result open_embedded(struct ob_spec_place *place, struct ob_error *err)
{
    const struct ob_pg_server_options options = {
        .settings = usual,
        .setting_count = sizeof usual / sizeof *usual,
    };
    enum ob_result result = ob_pg_server_open(&options, &place->server, err);
    if (result != OB_OK)
        return result;
    char *outside = ob_pg_server_conninfo(place->server, "postgres");
    char *inside = ob_pg_server_conninfo(place->server, OB_SPEC_DATABASE);
    result = run(outside,
                 "CREATE DATABASE " OB_SPEC_DATABASE
                 " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'",
                 err);
    if (result == OB_OK)
        result = set_up_at(place, inside, err);
    free(outside);
    free(inside);
    return result;
}

enum ob_result ob_spec_place_open(struct ob_spec_place **out, struct ob_error *err)
{
    struct ob_spec_place *place = ob_alloc(sizeof *place);
    return finish_opening(place, open_embedded(place, err), out);
}

void ob_spec_place_close(struct ob_spec_place *place)
{
    if (!place)
        return;
    ob_pg_plain_close(place->plain);
    (void)ob_pg_server_close(place->server); /* what is left is swept away at the next start */
    free(place->conninfo);
    free(place);
}

const char *ob_spec_place_conninfo(const struct ob_spec_place *place)
{
    return place->conninfo;
}

struct ob_pg_plain *ob_spec_place_plain(struct ob_spec_place *place)
{
    return place->plain;
}
